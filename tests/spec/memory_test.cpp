// Pool, lookaside lists and memory descriptor lists, as drivers get them right and wrong.
// Source: the DDI pages of ExAllocatePool2, ExAllocatePoolWithTag, ExFreePoolWithTag, ExInitializeLookasideListEx,
// MmProbeAndLockPages, IoBuildPartialMdl, MmUnlockPages; bug checks 0x19, 0x1E, 0x40, 0xC2, 0xC4, 0xCB, 0xCC, 0xD1, 0xE4.
#include <catch2/catch.hpp>

#include <cstring>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::testing::Machine;

namespace {

constexpr ULONG tag = 0x74736554;  // "Test"

template <class Body>
void in_a_driver(Machine& machine, const Body& body) {
  bool ended = false;
  machine.thread({}, [&] {
    body();
    ended = true;
  });
  machine.run(1ms);
  CHECK(ended);
}

/// The text of every finding, a line each.
std::string told(const Machine& machine) {
  std::string out;
  for (const Finding& finding : machine.findings.all()) out += finding.text + "\n";
  return out;
}

char* block(SIZE_T size, POOL_FLAGS flags = POOL_FLAG_NON_PAGED) {
  return static_cast<char*>(ExAllocatePool2(flags, size, tag));
}

}  // namespace

TEST_CASE("a block is freed with its own tag or with none") {
  Machine machine;
  in_a_driver(machine, [&] {
    ExFreePoolWithTag(block(10), tag);
    ExFreePoolWithTag(block(10), 0);
    ExFreePool(ExAllocatePoolZero(NonPagedPoolNx, 10, tag));
    CHECK(machine.found() == "");
    ExFreePoolWithTag(block(10), 0x6B6E7542);
  });
  CHECK(machine.found() == "0xC2 at 0ns guest.cpu0 at passive\n");
  CHECK(told(machine) == "a block with tag 'Test' was freed with tag 'Bunk'\n");
}

TEST_CASE("bytes written behind a block are found when it is freed") {
  Machine machine;
  in_a_driver(machine, [&] {
    for (const SIZE_T size : {1u, 16u, 100u, 2048u, 4095u, 5000u}) {
      INFO(size);
      const auto before = machine.findings.count("POOL");
      char* good = block(size);
      std::memset(good, 0x55, size);
      ExFreePool(good);
      CHECK(machine.findings.count("POOL") == before);
      char* bad = block(size);
      bad[size] = 0x55;
      ExFreePool(bad);
      CHECK(machine.findings.count("POOL") == before + 1);
    }
  });
  CHECK(machine.findings.all()[0].bug_check == BugCheck::bad_pool_header);
}

TEST_CASE("ExAllocatePool2 refuses flags and tags that are not valid") {
  Machine machine;
  in_a_driver(machine, [&] {
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED, 10, 0) == nullptr);
    CHECK(ExAllocatePool2(0, 10, tag) == nullptr);
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED, 10, tag) == nullptr);
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED | 0x80000000, 10, tag) == nullptr);
    CHECK(machine.found() == "");
    CHECK(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, SIZE_T{5} << 30, tag) == nullptr);
  });
  CHECK(machine.found() == "0x1E at 0ns guest.cpu0 at passive\n");
}

TEST_CASE("a block of 0 bytes is what Driver Verifier reports") {
  Machine machine;
  in_a_driver(machine, [&] { ExFreePool(ExAllocatePoolWithTag(NonPagedPoolNx, 0, tag)); });
  CHECK(machine.found() == "0xC4 at 0ns guest.cpu0 at passive\n");
}

TEST_CASE("paged pool is allocated and freed up to APC_LEVEL only") {
  Machine machine;
  in_a_driver(machine, [&] {
    char* paged = block(10, POOL_FLAG_PAGED);
    char* other = block(10);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    ExFreePool(other);
    CHECK(machine.found() == "");
    ExFreePool(paged);
    KeLowerIrql(before);
  });
  CHECK(machine.found() == "0xC4 at 0ns guest.cpu0 at dispatch\n");
}

TEST_CASE("touching paged pool at DISPATCH_LEVEL is bug check 0xD1 unless its pages are locked") {
  Machine machine;
  in_a_driver(machine, [&] {
    char* paged = block(6000, POOL_FLAG_PAGED);
    char* other = block(6000);
    machine.partition.touch(paged, 6000, "the driver");
    PMDL mdl = IoAllocateMdl(paged, 6000, FALSE, FALSE, nullptr);
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    machine.partition.touch(paged, 6000, "the driver");
    machine.partition.touch(other, 6000, "the driver");
    MmUnlockPages(mdl);
    CHECK(machine.found() == "");
    machine.partition.touch(paged, 1, "the driver");
    KeLowerIrql(before);
    IoFreeMdl(mdl);
  });
  CHECK(machine.found() == "0xD1 at 0ns guest.cpu0 at dispatch\n");
}

