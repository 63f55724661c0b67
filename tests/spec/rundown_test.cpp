// Remove locks, rundown protection, queued spin locks and lists that guard themselves; which IRQLs calls are legal at.
// Source: WDK, "Using Remove Locks", "Run-Down Protection", "Queued Spin Locks"; the DDI page of each call.
#include <catch2/catch.hpp>

#include <array>
#include <functional>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::testing::Machine;
using vmbsim::testing::timeline;

TEST_CASE("the removal waits for everybody who holds the remove lock, and nobody gets it afterwards") {
  Machine machine({.cpus = 2});
  IO_REMOVE_LOCK lock;
  machine.thread({.cpu = 0}, [&] {
    IoInitializeRemoveLock(&lock, 0, 0, 0);
    CHECK(IoAcquireRemoveLock(&lock, nullptr) == STATUS_SUCCESS);
    machine.burn(10us);
    CHECK(IoAcquireRemoveLock(&lock, nullptr) == STATUS_DELETE_PENDING);
    machine.note("released");
    IoReleaseRemoveLock(&lock, nullptr);
  });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(1us);
    CHECK(IoAcquireRemoveLock(&lock, &lock) == STATUS_SUCCESS);
    IoReleaseRemoveLockAndWait(&lock, &lock);
    machine.note("removed");
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline("10000ns cpu0 passive released\n 10000ns cpu1 passive removed"));
  CHECK(machine.found() == "");
}

TEST_CASE("a remove lock released more often than it was acquired is a finding") {
  Machine machine;
  machine.thread({}, [&] {
    IO_REMOVE_LOCK lock;
    IoInitializeRemoveLock(&lock, 0, 0, 0);
    CHECK(NT_SUCCESS(IoAcquireRemoveLock(&lock, nullptr)));
    IoReleaseRemoveLock(&lock, nullptr);
    CHECK(machine.found() == "");
    IoReleaseRemoveLock(&lock, nullptr);
  });
  machine.run(1ms);
  CHECK(machine.found() == "0xC4 at 0ns guest.cpu0 at passive\n");
}

TEST_CASE("a rundown waits for every reference, and none is granted until it is initialised anew") {
  Machine machine({.cpus = 2});
  EX_RUNDOWN_REF ref;
  ExInitializeRundownProtection(&ref);
  machine.thread({.cpu = 0}, [&] {
    CHECK(ExAcquireRundownProtection(&ref));
    CHECK(ExAcquireRundownProtectionEx(&ref, 2));
    machine.burn(10us);
    CHECK_FALSE(ExAcquireRundownProtection(&ref));
    ExReleaseRundownProtection(&ref);
    machine.burn(10us);
    machine.note("last");
    ExReleaseRundownProtectionEx(&ref, 2);
  });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(1us);
    ExWaitForRundownProtectionRelease(&ref);
    machine.note("over");
    CHECK_FALSE(ExAcquireRundownProtection(&ref));
    ExWaitForRundownProtectionRelease(&ref);  // at once
    ExRundownCompleted(&ref);
    ExReInitializeRundownProtection(&ref);
    CHECK(ExAcquireRundownProtection(&ref));
    ExReleaseRundownProtection(&ref);
    CHECK(machine.found() == "");
    ExReleaseRundownProtection(&ref);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline("20000ns cpu0 passive last\n 20000ns cpu1 passive over"));
  CHECK(machine.found() == "0xC4 at 20000ns guest.cpu1 at passive\n");
}

// ---- Queued spin locks ----

TEST_CASE("a queued lock goes to processors in the order of their arrival, interrupted or not") {
  for (const bool queued : {true, false}) {
    INFO(queued);
    Machine machine({.cpus = 3});
    KSPIN_LOCK lock = 0;
    const auto hold = [&](const char* name) {
      KLOCK_QUEUE_HANDLE handle;
      KIRQL before = PASSIVE_LEVEL;
      if (queued)
        KeAcquireInStackQueuedSpinLock(&lock, &handle);
      else
        before = KeAcquireSpinLockRaiseToDpc(&lock);
      machine.work(name, 10us);
      if (queued)
        KeReleaseInStackQueuedSpinLock(&handle);
      else
        KeReleaseSpinLock(&lock, before);
      CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    };
    auto& line = machine.line([&] { machine.burn(5us); });
    machine.thread({.cpu = 0}, [&] { hold("a"); });
    machine.thread_at(1us, {.cpu = 1}, [&] { hold("b"); });
    machine.thread_at(2us, {.cpu = 2}, [&] { hold("c"); });
    machine.interrupt_at(8us, line, 1);
    machine.run(1ms);
    const auto turn = [](int from, int cpu, const std::string& name) {
      const std::string who = "ns cpu" + std::to_string(cpu) + " dispatch " + name;
      return std::to_string(1000 * from) + who + "\n" + std::to_string(1000 * (from + 10)) + who + " done\n";
    };
    CHECK(machine.timeline() == timeline(queued ? turn(0, 0, "a") + turn(13, 1, "b") + turn(23, 2, "c")
                                                : turn(0, 0, "a") + turn(10, 2, "c") + turn(20, 1, "b")));
    CHECK(KeTestSpinLock(&lock));
    CHECK(machine.found() == "");
    CHECK(machine.accounts_are_complete());
  }
}

