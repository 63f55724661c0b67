#include "models/vmbus/gpadl.hpp"

#include <catch2/catch.hpp>
#include <numeric>

#include "models/vmbus/ring.hpp"

using namespace vmbsim;
using namespace vmbsim::vmbus;

namespace {
std::vector<hw::Pfn> frames(hw::Pfn first, std::size_t count) {
  std::vector<hw::Pfn> pfns(count);
  std::iota(pfns.begin(), pfns.end(), first);
  return pfns;
}
Gpadl pages(std::size_t count) {
  return {.byte_offset = {}, .length = Pages{static_cast<std::int64_t>(count)}.bytes(), .pfns = frames(1, count)};
}
}  // namespace

TEST_CASE("a handle finds its memory until it is torn down, and names one piece of memory at a time") {
  GpadlTable table({});
  const GpadlHandle first{1}, second{2};
  CHECK(table.create(first, pages(4)) == GpadlTable::CreateAnswer{first});
  CHECK(table.create(second, pages(2)) == GpadlTable::CreateAnswer{second});
  CHECK(table.create(first, pages(1)) == GpadlTable::CreateAnswer{GpadlTable::Malformed{}});
  CHECK(table.create(GpadlHandle{}, pages(1)) == GpadlTable::CreateAnswer{GpadlTable::Malformed{}});
  REQUIRE(table.find(first) != nullptr);
  CHECK(table.find(first)->pfns.size() == 4);
  CHECK(table.shared() == 24_KiB);
  CHECK(table.tear_down(first));
  CHECK(table.find(first) == nullptr);
  CHECK_FALSE(table.tear_down(first));
  CHECK(table.shared() == 8_KiB);
  CHECK(table.count() == 1);
  CHECK(table.create(first, pages(1)) == GpadlTable::CreateAnswer{first});
  CHECK(table.find(GpadlHandle{0}) == nullptr);
}

// Source: Linux, Documentation/virt/hyperv/vmbus.rst: about 1280 MiB of shared memory for each guest.
TEST_CASE("a guest shares 1280 MiB and not a page more") {
  GpadlTable table({});
  const std::size_t quarter = 320u << 8;  // pages in 320 MiB
  for (std::uint32_t i = 1; i <= 4; ++i)
    REQUIRE(std::holds_alternative<GpadlHandle>(table.create(GpadlHandle{i}, pages(quarter))));
  CHECK(table.shared() == 1280_MiB);
  CHECK(table.create(GpadlHandle{5}, pages(1)) == GpadlTable::CreateAnswer{GpadlTable::OverLimit{4_KiB}});
  CHECK(table.tear_down(GpadlHandle{1}));
  CHECK(std::holds_alternative<GpadlHandle>(table.create(GpadlHandle{5}, pages(1))));
}

// Source: Linux, struct gpa_range; EMCL: 20 bits of PFN count.
TEST_CASE("a description that contradicts itself is refused") {
  struct Row {
    const char* situation;
    std::int64_t offset;
    std::int64_t length;
    std::size_t pfns;
    bool accepted;
  };
  for (const Row& row : {Row{"one page", 0, 4096, 1, true}, Row{"one byte", 4095, 1, 1, true},
                         Row{"two bytes on two pages", 4095, 2, 2, true}, Row{"no bytes", 0, 0, 1, false},
                         Row{"no pages", 0, 4096, 0, false}, Row{"a page too few", 1, 4096, 1, false},
                         Row{"a page too many", 0, 4096, 2, false}, Row{"an offset of a page", 4096, 1, 2, false},
                         Row{"a negative offset", -1, 4096, 1, false},
                         Row{"the most pages", 0, 0xFFFFF * std::int64_t{4096}, 0xFFFFF, true},
                         Row{"one page more than that", 0, 0x100000 * std::int64_t{4096}, 0x100000, false}}) {
    INFO(row.situation);
    GpadlTable table({.limit = {std::int64_t{1} << 40}});
    const auto answer = table.create(
        GpadlHandle{1}, {.byte_offset = {row.offset}, .length = {row.length}, .pfns = frames(1, row.pfns)});
    CHECK(std::holds_alternative<GpadlHandle>(answer) == row.accepted);
    CHECK(std::holds_alternative<GpadlTable::Malformed>(answer) == !row.accepted);
  }
}

// Source: Linux, vmbus_channel_open message: downstream ring at a page offset of the one GPADL; upstream ring at 0.
TEST_CASE("two rings lie one after the other in one GPADL") {
  hw::GuestMemory memory({.size = 64_pages});
  const hw::Pfn first = memory.allocate_zeroed(8_pages).value();
  const Gpadl gpadl{.byte_offset = {}, .length = 32_KiB, .pfns = frames(first, 8)};
  const auto upstream = map(memory, gpadl, 0_B, 16_KiB);
  const auto downstream = map(memory, gpadl, 16_KiB, 16_KiB);
  REQUIRE((upstream && downstream));
  CHECK(downstream->data() == upstream->data() + 16384);
  CHECK(RingMemory::in(*upstream)->size() == 12_KiB);
}

TEST_CASE("memory that a GPADL does not describe, or that is not there, is not mapped") {
  hw::GuestMemory memory({.size = 64_pages});
  const hw::Pfn first = memory.allocate(4_pages).value();
  const Gpadl good{.byte_offset = 16_B, .length = 8_KiB, .pfns = frames(first, 3)};
  CHECK(map(memory, good, 0_B, 8_KiB)->data() == memory.bytes(first, 16_B, 1_B)->data());
  CHECK_FALSE(map(memory, good, 1_B, 8_KiB).has_value());
  CHECK_FALSE(map(memory, good, Bytes{-1}, 1_B).has_value());
  CHECK_FALSE(map(memory, {.byte_offset = {}, .length = 8_KiB, .pfns = {first, first + 2}}, 0_B, 8_KiB).has_value());
  CHECK_FALSE(map(memory, {.byte_offset = {}, .length = 8_KiB, .pfns = frames(first + 3, 2)}, 0_B, 8_KiB).has_value());
}
