// Semaphores, mutexes, waits for several objects, and threads as objects to wait for.
// Source: the DDI pages of KeReleaseSemaphore, KeReleaseMutex, KeWaitForMultipleObjects, ExAcquireFastMutex,
// KeAcquireGuardedMutex, ObReferenceObjectByHandle, ZwClose, KeSetPriorityThread; bug checks 0x0C, 0x11, 0x18, 0x20, 0x93.
#include <catch2/catch.hpp>

#include <array>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::testing::Machine;
using vmbsim::testing::timeline;

namespace {

NTSTATUS wait_for(PVOID object) { return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, nullptr); }
NTSTATUS look_at(PVOID object) {
  LARGE_INTEGER now{};
  return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &now);
}
template <std::size_t N>
NTSTATUS wait_for(WAIT_TYPE type, std::array<PVOID, N> objects, LONGLONG timeout = 1) {
  KWAIT_BLOCK blocks[N];
  LARGE_INTEGER value;
  value.QuadPart = timeout;
  return KeWaitForMultipleObjects(N, objects.data(), type, Executive, KernelMode, FALSE,
                                  timeout <= 0 ? &value : nullptr, blocks);
}
std::string text(NTSTATUS status) { return std::to_string(status); }

}  // namespace

// ---- Semaphores ----

TEST_CASE("a semaphore lets as many waits through as it counts, and a release lets through as many more") {
  Machine machine({.cpus = 4});
  KSEMAPHORE semaphore;
  KeInitializeSemaphore(&semaphore, 1, 4);
  for (std::uint32_t i = 0; i < 4; ++i)
    machine.thread({.cpu = i}, [&, i] {
      machine.burn(Duration{1000 * i});
      wait_for(&semaphore);
      machine.note("through");
    });
  machine.thread_at(10us, {.cpu = 0}, [&] { CHECK(KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 2, FALSE) == 0); });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  passive  through
    10000ns  cpu1  passive  through
    10000ns  cpu2  passive  through
  )"));
  CHECK(KeReadStateSemaphore(&semaphore) == 0);
  CHECK(machine.found() == "");
}

TEST_CASE("a semaphore is not released beyond its limit") {
  Machine machine;
  KSEMAPHORE semaphore;
  machine.thread({}, [&] {
    KeInitializeSemaphore(&semaphore, 1, 3);
    CHECK(KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 2, FALSE) == 1);
    CHECK(machine.found() == "");
    CHECK(KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, FALSE) == 3);
    CHECK(KeReadStateSemaphore(&semaphore) == 3);
  });
  machine.run(1ms);
  CHECK(machine.found() == "0x1E at 0ns guest.cpu0 at passive\n");
}

// ---- Mutexes ----

TEST_CASE("a mutex belongs to one thread, which may acquire it again and releases it as often") {
  Machine machine({.cpus = 2});
  KMUTEX mutex;
  KeInitializeMutex(&mutex, 0);
  machine.thread({.cpu = 0}, [&] {
    wait_for(&mutex);
    CHECK(wait_for(&mutex) == STATUS_SUCCESS);
    machine.burn(10us);
    CHECK(KeReleaseMutex(&mutex, FALSE) == -1);
    machine.note("released once");
    machine.burn(10us);
    CHECK(KeReleaseMutex(&mutex, FALSE) == 0);
    machine.note("released twice");
  });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(1us);
    CHECK(look_at(&mutex) == STATUS_TIMEOUT);
    CHECK(wait_for(&mutex) == STATUS_SUCCESS);
    machine.note("owner");
    KeReleaseMutex(&mutex, FALSE);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
    10000ns  cpu0  passive  released once
    20000ns  cpu0  passive  released twice
    20000ns  cpu1  passive  owner
  )"));
  CHECK(KeReadStateMutex(&mutex) == 1);
  CHECK(machine.found() == "");
}

