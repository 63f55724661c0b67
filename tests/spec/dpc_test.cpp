// Deferred procedure calls.
// Source: WDK, "Introduction to DPC objects", "Organization of DPC queues", "Guidelines for writing DPC routines"; the DDI pages
// of KeInsertQueueDpc, KeRemoveQueueDpc, KeSetImportanceDpc, KeSetTargetProcessorDpc; Windows Internals, part 1, "DPC or dispatch
// interrupts".
#include <catch2/catch.hpp>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::hw::Activity;
using vmbsim::testing::cost;
using vmbsim::testing::Machine;
using vmbsim::testing::timeline;

namespace {
bool queue(KDPC& dpc) { return KeInsertQueueDpc(&dpc, nullptr, nullptr) != FALSE; }
constexpr ULONG pool_tag = 0x74736554;  // "Test"
}  // namespace

TEST_CASE("a DPC queued by an ISR runs at DISPATCH_LEVEL when the ISR is over and before the thread goes on") {
  Machine machine({.costs = cost(&hw::Costs::dpc_dispatch, 2us)});
  KDPC& dpc = machine.dpc([&] { machine.work("dpc", 3us); });
  auto& line = machine.line([&] {
    queue(dpc);
    machine.work("isr", 1us);
  });
  machine.thread({}, [&] { machine.work("thread", 20us); });
  machine.interrupt_at(5us, line);
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  passive   thread
     5000ns  cpu0  device    isr
     6000ns  cpu0  device    isr done
     8000ns  cpu0  dispatch  dpc
    11000ns  cpu0  dispatch  dpc done
    26000ns  cpu0  passive   thread done
  )"));
}

TEST_CASE(
    "a DPC queued at DISPATCH_LEVEL waits until the IRQL falls, one queued below it runs before the call returns") {
  Machine machine;
  KDPC& dpc = machine.dpc([&] { machine.note("dpc"); });
  machine.thread({}, [&] {
    queue(dpc);
    machine.note("below");
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    queue(dpc);
    machine.work("raised", 5us);
    KeLowerIrql(before);
    machine.note("lowered");
  });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
       0ns  cpu0  dispatch  dpc
       0ns  cpu0  passive   below
       0ns  cpu0  dispatch  raised
    5000ns  cpu0  dispatch  raised done
    5000ns  cpu0  dispatch  dpc
    5000ns  cpu0  passive   lowered
  )"));
}

// Source: WDK, "Organization of DPC queues"; Windows Internals, part 1, table "DPC interrupt generation rules".
TEST_CASE("importance decides whether the queue is drained at once") {
  constexpr std::int64_t at_once = 10'000;
  constexpr std::int64_t at_tick = 15'625'000;
  struct Row {
    const char* situation;
    KDPC_IMPORTANCE importance;
    int target;
    std::int64_t runs_at;
  };
  for (const Row& row :
       {Row{"Low, own processor", LowImportance, 0, at_tick},
        Row{"Medium, own processor", MediumImportance, 0, at_once},
        Row{"MediumHigh, own processor", MediumHighImportance, 0, at_once},
        Row{"High, own processor", HighImportance, 0, at_once}, Row{"Low, other processor", LowImportance, 1, at_tick},
        Row{"Medium, other processor", MediumImportance, 1, at_tick},
        Row{"MediumHigh, other processor", MediumHighImportance, 1, at_once},
        Row{"High, other processor", HighImportance, 1, at_once}}) {
    INFO(row.situation);
    Machine machine({.cpus = 2});
    std::int64_t ran_at = -1;
    std::uint32_t ran_on = 99;
    KDPC& dpc = machine.dpc(
        [&] {
          ran_at = nanoseconds(machine.world.now());
          ran_on = KeGetCurrentProcessorNumber();
        },
        row.importance, row.target);
    machine.thread({.cpu = 0}, [&] {
      machine.burn(10us);
      queue(dpc);
      machine.burn(1s);
    });
    machine.thread({.cpu = 1}, [&] { machine.burn(1s); });
    machine.run();
    CHECK(ran_at == row.runs_at);
    CHECK(ran_on == static_cast<std::uint32_t>(row.target));
  }
}

