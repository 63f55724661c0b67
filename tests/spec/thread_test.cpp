// Threads, waits and system worker threads.
// Source: WDK, "Managing hardware priorities", "System worker threads"; the DDI pages of KeWaitForSingleObject, KeSetEvent,
// KeDelayExecutionThread, PsCreateSystemThread, PsTerminateSystemThread, IoQueueWorkItem; Windows Internals, part 1, chapter 4.
#include <catch2/catch.hpp>

#include <limits>
#include <utility>
#include <vector>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::hw::Activity;
using vmbsim::testing::cost;
using vmbsim::testing::Machine;
using vmbsim::testing::timeline;

namespace {

/// Answers every choice of one kind with the last alternative.
class LastAt final : public kernel::ChoiceSource {
 public:
  explicit LastAt(kernel::ChoicePoint point) : point_(point) {}
  std::uint32_t choose(const kernel::Choice& choice) override {
    return choice.point == point_ ? choice.alternatives - 1 : 0;
  }

 private:
  kernel::ChoicePoint point_;
};

LARGE_INTEGER ticks(LONGLONG hundreds_of_ns) {
  LARGE_INTEGER value;
  value.QuadPart = hundreds_of_ns;
  return value;
}

NTSTATUS wait_for(KEVENT& event) { return KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr); }
NTSTATUS wait_for(KEVENT& event, LONGLONG timeout) {
  LARGE_INTEGER value = ticks(timeout);
  return KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &value);
}
void sleep(Duration span) {
  LARGE_INTEGER value = ticks(-span.count() / 100);
  KeDelayExecutionThread(KernelMode, FALSE, &value);
}

}  // namespace

// ---- Who runs ----