TEST_CASE("releasing a mutex that somebody else or nobody owns is bug check 0x11") {
  Machine machine({.cpus = 2});
  KMUTEX mutex;
  KeInitializeMutex(&mutex, 0);
  machine.thread({.cpu = 0}, [&] {
    wait_for(&mutex);
    machine.burn(10us);
    KeReleaseMutex(&mutex, FALSE);
    KeReleaseMutex(&mutex, FALSE);
  });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(5us);
    KeReleaseMutex(&mutex, FALSE);
  });
  machine.run(1ms);
  CHECK(machine.found() == "0x11 at 5000ns guest.cpu1 at passive\n0x11 at 10000ns guest.cpu0 at passive\n");
  CHECK(KeReadStateMutex(&mutex) == 1);
}

TEST_CASE("a thread that ends with a mutex is bug check 0x20, and the next owner is told once") {
  Machine machine({.cpus = 2});
  KMUTEX mutex;
  KeInitializeMutex(&mutex, 0);
  machine.thread({.cpu = 0}, [&] {
    wait_for(&mutex);
    machine.burn(10us);
  });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(1us);
    CHECK(wait_for(&mutex) == STATUS_ABANDONED);
    CHECK(wait_for(&mutex) == STATUS_SUCCESS);
    KeReleaseMutex(&mutex, FALSE);
    KeReleaseMutex(&mutex, FALSE);
    machine.note("done");
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline("10000ns cpu1 passive done"));
  CHECK(machine.found() == "0x20 at 10000ns guest.cpu0 at passive\n");
}

TEST_CASE("a fast mutex is held at APC_LEVEL, a guarded mutex at the level of its acquire") {
  Machine machine({.cpus = 2});
  FAST_MUTEX fast;
  KGUARDED_MUTEX guarded;
  machine.thread({.cpu = 0}, [&] {
    ExInitializeFastMutex(&fast);
    KeInitializeGuardedMutex(&guarded);
    ExAcquireFastMutex(&fast);
    KeAcquireGuardedMutex(&guarded);
    machine.work("fast", 10us);
    ExReleaseFastMutex(&fast);
    machine.work("guarded", 10us);
    KeReleaseGuardedMutex(&guarded);
  });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(1us);
    CHECK_FALSE(ExTryToAcquireFastMutex(&fast));
    CHECK_FALSE(KeTryToAcquireGuardedMutex(&guarded));
    ExAcquireFastMutex(&fast);
    machine.note("fast");
    ExReleaseFastMutex(&fast);
    KeAcquireGuardedMutex(&guarded);
    machine.note("guarded");
    KeReleaseGuardedMutex(&guarded);
    CHECK(ExTryToAcquireFastMutex(&fast));
    CHECK(KeGetCurrentIrql() == APC_LEVEL);
    ExReleaseFastMutex(&fast);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  apc      fast
    10000ns  cpu0  apc      fast done
    10000ns  cpu0  passive  guarded
    10000ns  cpu1  apc      fast
    20000ns  cpu0  passive  guarded done
    20000ns  cpu1  passive  guarded
  )"));
  CHECK(machine.found() == "");
}

TEST_CASE("a DPC that lowers its IRQL gets no mutex, for it is no thread that could own one") {
  Machine machine;
  FAST_MUTEX fast;
  KGUARDED_MUTEX guarded;
  ExInitializeFastMutex(&fast);
  KeInitializeGuardedMutex(&guarded);
  KDPC& dpc = machine.dpc([&] {
    KeLowerIrql(PASSIVE_LEVEL);
    CHECK_FALSE(ExTryToAcquireFastMutex(&fast));
    CHECK_FALSE(KeTryToAcquireGuardedMutex(&guarded));
    KeAcquireGuardedMutex(&guarded);
    KeLowerIrql(PASSIVE_LEVEL);
    ExAcquireFastMutex(&fast);
    KfRaiseIrql(DISPATCH_LEVEL);
  });
  machine.thread({}, [&] {
    KeInsertQueueDpc(&dpc, nullptr, nullptr);
    CHECK(KeTryToAcquireGuardedMutex(&guarded));  // nobody has it
    KeReleaseGuardedMutex(&guarded);
  });
  machine.run(1ms);
  CHECK(machine.found() == "0xB8 at 0ns guest.cpu0 at passive\n0xB8 at 0ns guest.cpu0 at apc\n");
}