TEST_CASE("a DPC that nobody hurries runs when its processor is or becomes idle") {
  Machine machine({.cpus = 2});
  KDPC& low = machine.dpc([&] { machine.note("low"); }, LowImportance);
  KDPC& remote = machine.dpc([&] { machine.note("medium for cpu1"); }, MediumImportance, 1);
  machine.thread({.cpu = 0}, [&] {
    machine.burn(10us);
    queue(low);
    queue(remote);
    machine.work("thread", 10us);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
    10000ns  cpu0  passive   thread
    10000ns  cpu1  dispatch  medium for cpu1
    20000ns  cpu0  passive   thread done
    20000ns  cpu0  dispatch  low
  )"));
}

TEST_CASE("a low DPC rides along when the queue is drained for another, and when the queue is deep") {
  Machine machine;
  KDPC& low = machine.dpc([&] { machine.note("low"); }, LowImportance);
  KDPC& medium = machine.dpc([&] { machine.note("medium"); });
  machine.thread({}, [&] {
    queue(low);
    machine.burn(1us);
    queue(medium);
    machine.note("thread");
    for (int i = 1; i <= 4; ++i) {
      queue(machine.dpc([&machine, i] { machine.note("deep " + std::to_string(i)); }, LowImportance));
      machine.burn(1us);
    }
    machine.burn(1s);
  });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
    1000ns  cpu0  dispatch  low
    1000ns  cpu0  dispatch  medium
    1000ns  cpu0  passive   thread
    4000ns  cpu0  dispatch  deep 1
    4000ns  cpu0  dispatch  deep 2
    4000ns  cpu0  dispatch  deep 3
    4000ns  cpu0  dispatch  deep 4
  )"));
}

TEST_CASE("High importance goes to the head of the queue, all others to the tail") {
  Machine machine;
  machine.thread({}, [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    const auto named = [&](const char* name, KDPC_IMPORTANCE importance) {
      queue(machine.dpc([&machine, name] { machine.note(name); }, importance));
    };
    named("medium", MediumImportance);
    named("low", LowImportance);
    named("high 1", HighImportance);
    named("medium high", MediumHighImportance);
    named("high 2", HighImportance);
    KeLowerIrql(before);
  });
  machine.run(1us);
  CHECK(machine.timeline() == timeline(R"(
    0ns  cpu0  dispatch  high 2
    0ns  cpu0  dispatch  high 1
    0ns  cpu0  dispatch  medium
    0ns  cpu0  dispatch  low
    0ns  cpu0  dispatch  medium high
  )"));
}

// Source: the DDI page of KeInsertQueueDpc: FALSE when the object is in a queue already; the arguments are then dropped.
TEST_CASE("a DPC object is in one queue at most, once, with the arguments of its first insertion") {
  Machine machine({.cpus = 2});
  std::vector<std::uintptr_t> seen;
  KDPC dpc;
  KeInitializeDpc(
      &dpc,
      [](KDPC*, PVOID context, PVOID first, PVOID second) {
        static_cast<decltype(seen)*>(context)->push_back(reinterpret_cast<std::uintptr_t>(first));
        static_cast<decltype(seen)*>(context)->push_back(reinterpret_cast<std::uintptr_t>(second));
      },
      &seen);
  machine.thread({}, [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    CHECK(KeInsertQueueDpc(&dpc, reinterpret_cast<PVOID>(1), reinterpret_cast<PVOID>(2)) == TRUE);
    CHECK(KeInsertQueueDpc(&dpc, reinterpret_cast<PVOID>(3), reinterpret_cast<PVOID>(4)) == FALSE);
    KeLowerIrql(before);
  });
  machine.run(1ms);
  CHECK(seen == std::vector<std::uintptr_t>{1, 2});
}

TEST_CASE("a DPC may queue itself again from its own routine, and other processors may meanwhile") {
  Machine machine({.cpus = 2});
  int runs = 0;
  KDPC* self = nullptr;
  self = &machine.dpc(
      [&] {
        machine.work("run " + std::to_string(++runs), 10us);
        if (runs == 1) queue(*self);
      },
      HighImportance, 0);
  machine.thread({.cpu = 0}, [&] { queue(*self); });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(15us);
    CHECK(queue(*self));  // it runs for the second time: it is not in the queue
    CHECK(!queue(*self));
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  run 1
    10000ns  cpu0  dispatch  run 1 done
    10000ns  cpu0  dispatch  run 2
    20000ns  cpu0  dispatch  run 2 done
    20000ns  cpu0  dispatch  run 3
    30000ns  cpu0  dispatch  run 3 done
  )"));
}

TEST_CASE("with another target a DPC can run on two processors at the same time") {
  Machine machine({.cpus = 2});
  KDPC& dpc = machine.dpc([&] { machine.work("dpc", 10us); }, HighImportance, 0);
  machine.thread({.cpu = 0}, [&] { queue(dpc); });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(4us);
    KeSetTargetProcessorDpc(&dpc, 1);
    queue(dpc);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  dpc
     4000ns  cpu1  dispatch  dpc
    10000ns  cpu0  dispatch  dpc done
    14000ns  cpu1  dispatch  dpc done
  )"));
}

