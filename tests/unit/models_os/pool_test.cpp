// Pool blocks and memory descriptor lists.
// Source: the DDI pages of ExAllocatePool2, ExFreePoolWithTag, IoAllocateMdl, MmBuildMdlForNonPagedPool,
// MmGetSystemAddressForMdlSafe; WDK, "Using MDLs".
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::testing::Machine;

namespace {
constexpr ULONG pool_tag = 0x74736554;  // "Test"

/// Runs `body` in a thread of a new machine.
template <class Body>
void in_a_driver(const Body& body) {
  Machine machine;
  bool ended = false;
  machine.thread({}, [&] {
    body(machine);
    ended = true;
  });
  machine.run(1ms);
  CHECK(ended);
}
}  // namespace

TEST_CASE("ExAllocatePool2 zeroes a block, new or used before, unless it is told not to") {
  in_a_driver([](Machine&) {
    for (const SIZE_T size : {1u, 16u, 17u, 2048u, 2049u, 4096u, 100'000u}) {
      void* first = ExAllocatePool2(POOL_FLAG_NON_PAGED, size, pool_tag);
      RtlFillMemory(first, size, 0xFF);
      ExFreePoolWithTag(first, pool_tag);
      auto* second = static_cast<unsigned char*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, size, pool_tag));
      CHECK(std::all_of(second, second + size, [](unsigned char byte) { return byte == 0; }));
      ExFreePool(second);
    }
  });
}

TEST_CASE("blocks do not overlap; small ones are 16-byte aligned, whole pages page aligned") {
  in_a_driver([](Machine& machine) {
    std::vector<std::pair<std::uintptr_t, SIZE_T>> blocks;
    std::vector<void*> given;
    for (SIZE_T i = 1; i <= 400; ++i) {
      const SIZE_T size = i * i % 5'000 + 1;
      void* block = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, size, pool_tag);
      const auto address = reinterpret_cast<std::uintptr_t>(block);
      CHECK(address % (size >= PAGE_SIZE ? PAGE_SIZE : 16) == 0);
      blocks.emplace_back(address, size);
      given.push_back(block);
    }
    std::sort(blocks.begin(), blocks.end());
    for (std::size_t i = 1; i < blocks.size(); ++i)
      CHECK(blocks[i - 1].first + blocks[i - 1].second <= blocks[i].first);
    CHECK(machine.partition.pool().live_blocks() == 400);
    for (void* block : given) ExFreePool(block);
    CHECK(machine.partition.pool().live_blocks() == 0);
    CHECK(machine.found() == "");
  });
}

TEST_CASE("when the memory is used up the answer is a null pointer") {
  in_a_driver([](Machine& machine) {
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED, SIZE_T{5} << 30, pool_tag) == nullptr);
    CHECK(machine.found() == "");
  });
}

// Source: bug check 0xC2, BAD_POOL_CALLER.
TEST_CASE("freeing what is not allocated is a finding, whatever it is freed as") {
  in_a_driver([](Machine& machine) {
    void* block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, pool_tag);
    ExFreePool(static_cast<char*>(block) + 16);
    ExFreePool(block);
    ExFreePool(block);
    PMDL mdl = IoAllocateMdl(block, 64, FALSE, FALSE, nullptr);
    IoFreeMdl(mdl);
    IoFreeMdl(mdl);
    PIO_WORKITEM item = IoAllocateWorkItem(nullptr);
    IoFreeWorkItem(item);
    IoFreeWorkItem(item);
    CHECK(machine.findings.count("POOL") == 4);
    CHECK(machine.findings.all()[0].bug_check == BugCheck::bad_pool_caller);
    CHECK(machine.partition.pool().live_blocks() == 0);
  });
}

TEST_CASE("a descriptor list names the pages of its buffer and maps to the buffer itself") {
  in_a_driver([](Machine& machine) {
    auto* buffer = static_cast<char*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, 4 * PAGE_SIZE, pool_tag));
    const auto first = machine.partition.memory().address_of(buffer)->pfn;
    struct Row {
      ULONG offset;
      ULONG length;
      ULONG first_page;
      ULONG pages;
    };
    for (const Row& row : {Row{0, PAGE_SIZE, 0, 1}, Row{100, PAGE_SIZE, 0, 2}, Row{PAGE_SIZE - 1, 2, 0, 2},
                           Row{PAGE_SIZE, 2 * PAGE_SIZE, 1, 2}, Row{0, 4 * PAGE_SIZE, 0, 4}, Row{4095, 1, 0, 1}}) {
      INFO("offset " << row.offset << " length " << row.length);
      PMDL mdl = IoAllocateMdl(buffer + row.offset, row.length, FALSE, FALSE, nullptr);
      REQUIRE(mdl != nullptr);
      MmBuildMdlForNonPagedPool(mdl);
      CHECK(MmGetMdlByteCount(mdl) == row.length);
      CHECK(MmGetMdlVirtualAddress(mdl) == buffer + row.offset);
      CHECK(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == buffer + row.offset);
      for (ULONG page = 0; page < row.pages; ++page)
        CHECK(MmGetMdlPfnArray(mdl)[page] == first + row.first_page + page);
      IoFreeMdl(mdl);
    }
    ExFreePool(buffer);
    CHECK(machine.partition.pool().live_blocks() == 0);
  });
}

TEST_CASE("a descriptor list of scattered pages cannot be mapped in one piece") {
  in_a_driver([](Machine&) {
    auto* buffer = static_cast<char*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, 3 * PAGE_SIZE, pool_tag));
    PMDL mdl = IoAllocateMdl(buffer, 2 * PAGE_SIZE, FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(mdl);
    mdl->MdlFlags = 0;  // as a list whose pages were locked, not built from pool
    CHECK(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == buffer);
    MmUnmapLockedPages(buffer, mdl);
    ++MmGetMdlPfnArray(mdl)[1];  // the third page behind the first
    CHECK(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == nullptr);
    IoFreeMdl(mdl);
    ExFreePool(buffer);
  });
}