TEST_CASE("a fast mutex acquired twice, released by a stranger or kept by a thread that ends is a finding") {
  Machine machine;
  FAST_MUTEX fast;
  KGUARDED_MUTEX guarded;
  ExInitializeFastMutex(&fast);
  KeInitializeGuardedMutex(&guarded);
  SECTION("twice: a sure deadlock") {
    machine.thread({}, [&] {
      ExAcquireFastMutex(&fast);
      ExAcquireFastMutex(&fast);
      ExReleaseFastMutex(&fast);
    });
    machine.run(1ms);
    CHECK(machine.found() == "0xC4 at 0ns guest.cpu0 at apc\n");
  }
  SECTION("by a stranger") {
    machine.thread({}, [&] { KeReleaseGuardedMutex(&guarded); });
    machine.run(1ms);
    CHECK(machine.found() == "0x11 at 0ns guest.cpu0 at passive\n");
  }
  SECTION("kept") {
    machine.thread({}, [&] { KeAcquireGuardedMutex(&guarded); });
    machine.run(1ms);
    CHECK(machine.found() == "0x20 at 0ns guest.cpu0 at passive\n");
  }
  SECTION("a critical region that is left is fine, one that is not is 0x20") {
    machine.thread({}, [&] {
      KeEnterCriticalRegion();
      KeLeaveCriticalRegion();
    });
    machine.thread_at(1us, {}, [&] { KeEnterCriticalRegion(); });
    machine.run(1ms);
    CHECK(machine.found() == "0x20 at 1000ns guest.cpu0 at passive\n");
  }
}

// ---- Waits for several objects ----

TEST_CASE("a wait for any of several objects ends with the first, and answers its index") {
  Machine machine({.cpus = 2});
  KEVENT a, b;
  KSEMAPHORE c;
  KeInitializeEvent(&a, SynchronizationEvent, FALSE);
  KeInitializeEvent(&b, SynchronizationEvent, FALSE);
  KeInitializeSemaphore(&c, 0, 9);
  const std::array<PVOID, 3> objects{&a, &b, &c};
  machine.thread({.cpu = 0}, [&] {
    machine.note(text(wait_for(WaitAny, objects)));
    machine.note(text(wait_for(WaitAny, objects)));
    CHECK(wait_for(WaitAny, objects, 0) == STATUS_TIMEOUT);
    CHECK(wait_for(WaitAny, objects, -10) == STATUS_TIMEOUT);
    machine.note("late");
  });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(5us);
    KeReleaseSemaphore(&c, IO_NO_INCREMENT, 1, FALSE);
    machine.burn(5us);
    KeSetEvent(&b, IO_NO_INCREMENT, FALSE);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
     5000ns  cpu0  passive  2
    10000ns  cpu0  passive  1
    11000ns  cpu0  passive  late
  )"));
  CHECK(KeReadStateEvent(&b) == 0);
  CHECK(IsListEmpty(&a.Header.WaitListHead));
}

TEST_CASE("a wait for all of several objects takes none of them before it can take all") {
  Machine machine({.cpus = 3});
  KEVENT event;
  KSEMAPHORE semaphore;
  KMUTEX mutex;
  KeInitializeEvent(&event, SynchronizationEvent, FALSE);
  KeInitializeSemaphore(&semaphore, 1, 9);
  KeInitializeMutex(&mutex, 0);
  machine.thread({.cpu = 0}, [&] {
    CHECK(wait_for(WaitAll, std::array<PVOID, 3>{&event, &semaphore, &mutex}) == STATUS_SUCCESS);
    machine.note("all");
    KeReleaseMutex(&mutex, FALSE);
  });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(1us);
    CHECK(wait_for(&semaphore) == STATUS_SUCCESS);  // the other one, who came first, does not hold it
    machine.burn(9us);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    CHECK(KeReadStateEvent(&event) == 1);
    machine.burn(10us);
    KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, FALSE);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline("20000ns cpu0 passive all"));
  CHECK(KeReadStateEvent(&event) == 0);
  CHECK(KeReadStateSemaphore(&semaphore) == 0);
  CHECK(machine.found() == "");
}