TEST_CASE("neither threads nor other DPCs preempt a DPC; interrupts do") {
  Machine machine;
  KDPC& high = machine.dpc([&] { machine.note("high dpc"); }, HighImportance);
  KDPC& long_one = machine.dpc([&] { machine.work("long dpc", 20us); });
  auto& line = machine.line([&] {
    queue(high);
    machine.work("isr", 1us);
  });
  machine.thread({}, [&] { queue(long_one); });
  machine.thread_at(5us, {.name = "urgent", .priority = 31}, [&] { machine.note("urgent thread"); });
  machine.interrupt_at(10us, line);
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  long dpc
    10000ns  cpu0  device    isr
    11000ns  cpu0  device    isr done
    21000ns  cpu0  dispatch  long dpc done
    21000ns  cpu0  dispatch  high dpc
    21000ns  cpu0  passive   urgent thread
  )"));
}

TEST_CASE("a DPC queued during the drain's last moments is not forgotten") {
  for (const Duration when : {0ns, 999ns, 1000ns, 1001ns, 4999ns, 5000ns, 5001ns, 5999ns, 6000ns, 6001ns}) {
    INFO(when.count());
    Machine machine({.cpus = 2, .costs = cost(&hw::Costs::dpc_dispatch, 1us)});
    int runs = 0;
    KDPC& second = machine.dpc([&] { ++runs; }, HighImportance, 0);
    KDPC& first = machine.dpc([&] { machine.burn(5us); }, HighImportance, 0);
    machine.thread({.cpu = 0}, [&] {
      queue(first);
      machine.burn(100us);
    });
    machine.thread({.cpu = 1}, [&] {
      machine.burn(when);
      queue(second);
      machine.burn(100us);
    });
    machine.run(50us);
    CHECK(runs == 1);
  }
}

TEST_CASE("a DPC that an event queues runs on its target, and on the first processor when it has none") {
  Machine machine({.cpus = 2});
  KDPC& here = machine.dpc([&] { machine.note("no target"); });
  KDPC& there = machine.dpc([&] { machine.note("for cpu1"); }, MediumImportance, 1);
  KDPC& low = machine.dpc([&] { machine.note("low for cpu1"); }, LowImportance, 1);
  for (const std::uint32_t cpu : {0u, 1u}) machine.thread({.cpu = cpu}, [&] { machine.burn(50ms); });
  machine.at(1us, [&] {
    machine.partition.insert_dpc(here, nullptr, nullptr);
    machine.partition.insert_dpc(there, nullptr, nullptr);
  });
  machine.at(2us, [&] { machine.partition.insert_dpc(low, nullptr, nullptr); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        1000ns  cpu0  dispatch  no target
        1000ns  cpu1  dispatch  for cpu1
    15625000ns  cpu1  dispatch  low for cpu1
  )"));
}

// Source: the DDI page of KeRemoveQueueDpc.
TEST_CASE("a removed DPC does not run, whoever else is queued, and may be queued again") {
  Machine machine({.cpus = 2});
  KDPC& kept = machine.dpc([&] { machine.note("kept"); });
  KDPC& removed = machine.dpc([&] { machine.note("removed"); });
  KDPC& remote = machine.dpc([&] { machine.note("remote"); }, MediumImportance, 1);
  machine.thread({.cpu = 0}, [&] {
    CHECK(KeRemoveQueueDpc(&removed) == FALSE);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    queue(removed);
    queue(kept);
    CHECK(KeRemoveQueueDpc(&removed) == TRUE);
    CHECK(KeRemoveQueueDpc(&removed) == FALSE);
    KeLowerIrql(before);
    machine.burn(1us);
    KeRaiseIrqlToDpcLevel();
    queue(removed);
    KeRemoveQueueDpc(&removed);  // the queue was to be drained, now it is empty
    KeLowerIrql(before);
    machine.note("thread");
    queue(removed);
    queue(remote);
    CHECK(KeRemoveQueueDpc(&remote) == TRUE);  // from another processor's queue
    machine.burn(100ms);
  });
  machine.thread({.cpu = 1}, [&] { machine.burn(100ms); });
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
       0ns  cpu0  dispatch  kept
    1000ns  cpu0  passive   thread
    1000ns  cpu0  dispatch  removed
  )"));
}