TEST_CASE("a thread of higher priority preempts at once and the preempted one takes exactly its time") {
  Machine machine;
  machine.thread({.name = "low", .priority = 8}, [&] { machine.work("low", 20us); });
  machine.thread_at(5us, {.name = "high", .priority = 9}, [&] { machine.work("high", 10us); });
  machine.thread_at(7us, {.name = "equal", .priority = 9}, [&] { machine.work("equal", 1us); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  passive  low
     5000ns  cpu0  passive  high
    15000ns  cpu0  passive  high done
    15000ns  cpu0  passive  equal
    16000ns  cpu0  passive  equal done
    31000ns  cpu0  passive  low done
  )"));
}

TEST_CASE(
    "a thread of higher priority that becomes ready while another holds DISPATCH_LEVEL runs exactly when it lowers") {
  Machine machine;
  machine.thread({.name = "low", .priority = 8}, [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    machine.work("raised", 20us);
    KeLowerIrql(before);
    machine.work("lowered", 5us);
  });
  machine.thread_at(5us, {.name = "high", .priority = 15}, [&] { machine.work("high", 10us); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  raised
    20000ns  cpu0  dispatch  raised done
    20000ns  cpu0  passive   high
    30000ns  cpu0  passive   high done
    30000ns  cpu0  passive   lowered
    35000ns  cpu0  passive   lowered done
  )"));
}

TEST_CASE("a thread that an ISR or a DPC of another processor makes ready preempts on its own processor") {
  Machine machine({.cpus = 2});
  KEVENT event;
  KeInitializeEvent(&event, SynchronizationEvent, FALSE);
  KDPC& dpc = machine.dpc([&] { KeSetEvent(&event, IO_NO_INCREMENT, FALSE); });
  auto& line = machine.line([&] {
    KeInsertQueueDpc(&dpc, nullptr, nullptr);
    machine.burn(1us);
  });
  machine.thread({.name = "high", .cpu = 0, .priority = 15}, [&] {
    wait_for(event);
    machine.work("high", 2us);
  });
  machine.thread({.name = "low", .cpu = 0, .priority = 8}, [&] { machine.work("low", 20us); });
  machine.interrupt_at(5us, line, 1);
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  passive  low
     6000ns  cpu0  passive  high
     8000ns  cpu0  passive  high done
    22000ns  cpu0  passive  low done
  )"));
}

// Source: Windows Internals, part 1, chapter 4, "Quantum": two clock ticks on a client system.
TEST_CASE("threads of one priority share a processor by quantum, and one alone is never switched") {
  Machine machine({.costs = cost(&hw::Costs::thread_switch, 1us)});
  machine.thread({.name = "a"}, [&] { machine.work("a", 40ms); });
  machine.thread({.name = "b"}, [&] { machine.work("b", 40ms); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        1000ns  cpu0  passive  a
    31251000ns  cpu0  passive  b
    71252000ns  cpu0  passive  a done
    80004000ns  cpu0  passive  b done
  )"));
}

TEST_CASE("the quantum is the thread's own time: interrupts do not use it up, and preemption does not renew it") {
  Machine machine;
  auto& line = machine.line([&] { machine.burn(10ms); });
  machine.thread({.name = "a"}, [&] { machine.work("a", 40ms); });
  machine.thread({.name = "b"}, [&] { machine.work("b", 40ms); });
  machine.interrupt_at(5ms, line);
  for (int i = 1; i <= 10; ++i)
    machine.thread_at(i * 20ms, {.name = "high", .priority = 12}, [&] { machine.burn(1ms); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
            0ns  cpu0  passive  a
     43250000ns  cpu0  passive  b
     85250000ns  cpu0  passive  a done
     94000000ns  cpu0  passive  b done
  )"));
}

TEST_CASE("a preempted thread goes on before its equals, one that used up its quantum after them") {
  Machine machine;
  machine.thread({.name = "a"}, [&] { machine.work("a", 40ms); });
  machine.thread({.name = "b"}, [&] { machine.work("b", 1ms); });
  machine.thread_at(10ms, {.name = "high", .priority = 12}, [&] { machine.work("high", 1ms); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
            0ns  cpu0  passive  a
     10000000ns  cpu0  passive  high
     11000000ns  cpu0  passive  high done
     32250000ns  cpu0  passive  b
     33250000ns  cpu0  passive  b done
     42000000ns  cpu0  passive  a done
  )"));
}

TEST_CASE("a thread that ran alone has the rest of its quantum when another one of its priority becomes ready") {
  Machine machine;
  machine.thread({.name = "a"}, [&] { machine.work("a", 100ms); });
  machine.thread_at(40ms, {.name = "b"}, [&] { machine.work("b", 1ms); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
             0ns  cpu0  passive  a
      62500000ns  cpu0  passive  b
      63500000ns  cpu0  passive  b done
     101000000ns  cpu0  passive  a done
  )"));
}

TEST_CASE("a wait earns a new quantum") {
  Machine machine;
  machine.thread({.name = "a"}, [&] {
    machine.burn(31ms);
    sleep(1ms);
    machine.work("a", 20ms);
  });
  machine.thread_at(31500us, {.name = "high", .priority = 12}, [&] { machine.burn(2ms); });
  machine.thread_at(33ms, {.name = "b"}, [&] { machine.work("b", 1ms); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
      33500000ns  cpu0  passive  a
      53500000ns  cpu0  passive  a done
      53500000ns  cpu0  passive  b
      54500000ns  cpu0  passive  b done
  )"));
}

TEST_CASE("idle processors take work that may run there, bound threads wait for their own") {
  Machine machine({.cpus = 3});
  for (const char* name : {"free 1", "free 2", "free 3", "free 4"})
    machine.thread({.name = name, .cpu = 0, .bound = false}, [&machine, name] { machine.work(name, 10us); });
  machine.thread({.name = "bound", .cpu = 0, .bound = true}, [&] { machine.work("bound", 10us); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  passive  free 1
        0ns  cpu1  passive  free 2
        0ns  cpu2  passive  free 3
    10000ns  cpu0  passive  free 1 done
    10000ns  cpu0  passive  free 4
    10000ns  cpu1  passive  free 2 done
    10000ns  cpu2  passive  free 3 done
    20000ns  cpu0  passive  free 4 done
    20000ns  cpu0  passive  bound
    30000ns  cpu0  passive  bound done
  )"));
}

TEST_CASE("a preempted thread that is not bound goes on at once on an idle processor") {
  Machine machine({.cpus = 2});
  machine.thread({.name = "low", .cpu = 0, .bound = false}, [&] { machine.work("low", 20us); });
  machine.thread_at(5us, {.name = "high", .cpu = 0, .priority = 12, .bound = true},
                    [&] { machine.work("high", 30us); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  passive  low
     5000ns  cpu0  passive  high
    20000ns  cpu1  passive  low done
    35000ns  cpu0  passive  high done
  )"));
}

TEST_CASE("a waiting thread is not starved by an endless one of its priority on another processor") {
  Machine machine({.cpus = 2});
  bool ran = false;
  machine.thread({.name = "busy 0", .cpu = 0, .priority = 31}, [&] { machine.burn(100s); });
  machine.thread({.name = "busy 1", .cpu = 1}, [&] { machine.burn(100s); });
  machine.thread_at(1ms, {.name = "free", .cpu = 0, .bound = false}, [&] { ran = true; });
  machine.run(100ms);
  CHECK(ran);
}

TEST_CASE("a switch of threads costs what the cost table says, going on with the same thread costs nothing") {
  Machine machine({.costs = cost(&hw::Costs::thread_switch, 2us)});
  auto& line = machine.line([&] { machine.burn(1us); });
  machine.thread({.name = "a"}, [&] {
    machine.work("a", 10us);
    sleep(10us);
    machine.note("a again");
  });
  machine.interrupt_at(5us, line);
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
     2000ns  cpu0  passive  a
    13000ns  cpu0  passive  a done
    23000ns  cpu0  passive  a again
  )"));
  CHECK(machine.spent(Activity::thread) == 12us);
}

TEST_CASE("a choice source decides which of the ready threads of the highest priority runs") {
  LastAt last(kernel::ChoicePoint::thread);
  Machine machine({.choices = &last});
  for (const char* name : {"a", "b", "c"}) machine.thread({.name = name}, [&machine, name] { machine.note(name); });
  machine.thread({.name = "high", .priority = 20}, [&] { machine.note("high"); });
  machine.run();
  CHECK(machine.timeline() ==
        timeline("0ns cpu0 passive high\n 0ns cpu0 passive c\n 0ns cpu0 passive b\n 0ns cpu0 passive a"));
}

TEST_CASE("a processor of half the speed needs twice the time") {
  Machine machine({.speed_permille = 500});
  machine.thread({}, [&] {
    machine.burn(10us);
    KeStallExecutionProcessor(10);  // wall time, whatever the speed
    machine.note("done");
  });
  machine.run();
  CHECK(machine.timeline() == timeline("30000ns cpu0 passive done"));
}

// ---- Events and waits ----

TEST_CASE("a notification event releases everybody and stays set, a synchronization event releases one and resets") {
  for (const EVENT_TYPE type : {NotificationEvent, SynchronizationEvent}) {
    Machine machine;
    KEVENT event;
    KeInitializeEvent(&event, type, FALSE);
    for (const char* name : {"a", "b", "c"})
      machine.thread({.name = name}, [&machine, &event, name] {
        CHECK(wait_for(event) == STATUS_SUCCESS);
        machine.note(name);
      });
    machine.thread({.name = "setter"}, [&] {
      machine.burn(1us);
      CHECK(KeSetEvent(&event, IO_NO_INCREMENT, FALSE) == 0);
      machine.note("set, now " + std::to_string(KeReadStateEvent(&event)));
    });
    machine.run(1ms);
    if (type == NotificationEvent) {
      CHECK(machine.timeline() == timeline(R"(
        1000ns cpu0 passive set, now 1
        1000ns cpu0 passive a
        1000ns cpu0 passive b
        1000ns cpu0 passive c)"));
    } else {
      CHECK(machine.timeline() == timeline(R"(
        1000ns cpu0 passive set, now 0
        1000ns cpu0 passive a)"));
    }
  }
}

TEST_CASE("an event that is set already satisfies a wait at once, and KeResetEvent takes that back") {
  Machine machine;
  KEVENT once;
  KEVENT always;
  KeInitializeEvent(&once, SynchronizationEvent, TRUE);
  KeInitializeEvent(&always, NotificationEvent, TRUE);
  machine.thread({}, [&] {
    CHECK(wait_for(once, 0) == STATUS_SUCCESS);
    CHECK(wait_for(once, 0) == STATUS_TIMEOUT);
    CHECK(wait_for(always) == STATUS_SUCCESS);
    CHECK(wait_for(always) == STATUS_SUCCESS);
    CHECK(KeSetEvent(&always, IO_NO_INCREMENT, FALSE) == 1);
    CHECK(KeResetEvent(&always) == 1);
    CHECK(KeResetEvent(&always) == 0);
    CHECK(wait_for(always, 0) == STATUS_TIMEOUT);
    machine.note("done");
  });
  machine.run();
  CHECK(machine.timeline() == timeline("0ns cpu0 passive done"));
}

TEST_CASE("a choice source decides which waiter a synchronization event releases") {
  LastAt last(kernel::ChoicePoint::wake);
  Machine machine({.choices = &last});
  KEVENT event;
  KeInitializeEvent(&event, SynchronizationEvent, FALSE);
  for (const char* name : {"a", "b", "c"})
    machine.thread({.name = name}, [&machine, &event, name] {
      wait_for(event);
      machine.note(name);
    });
  for (const Duration time : {1us, 2us}) machine.at(time, [&] { machine.partition.set_event(event); });
  machine.run();
  CHECK(machine.timeline() == timeline("1000ns cpu0 passive c\n 2000ns cpu0 passive b"));
}

TEST_CASE("a wait ends with STATUS_TIMEOUT when its time is over, and with success when the event is first") {
  struct Row {
    const char* situation;
    LONGLONG timeout;  // 100 ns
    Duration set_at;
    NTSTATUS status;
    std::int64_t ends_at;
  };
  for (const Row& row :
       {Row{"relative, too late", -100, 50us, STATUS_TIMEOUT, 15'000},
        Row{"relative, in time", -1000, 50us, STATUS_SUCCESS, 50'000},
        Row{"relative, at the same instant, the event scheduled first", -450, 50us, STATUS_SUCCESS, 50'000},
        Row{"absolute, too late", 200, 50us, STATUS_TIMEOUT, 20'000},
        Row{"absolute, in time", 700, 50us, STATUS_SUCCESS, 50'000},
        Row{"absolute, in the past", 10, 50us, STATUS_TIMEOUT, 5'000},
        Row{"as far as 64 bits go", std::numeric_limits<LONGLONG>::min(), 50us, STATUS_SUCCESS, 50'000},
        Row{"absolute, as far as 64 bits go", std::numeric_limits<LONGLONG>::max(), 50us, STATUS_SUCCESS, 50'000}}) {
    INFO(row.situation);
    Machine machine;
    KEVENT event;
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    machine.at(row.set_at, [&] { machine.partition.set_event(event); });
    NTSTATUS status = -1;
    std::int64_t ended_at = -1;
    machine.thread({}, [&] {
      machine.burn(5us);
      status = wait_for(event, row.timeout);
      ended_at = nanoseconds(machine.world.now());
    });
    machine.run(1ms);
    CHECK(status == row.status);
    CHECK(ended_at == row.ends_at);
    CHECK(IsListEmpty(&event.Header.WaitListHead));
    CHECK(event.Header.SignalState == (row.status == STATUS_TIMEOUT ? 1 : 0));  // a late set stays for the next waiter
  }
}

TEST_CASE("a waiter may throw its event away as soon as it runs, although the setter is still in KeSetEvent") {
  Machine machine;
  KEVENT* shared = nullptr;
  machine.thread({.name = "waiter", .priority = 15}, [&] {
    KEVENT mine;
    KeInitializeEvent(&mine, NotificationEvent, FALSE);
    shared = &mine;
    wait_for(mine);
    RtlFillMemory(&mine, sizeof mine, 0xDD);
    machine.note("waiter");
  });
  machine.thread({.name = "setter", .priority = 8}, [&] {
    machine.burn(1us);
    KeSetEvent(shared, IO_NO_INCREMENT, FALSE);
    machine.note("setter");
  });
  machine.run();
  CHECK(machine.timeline() == timeline("1000ns cpu0 passive waiter\n 1000ns cpu0 passive setter"));
}

// Source: bug check 0xB8, ATTEMPTED_SWITCH_FROM_DPC; the DDI page of KeWaitForSingleObject, "IRQL".
TEST_CASE("waiting at DISPATCH_LEVEL is a finding unless the timeout is zero") {
  Machine machine;
  KEVENT event;
  KeInitializeEvent(&event, SynchronizationEvent, FALSE);
  KDPC& dpc = machine.dpc([&] {
    CHECK(wait_for(event, 0) == STATUS_TIMEOUT);
    CHECK(machine.found() == "");
    CHECK(wait_for(event, -10) == STATUS_TIMEOUT);
    sleep(1us);
    machine.note("dpc");
  });
  machine.thread({}, [&] {
    KeInsertQueueDpc(&dpc, nullptr, nullptr);
    KIRQL before = KeRaiseIrqlToDpcLevel();
    CHECK(wait_for(event) == STATUS_TIMEOUT);
    KeLowerIrql(before);
    before = KfRaiseIrql(APC_LEVEL);
    CHECK(wait_for(event, -10) == STATUS_TIMEOUT);
    CHECK(KeGetCurrentIrql() == APC_LEVEL);
    KeLowerIrql(before);
    machine.note("thread");
  });
  machine.run();
  CHECK(machine.timeline() == timeline("0ns cpu0 dispatch dpc\n 1000ns cpu0 passive thread"));
  CHECK(machine.found() ==
        "0xB8 at 0ns guest.cpu0 at dispatch\n"
        "0xB8 at 0ns guest.cpu0 at dispatch\n"
        "0xB8 at 0ns guest.cpu0 at dispatch\n");
}

TEST_CASE("a sleeping thread leaves its processor to others and wakes on time") {
  Machine machine;
  machine.thread({.name = "sleeper", .priority = 9}, [&] {
    sleep(10us);
    machine.note("awake");
    sleep(0us);
    machine.note("yielded");
    LARGE_INTEGER until = ticks(500);
    KeDelayExecutionThread(KernelMode, FALSE, &until);
    machine.note("at 50us");
  });
  machine.thread({.name = "other", .priority = 8}, [&] { machine.work("other", 20us); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  passive  other
    10000ns  cpu0  passive  awake
    10000ns  cpu0  passive  yielded
    20000ns  cpu0  passive  other done
    50000ns  cpu0  passive  at 50us
  )"));
}

// ---- System threads ----

TEST_CASE("system threads start at PASSIVE_LEVEL and end by returning or by PsTerminateSystemThread") {
  Machine machine;
  machine.thread({}, [&] {
    for (int i = 0; i < 2; ++i) {
      HANDLE handle = nullptr;
      CHECK(PsCreateSystemThread(
                &handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr,
                [](PVOID context) {
                  auto& told = *static_cast<Machine*>(context);
                  told.note("system thread");
                  told.burn(1us);
                  PsTerminateSystemThread(STATUS_SUCCESS);
                  told.note("never");
                },
                &machine) == STATUS_SUCCESS);
      CHECK(handle != nullptr);
      sleep(10us);
    }
  });
  machine.run();
  CHECK(machine.timeline() == timeline("0ns cpu0 passive system thread\n 10000ns cpu0 passive system thread"));
}

TEST_CASE("a thread that ends above PASSIVE_LEVEL is a finding, and its processor goes on") {
  Machine machine;
  machine.thread({.name = "returns"}, [&] { KeRaiseIrqlToDpcLevel(); });
  machine.thread({.name = "terminates"}, [&] {
    KeRaiseIrqlToDpcLevel();
    PsTerminateSystemThread(STATUS_SUCCESS);
  });
  machine.thread({.name = "next"}, [&] { machine.note("next"); });
  machine.run(1us);
  CHECK(machine.timeline() == timeline("0ns cpu0 passive next"));
  CHECK(machine.findings.count("IRQL") == 2);
}

// ---- System worker threads ----

TEST_CASE("work items run in order at PASSIVE_LEVEL, after the wake of their worker") {
  Machine machine({.costs = cost(&hw::Costs::worker_wake, 4us)});
  os::WorkItem items[2];
  const char* names[] = {"first", "second"};
  std::pair<Machine*, const char*> contexts[] = {{&machine, names[0]}, {&machine, names[1]}};
  for (int i = 0; i < 2; ++i) {
    items[i].context = &contexts[i];
    items[i].routine = [](void* context) {
      auto& [told, name] = *static_cast<std::pair<Machine*, const char*>*>(context);
      told->work(name, 1us);
    };
  }
  machine.at(10us, [&] {
    machine.partition.queue_work(items[0], DelayedWorkQueue);
    machine.partition.queue_work(items[1], DelayedWorkQueue);
  });
  machine.at(100us,
             [&] { machine.partition.queue_work(items[1], DelayedWorkQueue); });  // by a worker that exists already
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
     14000ns  cpu0  passive  first
     15000ns  cpu0  passive  first done
     15000ns  cpu0  passive  second
     16000ns  cpu0  passive  second done
    104000ns  cpu0  passive  second
    105000ns  cpu0  passive  second done
  )"));
}

TEST_CASE("critical work preempts delayed work, and both preempt ordinary threads") {
  Machine machine;
  const auto routine = [](PDEVICE_OBJECT, PVOID context) { static_cast<Machine*>(context)->work("item", 5us); };
  machine.thread({}, [&] {
    machine.burn(1us);
    PIO_WORKITEM delayed = IoAllocateWorkItem(nullptr);
    IoQueueWorkItem(delayed, routine, DelayedWorkQueue, &machine);
    machine.note("thread");
    IoFreeWorkItem(delayed);
  });
  machine.at(3us, [&] {
    static os::WorkItem item;
    item = {.routine = [](void* context) { static_cast<Machine*>(context)->work("critical", 1us); },
            .context = &machine};
    machine.partition.queue_work(item, CriticalWorkQueue);
  });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
    1000ns  cpu0  passive  item
    3000ns  cpu0  passive  critical
    4000ns  cpu0  passive  critical done
    7000ns  cpu0  passive  item done
    7000ns  cpu0  passive  thread
  )"));
}

TEST_CASE("a work item may be queued again from its own routine, but not while it is queued") {
  Machine machine;
  struct Story {
    Machine& machine;
    PIO_WORKITEM item;
    int runs;
  } story{machine, nullptr, 0};
  static constexpr PIO_WORKITEM_ROUTINE routine = [](PDEVICE_OBJECT, PVOID context) {
    auto& told = *static_cast<Story*>(context);
    told.machine.note("run");
    if (++told.runs == 1) IoQueueWorkItem(told.item, routine, DelayedWorkQueue, &told);
    if (told.runs == 2) IoFreeWorkItem(told.item);
  };
  machine.thread({}, [&] {
    story.item = IoAllocateWorkItem(nullptr);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    IoQueueWorkItem(story.item, routine, DelayedWorkQueue, &story);
    IoQueueWorkItem(story.item, routine, DelayedWorkQueue, &story);
    KeLowerIrql(before);
  });
  machine.run(1us);
  CHECK(machine.timeline() == timeline("0ns cpu0 passive run\n 0ns cpu0 passive run"));
  CHECK(machine.found() == "0x139 at 0ns guest.cpu0 at dispatch\n");
  CHECK(machine.partition.pool().live_blocks() == 0);
}

// Source: the DDI page of IoFreeWorkItem: never while the item is queued.
TEST_CASE("freeing a queued work item is a finding, and it does not run") {
  Machine machine;
  machine.thread({}, [&] {
    PIO_WORKITEM item = IoAllocateWorkItem(nullptr);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    IoQueueWorkItem(
        item, [](PDEVICE_OBJECT, PVOID context) { static_cast<Machine*>(context)->note("ran"); }, DelayedWorkQueue,
        &machine);
    IoFreeWorkItem(item);
    RtlFillMemory(item, 16, 0xDD);
    KeLowerIrql(before);
  });
  machine.run(1us);
  CHECK(machine.timeline() == "");
  CHECK(machine.found() == "0x139 at 0ns guest.cpu0 at dispatch\n");
}

// Source: bug check 0xE1, WORKER_THREAD_RETURNED_AT_BAD_IRQL.
TEST_CASE("a work item that returns above PASSIVE_LEVEL is a finding, and the next one runs at PASSIVE_LEVEL") {
  Machine machine;
  os::WorkItem wrong{.routine = [](void*) { KeRaiseIrqlToDpcLevel(); }};
  os::WorkItem next{.routine = [](void* context) { static_cast<Machine*>(context)->note("next"); },
                    .context = &machine};
  machine.at(1us, [&] {
    machine.partition.queue_work(wrong, DelayedWorkQueue);
    machine.partition.queue_work(next, DelayedWorkQueue);
  });
  machine.run();
  CHECK(machine.timeline() == timeline("1000ns cpu0 passive next"));
  CHECK(machine.found() == "0xE1 at 1000ns guest.cpu0 at dispatch\n");
}

// Source: Windows Internals, part 1, "System worker threads": new worker threads when all of a queue's are stuck, looked at once a
// second, 16 at most.
TEST_CASE("work items that block do not starve those behind them") {
  Machine machine;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  std::vector<os::WorkItem> blocking(
      15, os::WorkItem{.routine = [](void* context) { wait_for(*static_cast<KEVENT*>(context)); }, .context = &event});
  os::WorkItem rescue{
      .routine = [](void* context) { KeSetEvent(static_cast<KEVENT*>(context), IO_NO_INCREMENT, FALSE); },
      .context = &event};
  machine.at(1us, [&] {
    for (auto& item : blocking) machine.partition.queue_work(item, DelayedWorkQueue);
    machine.partition.queue_work(rescue, DelayedWorkQueue);
  });
  machine.run(60s);
  CHECK(KeReadStateEvent(&event) == 1);
}

TEST_CASE("a choice source decides which queued work item a free worker takes") {
  LastAt last(kernel::ChoicePoint::worker);
  Machine machine({.choices = &last});
  std::vector<std::pair<Machine*, const char*>> contexts{{&machine, "a"}, {&machine, "b"}, {&machine, "c"}};
  std::vector<os::WorkItem> items;
  for (auto& context : contexts)
    items.push_back({.routine =
                         [](void* given) {
                           auto& [told, name] = *static_cast<std::pair<Machine*, const char*>*>(given);
                           told->note(name);
                         },
                     .context = &context});
  machine.at(1us, [&] {
    for (auto& item : items) machine.partition.queue_work(item, DelayedWorkQueue);
  });
  machine.run();
  CHECK(machine.timeline() == timeline("1000ns cpu0 passive c\n 1000ns cpu0 passive b\n 1000ns cpu0 passive a"));
}