TEST_CASE("a wait for too many objects, or for four without wait blocks, is bug check 0x0C") {
  Machine machine;
  machine.thread({}, [&] {
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    PVOID objects[65];
    std::fill(std::begin(objects), std::end(objects), &event);
    KWAIT_BLOCK blocks[65];
    LARGE_INTEGER now{};
    const auto wait = [&](ULONG count, PKWAIT_BLOCK room) {
      return KeWaitForMultipleObjects(count, objects, WaitAny, Executive, KernelMode, FALSE, &now, room);
    };
    CHECK(wait(3, nullptr) == STATUS_SUCCESS);
    CHECK(wait(64, blocks) == STATUS_SUCCESS);
    CHECK(machine.found() == "");
    wait(4, nullptr);
    wait(65, blocks);
  });
  machine.run(1ms);
  CHECK(machine.found() == "0xC at 0ns guest.cpu0 at passive\n0xC at 0ns guest.cpu0 at passive\n");
}

TEST_CASE("waiting for several objects at DISPATCH_LEVEL is bug check 0xB8 unless the timeout is zero") {
  Machine machine;
  machine.thread({}, [&] {
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    CHECK(wait_for(WaitAny, std::array<PVOID, 1>{&event}, 0) == STATUS_TIMEOUT);
    CHECK(machine.found() == "");
    wait_for(WaitAny, std::array<PVOID, 1>{&event});
    KeLowerIrql(before);
  });
  machine.run(1ms);
  CHECK(machine.found() == "0xB8 at 0ns guest.cpu0 at dispatch\n");
}

// ---- Threads as objects ----

TEST_CASE("a driver waits for the end of its thread, and the thread object lives until it is dereferenced") {
  Machine machine({.cpus = 2});
  machine.thread({.cpu = 0}, [&] {
    HANDLE handle;
    REQUIRE(PsCreateSystemThread(
                &handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr,
                [](PVOID context) { static_cast<Machine*>(context)->work("worker", 10us); },
                &machine) == STATUS_SUCCESS);
    PVOID thread;
    CHECK(ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread, nullptr) ==
          STATUS_SUCCESS);
    CHECK(ZwClose(handle) == STATUS_SUCCESS);
    CHECK(ObReferenceObjectByHandle(handle, SYNCHRONIZE, nullptr, KernelMode, &thread, nullptr) ==
          STATUS_INVALID_HANDLE);
    CHECK(thread == nullptr);
  });
  machine.thread({.cpu = 0}, [&] {
    HANDLE handle;
    PVOID thread;
    PsCreateSystemThread(
        &handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr,
        [](PVOID) {
          LARGE_INTEGER span;
          span.QuadPart = -200;
          KeDelayExecutionThread(KernelMode, FALSE, &span);
          PsTerminateSystemThread(STATUS_SUCCESS);
        },
        nullptr);
    ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread, nullptr);
    ZwClose(handle);
    CHECK(look_at(thread) == STATUS_TIMEOUT);
    CHECK(wait_for(thread) == STATUS_SUCCESS);
    machine.note("ended");
    CHECK(wait_for(thread) == STATUS_SUCCESS);  // stays signalled
    ObDereferenceObject(thread);
  });
  machine.run(1ms);
  CHECK(machine.timeline().find("20000ns cpu0 passive ended") != std::string::npos);
  CHECK(machine.found() == "");
}

TEST_CASE("a handle closed twice is bug check 0x93, a reference given back twice 0x18") {
  Machine machine;
  machine.thread({}, [&] {
    HANDLE handle;
    PVOID thread;
    PsCreateSystemThread(
        &handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr, [](PVOID) {}, nullptr);
    ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread, nullptr);
    ObDereferenceObject(thread);
    ObDereferenceObject(thread);
    CHECK(ZwClose(handle) == STATUS_SUCCESS);
    CHECK(ZwClose(handle) == STATUS_INVALID_HANDLE);
  });
  machine.run(1ms);
  CHECK(machine.found() == "0x18 at 0ns guest.cpu0 at passive\n0x93 at 0ns guest.cpu0 at passive\n");
}