// Source: bug check 0xC8, IRQL_UNEXPECTED_VALUE.
TEST_CASE("a DPC that returns at another IRQL is a finding, and the next one runs at DISPATCH_LEVEL") {
  for (const KIRQL left_at :
       std::initializer_list<KIRQL>{PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL, CMCI_LEVEL, HIGH_LEVEL}) {
    INFO(int{left_at});
    Machine machine;
    KDPC& wrong = machine.dpc([&] {
      if (left_at < DISPATCH_LEVEL) KeLowerIrql(left_at);
      if (left_at > DISPATCH_LEVEL) KfRaiseIrql(left_at);
      machine.burn(1us);
    });
    KDPC& next = machine.dpc([&] { machine.note("next"); });
    machine.thread({}, [&] {
      const KIRQL before = KeRaiseIrqlToDpcLevel();
      queue(wrong);
      KeLowerIrql(before);
      queue(next);
      machine.note("thread");
    });
    machine.run(1ms);
    CHECK(machine.timeline() == timeline("1000ns cpu0 dispatch next\n 1000ns cpu0 passive thread"));
    CHECK(machine.findings.count("IRQL") == (left_at == DISPATCH_LEVEL ? 0 : 1));
    if (left_at != DISPATCH_LEVEL) CHECK(machine.findings.all()[0].bug_check == BugCheck::irql_unexpected_value);
  }
}

// Source: bug check 0xB8, ATTEMPTED_SWITCH_FROM_DPC.
TEST_CASE("a DPC that lowers its IRQL and waits or ends a thread is a finding, not the end of the simulator") {
  Machine machine;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  KDPC& second = machine.dpc([&] { machine.note("second"); });
  KDPC& wrong = machine.dpc([&] {
    KeLowerIrql(PASSIVE_LEVEL);
    queue(second);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr);
    LARGE_INTEGER span;
    span.QuadPart = -100;
    KeDelayExecutionThread(KernelMode, FALSE, &span);
    PsTerminateSystemThread(STATUS_SUCCESS);
    machine.burn(10us);
    KfRaiseIrql(DISPATCH_LEVEL);
    machine.note("wrong");
  });
  machine.thread({}, [&] {
    queue(wrong);
    machine.note("thread");
  });
  machine.thread_at(5us, {.name = "urgent", .priority = 31}, [&] { machine.note("urgent"); });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  second
    10000ns  cpu0  dispatch  wrong
    10000ns  cpu0  passive   urgent
    10000ns  cpu0  passive   thread
  )"));
  CHECK(machine.findings.count("IRQL") >= 3);
  for (std::size_t i = 0; i < 2; ++i) CHECK(machine.findings.all()[i].bug_check == BugCheck::attempted_switch_from_dpc);
}

// Source: the DDI page of KeSetTargetProcessorDpc; bug check 0xC7.
TEST_CASE("a DPC can be targeted at processors beyond the range of CCHAR's positive half, not at absent ones") {
  Machine machine({.cpus = 200});
  KDPC& dpc = machine.dpc([&] { machine.note("dpc"); }, HighImportance);
  machine.thread({}, [&] {
    KeSetTargetProcessorDpc(&dpc, static_cast<CCHAR>(199));
    queue(dpc);
    KeSetTargetProcessorDpc(&dpc, static_cast<CCHAR>(200));
    CHECK(machine.found() == "0xC7 at 0ns guest.cpu0 at passive\n");
  });
  machine.run(1us);
  CHECK(machine.timeline() == timeline("0ns cpu199 dispatch dpc"));
}

// Source: bug check 0xC7, TIMER_OR_DPC_INVALID: freed memory still holds a queued DPC or a set timer.
TEST_CASE("pool that still holds a queued DPC or a set timer is a finding when it is freed, and neither fires") {
  Machine machine;
  struct Extension {
    LONG before;
    KDPC dpc;
    KTIMER timer;
  };
  bool fired = false;
  machine.thread({}, [&] {
    auto* extension = static_cast<Extension*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(Extension), pool_tag));
    KeInitializeDpc(
        &extension->dpc, [](KDPC*, PVOID context, PVOID, PVOID) { *static_cast<bool*>(context) = true; }, &fired);
    KeInitializeTimer(&extension->timer);
    LARGE_INTEGER due;
    due.QuadPart = -1000;
    KeSetTimer(&extension->timer, due, &extension->dpc);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    queue(extension->dpc);
    ExFreePool(extension);
    RtlFillMemory(extension, sizeof(Extension), 0xDD);
    KeLowerIrql(before);
    machine.burn(1ms);
  });
  machine.run(10ms);
  CHECK(!fired);
  CHECK(machine.found() == "0xC7 at 0ns guest.cpu0 at dispatch\n0xC7 at 0ns guest.cpu0 at dispatch\n");
}