TEST_CASE("touching bytes beyond a block, or a block that was freed, is a finding") {
  Machine machine;
  in_a_driver(machine, [&] {
    char* good = block(100);
    int local = 0;
    machine.partition.touch(good + 50, 50, "the driver");
    machine.partition.touch(good + 100, 0, "the driver");
    machine.partition.touch(&local, sizeof local, "the driver");
    CHECK(machine.found() == "");
    machine.partition.touch(good + 50, 51, "the driver");
    ExFreePool(good);
    machine.partition.touch(good, 1, "the driver");
  });
  CHECK(machine.found() == "0x19 at 0ns guest.cpu0 at passive\n0xCC at 0ns guest.cpu0 at passive\n");
}

TEST_CASE("pageable code above APC_LEVEL is a finding that names the routine") {
  Machine machine;
  in_a_driver(machine, [&] {
    PAGED_CODE();
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    CHECK(machine.found() == "");
    PAGED_CODE();
    KeLowerIrql(before);
  });
  CHECK(machine.found() == "0xA at 0ns guest.cpu0 at dispatch\n");
}

TEST_CASE("at unload everything that was not given back is told, by tag") {
  Machine machine;
  char* kept = nullptr;
  PMDL mdl = nullptr;
  PIO_WORKITEM item = nullptr;
  HANDLE handle = nullptr;
  KTIMER timer;
  machine.thread({}, [&] {
    kept = block(100);
    block(28);
    ExAllocatePoolWithTag(NonPagedPoolNx, 5000, 0x6B6E7542);
    mdl = IoAllocateMdl(kept, 100, FALSE, FALSE, nullptr);
    item = IoAllocateWorkItem(nullptr);
    KeInitializeTimer(&timer);
    LARGE_INTEGER due;
    due.QuadPart = -100'000'000;
    KeSetTimer(&timer, due, nullptr);
    PsCreateSystemThread(
        &handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr,
        [](PVOID) {
          LARGE_INTEGER span;
          span.QuadPart = -100'000;
          KeDelayExecutionThread(KernelMode, FALSE, &span);
        },
        nullptr);
  });
  machine.run(1ms);
  machine.partition.report_leaks("mydriver");
  CHECK(told(machine) ==
        "not freed: memory descriptor lists (1, 56 bytes)\n"
        "not freed: work items (1, 56 bytes)\n"
        "not freed: pool blocks with tag 'Bunk' (1, 5000 bytes)\n"
        "not freed: pool blocks with tag 'Test' (2, 128 bytes)\n"
        "still set: timers (1)\n"
        "still running: system threads (1)\n");
  CHECK(machine.findings.all()[0].where == "mydriver");
  machine.run(20ms);
  machine.partition.report_leaks("mydriver");
  CHECK(machine.findings.all().back().text == "still referenced, or with open handles: ended threads (1)");
}

TEST_CASE("a driver that gave everything back leaves nothing to tell") {
  Machine machine;
  in_a_driver(machine, [&] {
    char* buffer = block(100);
    PMDL mdl = IoAllocateMdl(buffer, 100, FALSE, FALSE, nullptr);
    IoFreeMdl(mdl);
    ExFreePool(buffer);
    IoFreeWorkItem(IoAllocateWorkItem(nullptr));
    HANDLE handle;
    PsCreateSystemThread(
        &handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr, [](PVOID) {}, nullptr);
    ZwClose(handle);
  });
  machine.partition.report_leaks("mydriver");
  CHECK(machine.found() == "");
}

// ---- Work items in the driver's own memory ----

TEST_CASE("an executive work item runs its routine, may be freed by it, and is found in a block freed too early") {
  Machine machine;
  in_a_driver(machine, [&] {
    auto* item = reinterpret_cast<WORK_QUEUE_ITEM*>(block(sizeof(WORK_QUEUE_ITEM)));
    ExInitializeWorkItem(
        item, [](PVOID self) { ExFreePool(self); }, item);
    ExQueueWorkItem(item, DelayedWorkQueue);
    machine.burn(1us);
    auto* early = reinterpret_cast<WORK_QUEUE_ITEM*>(block(sizeof(WORK_QUEUE_ITEM)));
    ExInitializeWorkItem(
        early, [](PVOID) { FAIL("freed"); }, nullptr);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    ExQueueWorkItem(early, DelayedWorkQueue);
    ExFreePool(early);
    KeLowerIrql(before);
  });
  CHECK(machine.found() == "0xE4 at 1000ns guest.cpu0 at dispatch\n");
  CHECK(machine.partition.pool().live_blocks() == 0);
}

