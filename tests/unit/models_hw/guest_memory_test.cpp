#include "models/hw/guest_memory.hpp"

#include <unistd.h>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>

using namespace vmbsim;
using namespace vmbsim::hw;

namespace {
// Pages of this process that the host has really committed. Source: proc(5), statm, second field.
std::int64_t resident_pages() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  REQUIRE(file != nullptr);
  long total = 0;
  long resident = 0;
  REQUIRE(std::fscanf(file, "%ld %ld", &total, &resident) == 2);
  std::fclose(file);
  return resident;
}
}  // namespace

TEST_CASE("the same allocations give the same frames, and never frame 0") {
  GuestMemory one({.size = 1024_pages});
  GuestMemory two({.size = 1024_pages});
  for (const Pages count : {1_pages, 33_pages, 2_pages, 9_pages, 100_pages}) {
    const auto first = one.allocate(count);
    REQUIRE(first.has_value());
    CHECK(first == two.allocate(count));
    CHECK(*first != 0);
  }
}

TEST_CASE("allocations do not overlap, whatever their sizes") {
  GuestMemory memory({.size = 1048576_pages});
  Pfn end = 1;
  for (std::int64_t count = 1; count <= 300; ++count) {
    const auto first = memory.allocate({count});
    REQUIRE(first.has_value());
    CHECK(*first >= end);
    end = *first + static_cast<Pfn>(count);
  }
  CHECK(memory.allocated() == Pages{300 * 301 / 2});
}

TEST_CASE("freed frames are used again before new ones") {
  GuestMemory memory({.size = 64_pages});
  const Pfn first = memory.allocate(16_pages).value();
  memory.free(first, 16_pages);
  for (int round = 0; round < 1000; ++round) {
    const auto again = memory.allocate(15_pages);  // the same step of an octave as 16 pages
    REQUIRE(again == first);
    memory.free(*again, 15_pages);
  }
  CHECK(memory.allocated() == 0_pages);
}

TEST_CASE("freed frames never serve a request they are too small for") {
  for (std::int64_t count = 1; count <= 70; ++count) {
    GuestMemory memory({.size = 65536_pages});
    const Pfn freed = memory.allocate({count}).value();
    const Pfn guard = memory.allocate(1_pages).value();
    memory.free(freed, {count});
    for (std::int64_t larger = count + 1; larger <= 2 * count; ++larger) {
      const Pfn first = memory.allocate({larger}).value();
      REQUIRE((first > guard || first + static_cast<Pfn>(larger) <= guard));
    }
  }
}

TEST_CASE("a partition's memory runs out as an answer") {
  GuestMemory memory({.size = 8_pages});
  CHECK_FALSE(memory.allocate(9_pages).has_value());
  CHECK(memory.allocate(8_pages).has_value());
  CHECK_FALSE(memory.allocate(1_pages).has_value());
  CHECK_FALSE(memory.allocate_zeroed(1_pages).has_value());
}

TEST_CASE("memory that is asked to be zeroed is zero, even where it was used before") {
  GuestMemory memory({.size = 64_pages});
  const Pfn first = memory.allocate(2_pages).value();
  std::memset(memory.bytes(first, 0_B, 8_KiB)->data(), 0xEE, 8192);
  memory.free(first, 2_pages);
  const Pfn again = memory.allocate_zeroed(2_pages).value();
  REQUIRE(again == first);
  const std::span<std::byte> bytes = memory.bytes(again, 0_B, 8_KiB).value();
  for (const std::byte b : bytes) REQUIRE(b == std::byte{0});
}

TEST_CASE("bytes outside the frames handed out are an answer, not an access") {
  GuestMemory memory({.size = 64_pages});
  REQUIRE(memory.allocate(4_pages) == Pfn{1});
  struct Row {
    const char* situation;
    Pfn pfn;
    std::int64_t offset;
    std::int64_t length;
    bool answered;
  };
  for (const Row& row :
       {Row{"one byte", 1, 0, 1, true}, Row{"everything", 1, 0, 4 * 4096, true}, Row{"the last byte", 4, 4095, 1, true},
        Row{"nothing at the end", 4, 4096, 0, true}, Row{"an offset beyond the first page", 1, 8192, 4096, true},
        Row{"one byte too many", 1, 0, 4 * 4096 + 1, false}, Row{"one byte after the end", 4, 4096, 1, false},
        Row{"frame 0", 0, 0, 1, false}, Row{"a frame nobody was given", 5, 0, 1, false},
        Row{"a frame beyond the partition", 65, 0, 1, false},
        Row{"a PFN that overflows an address", ~Pfn{0}, 0, 1, false},
        Row{"a PFN that overflows to a good one", (Pfn{1} << 52) + 1, 0, 1, false},
        Row{"a negative offset", 2, -1, 1, false}, Row{"a negative length", 2, 0, -1, false},
        Row{"a length that overflows", 2, 1, INT64_MAX, false}}) {
    INFO(row.situation);
    CHECK(memory.bytes(row.pfn, {row.offset}, {row.length}).has_value() == row.answered);
  }
}

TEST_CASE("a host pointer into guest memory leads back to its frame") {
  GuestMemory memory({.size = 64_pages});
  const Pfn first = memory.allocate(3_pages).value();
  const std::span<std::byte> bytes = memory.bytes(first, 0_B, 12_KiB).value();
  CHECK(memory.address_of(&bytes[0]) == GuestAddress{first, 0_B});
  CHECK(memory.address_of(&bytes[4095]) == GuestAddress{first, 4095_B});
  CHECK(memory.address_of(&bytes[4096]) == GuestAddress{first + 1, 0_B});
  CHECK(memory.address_of(&bytes[12287]) == GuestAddress{first + 2, 4095_B});
  CHECK_FALSE(memory.address_of(bytes.data() + bytes.size()).has_value());
  CHECK_FALSE(memory.address_of(&memory).has_value());
}

TEST_CASE("the rings of ten thousand idle channels are hardly there") {
  // 128 KiB and a control page in each direction, and only the control pages touched: 20,000 pages, 78 MiB.
  const std::int64_t before = resident_pages();
  GuestMemory memory({.size = 1048576_pages});
  for (int ring = 0; ring < 20'000; ++ring) {
    const auto first = memory.allocate_zeroed(33_pages);
    REQUIRE(first.has_value());
    memory.bytes(*first, 0_B, 1_B)->front() = std::byte{1};
  }
  CHECK(resident_pages() - before >= 20'000);
  CHECK(resident_pages() - before < 25'000);
}

TEST_CASE("memory that is gone is given back to the host") {
  const std::int64_t before = resident_pages();
  for (int world = 0; world < 1000; ++world) {
    GuestMemory memory({.size = 1048576_pages});
    const Pfn first = memory.allocate(64_pages).value();
    std::memset(memory.bytes(first, 0_B, 256_KiB)->data(), 1, 256 * 1024);
  }
  CHECK(resident_pages() - before < 1000);
}