TEST_CASE("a thread that changes its priority gives way, or is let through, at once") {
  Machine machine;
  machine.thread({.name = "first", .priority = 10}, [&] {
    machine.note("first");
    CHECK(KeSetPriorityThread(KeGetCurrentThread(), 5) == 10);
    machine.note("first goes on");
    CHECK(KeQueryPriorityThread(KeGetCurrentThread()) == 5);
  });
  machine.thread({.name = "second", .priority = 8}, [&] { machine.work("second", 5us); });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
       0ns  cpu0  passive  first
       0ns  cpu0  passive  second
    5000ns  cpu0  passive  second done
    5000ns  cpu0  passive  first goes on
  )"));
}

// ---- Threaded DPCs. Source: WDK, "Introduction to Threaded DPCs" ----

TEST_CASE("a threaded DPC runs at PASSIVE_LEVEL before every other thread of its target, and DPCs interrupt it") {
  Machine machine({.cpus = 2});
  KDPC threaded;
  KeInitializeThreadedDpc(
      &threaded, [](KDPC*, PVOID context, PVOID, PVOID) { static_cast<Machine*>(context)->work("threaded", 10us); },
      &machine);
  KDPC& ordinary = machine.dpc([&] { machine.work("ordinary", 1us); }, MediumHighImportance, 1);
  machine.thread({.cpu = 1, .priority = 30}, [&] { machine.work("thread", 20us); });
  machine.thread({.cpu = 0}, [&] {
    KeSetTargetProcessorDpc(&threaded, 1);
    machine.burn(2us);
    CHECK(KeInsertQueueDpc(&threaded, nullptr, nullptr));
    CHECK_FALSE(KeInsertQueueDpc(&threaded, nullptr, nullptr));
    machine.burn(3us);
    KeInsertQueueDpc(&ordinary, nullptr, nullptr);
    KeFlushQueuedDpcs();
    machine.note("flushed");
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu1  passive   thread
     2000ns  cpu1  passive   threaded
     5000ns  cpu1  dispatch  ordinary
     6000ns  cpu1  dispatch  ordinary done
    13000ns  cpu1  passive   threaded done
    13000ns  cpu0  passive   flushed
    31000ns  cpu1  passive   thread done
  )"));
  CHECK(machine.found() == "");
}

TEST_CASE("a threaded DPC that waits or returns above PASSIVE_LEVEL is a finding") {
  Machine machine;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  KDPC waits, raises;
  KeInitializeThreadedDpc(
      &waits, [](KDPC*, PVOID context, PVOID, PVOID) { wait_for(context); }, &event);
  KeInitializeThreadedDpc(
      &raises, [](KDPC*, PVOID, PVOID, PVOID) { KeRaiseIrqlToDpcLevel(); }, nullptr);
  KSPIN_LOCK lock = 0;
  machine.thread({}, [&] {
    KeInsertQueueDpc(&waits, nullptr, nullptr);
    KeInsertQueueDpc(&raises, nullptr, nullptr);
    const KIRQL before = KeAcquireSpinLockForDpc(&lock);
    CHECK(KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeReleaseSpinLockForDpc(&lock, before);
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
  });
  machine.run(1ms);
  CHECK(machine.found() == "0xB8 at 0ns guest.cpu0 at passive\n0xC8 at 0ns guest.cpu0 at dispatch\n");
}

TEST_CASE("a threaded DPC that is removed in time does not run") {
  Machine machine;
  KDPC threaded;
  KeInitializeThreadedDpc(
      &threaded, [](KDPC*, PVOID context, PVOID, PVOID) { static_cast<Machine*>(context)->note("ran"); }, &machine);
  machine.thread({}, [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    KeInsertQueueDpc(&threaded, nullptr, nullptr);
    CHECK(KeRemoveQueueDpc(&threaded));
    CHECK_FALSE(KeRemoveQueueDpc(&threaded));
    KeLowerIrql(before);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == "");
}