TEST_CASE("an extended work item is handed to its routine, which frees it") {
  Machine machine;
  in_a_driver(machine, [&] {
    PIO_WORKITEM item = IoAllocateWorkItem(nullptr);
    IoQueueWorkItemEx(
        item,
        [](PVOID, PVOID context, PIO_WORKITEM self) {
          static_cast<Machine*>(context)->note("routine");
          IoFreeWorkItem(self);
        },
        CriticalWorkQueue, &machine);
  });
  CHECK(machine.timeline() == "0ns cpu0 passive routine\n");
  CHECK(machine.partition.pool().live_blocks() == 0);
  CHECK(machine.found() == "");
}

// ---- Lookaside lists. Source: WDK, "Using Lookaside Lists" ----

TEST_CASE("a lookaside list gives freed blocks out again and frees them when it is deleted") {
  Machine machine;
  in_a_driver(machine, [&] {
    NPAGED_LOOKASIDE_LIST list;
    ExInitializeNPagedLookasideList(&list, nullptr, nullptr, 0, 100, tag, 0);
    void* first = ExAllocateFromNPagedLookasideList(&list);
    void* second = ExAllocateFromNPagedLookasideList(&list);
    ExFreeToNPagedLookasideList(&list, first);
    CHECK(ExAllocateFromNPagedLookasideList(&list) == first);
    CHECK(list.L.AllocateMisses == 2);
    CHECK(machine.partition.pool().by_tag().at(tag).blocks == 2);
    ExFreeToNPagedLookasideList(&list, first);
    ExFreeToNPagedLookasideList(&list, second);
    CHECK(machine.partition.pool().live_blocks() == 2);
    CHECK(machine.found() == "");
    ExFreeToNPagedLookasideList(&list, second);  // again
    ExDeleteNPagedLookasideList(&list);
    CHECK(machine.partition.pool().live_blocks() == 0);
  });
  CHECK(machine.found() == "0xC2 at 0ns guest.cpu0 at passive\n");
}

TEST_CASE("a lookaside list keeps 256 blocks and no more") {
  Machine machine;
  in_a_driver(machine, [&] {
    LOOKASIDE_LIST_EX list;
    REQUIRE(ExInitializeLookasideListEx(&list, nullptr, nullptr, NonPagedPoolNx, 0, 64, tag, 0) == STATUS_SUCCESS);
    std::vector<void*> blocks;
    for (int i = 0; i < 300; ++i) blocks.push_back(ExAllocateFromLookasideListEx(&list));
    for (void* each : blocks) ExFreeToLookasideListEx(&list, each);
    CHECK(machine.partition.pool().live_blocks() == 256);
    ExFlushLookasideListEx(&list);
    CHECK(machine.partition.pool().live_blocks() == 0);
    ExDeleteLookasideListEx(&list);
  });
  CHECK(machine.found() == "");
}

TEST_CASE("a lookaside list calls the driver's own routines, and refuses parameters that are not valid") {
  Machine machine;
  in_a_driver(machine, [&] {
    LOOKASIDE_LIST_EX list;
    CHECK(ExInitializeLookasideListEx(&list, nullptr, nullptr, static_cast<POOL_TYPE>(77), 0, 64, tag, 0) ==
          STATUS_INVALID_PARAMETER_4);
    CHECK(ExInitializeLookasideListEx(&list, nullptr, nullptr, PagedPool, 3, 64, tag, 0) == STATUS_INVALID_PARAMETER_5);
    static int allocated, freed;
    allocated = freed = 0;
    ExInitializeLookasideListEx(
        &list,
        [](POOL_TYPE type, SIZE_T bytes, ULONG own_tag, PLOOKASIDE_LIST_EX) {
          ++allocated;
          return ExAllocatePoolWithTag(type, bytes, own_tag);
        },
        [](PVOID buffer, PLOOKASIDE_LIST_EX) {
          ++freed;
          ExFreePool(buffer);
        },
        NonPagedPoolNx, 0, 64, tag, 0);
    void* one = ExAllocateFromLookasideListEx(&list);
    ExFreeToLookasideListEx(&list, one);
    ExDeleteLookasideListEx(&list);
    CHECK(allocated == 1);
    CHECK(freed == 1);
  });
  CHECK(machine.found() == "");
}