TEST_CASE("a queued lock acquired again by its owner, or released unowned, is a finding") {
  Machine machine;
  KSPIN_LOCK lock = 0;
  machine.thread({}, [&] {
    KLOCK_QUEUE_HANDLE one, two;
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    KeAcquireInStackQueuedSpinLockAtDpcLevel(&lock, &one);
    KeAcquireInStackQueuedSpinLockAtDpcLevel(&lock, &two);
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&one);
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&one);
    KeLowerIrql(before);
    KeAcquireInStackQueuedSpinLockForDpc(&lock, &one);
    CHECK(KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeReleaseInStackQueuedSpinLockForDpc(&one);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
  });
  machine.run(1ms);
  CHECK(machine.found() == "0xF at 0ns guest.cpu0 at dispatch\n0x10 at 0ns guest.cpu0 at dispatch\n");
}

// ---- Lists that guard themselves ----

TEST_CASE("interlocked lists answer what was first or last before, at any IRQL") {
  Machine machine;
  KSPIN_LOCK lock = 0;
  LIST_ENTRY head, one, two, three;
  SINGLE_LIST_ENTRY top{nullptr}, a{nullptr}, b{nullptr};
  InitializeListHead(&head);
  auto& line = machine.line([&] {
    CHECK(ExInterlockedInsertTailList(&head, &one, &lock) == nullptr);
    CHECK(ExInterlockedInsertTailList(&head, &two, &lock) == &one);
    CHECK(ExInterlockedInsertHeadList(&head, &three, &lock) == &one);
    CHECK(ExInterlockedRemoveHeadList(&head, &lock) == &three);
    CHECK(ExInterlockedRemoveHeadList(&head, &lock) == &one);
    CHECK(ExInterlockedRemoveHeadList(&head, &lock) == &two);
    CHECK(ExInterlockedRemoveHeadList(&head, &lock) == nullptr);
    CHECK(ExInterlockedPushEntryList(&top, &a, &lock) == nullptr);
    CHECK(ExInterlockedPushEntryList(&top, &b, &lock) == &a);
    CHECK(ExInterlockedPopEntryList(&top, &lock) == &b);
    machine.note("done");
  });
  machine.interrupt_at(1us, line);
  machine.run(1ms);
  CHECK(machine.timeline() == "1000ns cpu0 device done\n");
  CHECK(machine.found() == "");
  CHECK(lock == 0);
}

// ---- The documented levels ----