TEST_CASE("a paged lookaside list is for APC_LEVEL and below") {
  Machine machine;
  in_a_driver(machine, [&] {
    PAGED_LOOKASIDE_LIST list;
    ExInitializePagedLookasideList(&list, nullptr, nullptr, 0, 64, tag, 0);
    void* one = ExAllocateFromPagedLookasideList(&list);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    CHECK(machine.found() == "");
    ExFreeToPagedLookasideList(&list, one);
    KeLowerIrql(before);
    ExDeletePagedLookasideList(&list);
  });
  CHECK(machine.found() == "0xC4 at 0ns guest.cpu0 at dispatch\n");
}

// ---- Memory descriptor lists. Source: WDK, "Using MDLs" ----

TEST_CASE("a partial list describes part of another by the same pages") {
  Machine machine;
  in_a_driver(machine, [&] {
    char* buffer = block(4 * PAGE_SIZE);
    PMDL whole = IoAllocateMdl(buffer + 100, 3 * PAGE_SIZE, FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(whole);
    PMDL part = IoAllocateMdl(buffer, 2 * PAGE_SIZE, FALSE, FALSE, nullptr);
    IoBuildPartialMdl(whole, part, buffer + PAGE_SIZE + 50, 5000);
    CHECK(MmGetMdlByteCount(part) == 5000);
    CHECK(MmGetMdlVirtualAddress(part) == buffer + PAGE_SIZE + 50);
    CHECK(MmGetMdlPfnArray(part)[0] == MmGetMdlPfnArray(whole)[1]);
    CHECK(MmGetMdlPfnArray(part)[1] == MmGetMdlPfnArray(whole)[2]);
    CHECK(MmGetSystemAddressForMdlSafe(part, NormalPagePriority) == buffer + PAGE_SIZE + 50);
    MmPrepareMdlForReuse(part);
    IoBuildPartialMdl(whole, part, buffer + 2 * PAGE_SIZE + 100, 0);  // all that follow
    CHECK(MmGetMdlByteCount(part) == PAGE_SIZE);
    CHECK(machine.found() == "");
    IoBuildPartialMdl(whole, part, buffer + 100, 3 * PAGE_SIZE);
    IoBuildPartialMdl(whole, part, buffer, 10);
    IoFreeMdl(part);
    IoFreeMdl(whole);
    ExFreePool(buffer);
  });
  CHECK(machine.found() == "0x40 at 0ns guest.cpu0 at passive\n0xC4 at 0ns guest.cpu0 at passive\n");
}

TEST_CASE("locked pages are unlocked once, before the list is freed") {
  Machine machine;
  in_a_driver(machine, [&] {
    char* buffer = block(PAGE_SIZE, POOL_FLAG_PAGED);
    PMDL mdl = IoAllocateMdl(buffer, PAGE_SIZE, FALSE, FALSE, nullptr);
    MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    CHECK((mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION)) == MDL_PAGES_LOCKED);
    CHECK(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == buffer);
    MmUnlockPages(mdl);
    CHECK((mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) == 0);
    MmProbeAndLockPages(mdl, KernelMode, IoModifyAccess);
    CHECK((mdl->MdlFlags & MDL_WRITE_OPERATION) != 0);
    MmUnlockPages(mdl);
    CHECK(machine.found() == "");
    MmUnlockPages(mdl);
    MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    IoFreeMdl(mdl);
    ExFreePool(buffer);
  });
  CHECK(machine.found() ==
        "0xC4 at 0ns guest.cpu0 at passive\n0xC4 at 0ns guest.cpu0 at passive\n0xCB at 0ns guest.cpu0 at passive\n");
}

TEST_CASE("a list over paged pool or over no pool at all is not built as nonpaged") {
  Machine machine;
  in_a_driver(machine, [&] {
    char* paged = block(100, POOL_FLAG_PAGED);
    char local[16];
    PMDL over_paged = IoAllocateMdl(paged, 100, FALSE, FALSE, nullptr);
    PMDL over_stack = IoAllocateMdl(local, sizeof local, FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(over_paged);
    MmBuildMdlForNonPagedPool(over_stack);
    MmProbeAndLockPages(over_stack, KernelMode, IoReadAccess);
    CHECK((over_stack->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL)) == 0);
  });
  CHECK(machine.found() ==
        "0xC4 at 0ns guest.cpu0 at passive\n0xC4 at 0ns guest.cpu0 at passive\n0x1E at 0ns guest.cpu0 at passive\n");
}