TEST_CASE("each call is legal up to its documented IRQL and a finding above it") {
  static KEVENT event;
  static KSEMAPHORE semaphore;
  static KMUTEX mutex;
  static KTIMER timer;
  static EX_RUNDOWN_REF ref;
  static IO_REMOVE_LOCK lock;
  static FAST_MUTEX fast;
  static WCHAR room[8];
  static UNICODE_STRING string{0, sizeof room, room};
  struct Row {
    const char* call;
    KIRQL highest;
    std::function<void()> body;
  };
  const Row rows[] = {
      {"KeSetEvent", DISPATCH_LEVEL, [] { KeSetEvent(&event, 0, FALSE); }},
      {"KeSetEvent, a wait follows", APC_LEVEL, [] { KeSetEvent(&event, 0, TRUE); }},
      {"KeClearEvent", DISPATCH_LEVEL, [] { KeClearEvent(&event); }},
      {"KeResetEvent", DISPATCH_LEVEL, [] { KeResetEvent(&event); }},
      {"KeReadStateEvent", DISPATCH_LEVEL, [] { KeReadStateEvent(&event); }},
      {"KeReleaseSemaphore", DISPATCH_LEVEL, [] { KeReleaseSemaphore(&semaphore, 0, 1, FALSE); }},
      {"KeReleaseSemaphore, a wait follows", APC_LEVEL, [] { KeReleaseSemaphore(&semaphore, 0, 1, TRUE); }},
      {"KeReadStateMutex", DISPATCH_LEVEL, [] { KeReadStateMutex(&mutex); }},
      {"ExInitializeFastMutex", DISPATCH_LEVEL, [] { ExInitializeFastMutex(&fast); }},
      {"ExTryToAcquireFastMutex", APC_LEVEL,
       [] {
         if (ExTryToAcquireFastMutex(&fast)) ExReleaseFastMutex(&fast);
       }},
      {"KeEnterCriticalRegion", APC_LEVEL,
       [] {
         KeEnterCriticalRegion();
         if (KeGetCurrentIrql() <= APC_LEVEL) KeLeaveCriticalRegion();
       }},
      {"KeSetCoalescableTimer", DISPATCH_LEVEL,
       [] { KeSetCoalescableTimer(&timer, LARGE_INTEGER{.QuadPart = -10}, 0, 0, nullptr); }},
      {"KeCancelTimer", DISPATCH_LEVEL, [] { KeCancelTimer(&timer); }},
      {"KeReadStateTimer", DISPATCH_LEVEL, [] { KeReadStateTimer(&timer); }},
      {"IoInitializeRemoveLock", PASSIVE_LEVEL, [] { IoInitializeRemoveLock(&lock, 0, 0, 0); }},
      {"IoAcquireRemoveLock", DISPATCH_LEVEL, [] { static_cast<void>(IoAcquireRemoveLock(&lock, nullptr)); }},
      {"IoReleaseRemoveLockAndWait", PASSIVE_LEVEL,
       [] {
         lock.IoCount = 2;
         IoReleaseRemoveLockAndWait(&lock, nullptr);
       }},
      {"ExAcquireRundownProtection", DISPATCH_LEVEL, [] { static_cast<void>(ExAcquireRundownProtection(&ref)); }},
      {"ExReleaseRundownProtection", DISPATCH_LEVEL,
       [] {
         ref.Count = 2;
         ExReleaseRundownProtection(&ref);
       }},
      {"ExWaitForRundownProtectionRelease", APC_LEVEL,
       [] {
         ref.Count = 0;
         ExWaitForRundownProtectionRelease(&ref);
       }},
      {"IoAllocateMdl", DISPATCH_LEVEL, [] { static_cast<void>(IoAllocateMdl(room, 1, FALSE, FALSE, nullptr)); }},
      {"IoAllocateWorkItem", DISPATCH_LEVEL, [] { static_cast<void>(IoAllocateWorkItem(nullptr)); }},
      {"KeFlushQueuedDpcs", PASSIVE_LEVEL, [] { KeFlushQueuedDpcs(); }},
      {"KeQueryPriorityThread", PASSIVE_LEVEL, [] { KeQueryPriorityThread(KeGetCurrentThread()); }},
      {"RtlCopyUnicodeString", DISPATCH_LEVEL, [] { RtlCopyUnicodeString(&string, &string); }},
      {"RtlCompareUnicodeString", PASSIVE_LEVEL, [] { RtlCompareUnicodeString(&string, &string, TRUE); }},
  };
  for (const Row& row : rows) {
    INFO(row.call);
    for (const KIRQL level :
         {KIRQL{PASSIVE_LEVEL}, KIRQL{APC_LEVEL}, KIRQL{DISPATCH_LEVEL}, KIRQL{DISPATCH_LEVEL + 3}}) {
      INFO("IRQL " << int{level});
      Machine machine;
      machine.thread({}, [&] {
        KeInitializeEvent(&event, SynchronizationEvent, FALSE);
        KeInitializeSemaphore(&semaphore, 0, 9);
        KeInitializeMutex(&mutex, 0);
        KeInitializeTimer(&timer);
        ExInitializeRundownProtection(&ref);
        IoInitializeRemoveLock(&lock, 0, 0, 0);
        ExInitializeFastMutex(&fast);
        KIRQL before;
        KeRaiseIrql(level, &before);
        row.body();
        KeLowerIrql(before);
      });
      machine.run(1us);
      CHECK((machine.findings.count("IRQL") != 0) == (level > row.highest));
      CHECK(machine.findings.all().size() == machine.findings.count("IRQL"));
    }
  }
}
