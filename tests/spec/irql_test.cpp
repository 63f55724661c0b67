// Interrupts and IRQLs, as a driver developer sees them on one processor.
// Source: WDK, "Managing hardware priorities"; the DDI pages of KeRaiseIrql, KeLowerIrql, KeAcquireSpinLock.
#include <catch2/catch.hpp>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::hw::Activity;
using vmbsim::testing::cost;
using vmbsim::testing::Machine;
using vmbsim::testing::timeline;

namespace {
constexpr Irql irql(int level) { return static_cast<Irql>(level); }
constexpr ULONG pool_tag = 0x74736554;  // "Test"
}  // namespace

TEST_CASE("an interrupt above the processor's IRQL preempts at once, one at or below it waits") {
  struct Row {
    const char* situation;
    KIRQL processor;
    int line;
    std::int64_t served_at;
  };
  for (const Row& row : {Row{"device interrupt, thread at passive", PASSIVE_LEVEL, 5, 10'000},
                         Row{"device interrupt, thread at dispatch", DISPATCH_LEVEL, 5, 10'000},
                         Row{"device interrupt, processor one below", 4, 5, 10'000},
                         Row{"device interrupt, processor at the same level", 5, 5, 30'000},
                         Row{"device interrupt, processor above", 6, 5, 30'000},
                         Row{"clock interrupt, processor at device level", 5, 13, 10'000},
                         Row{"clock interrupt, processor at high level", HIGH_LEVEL, 13, 30'000}}) {
    INFO(row.situation);
    Machine machine;
    std::int64_t served_at = -1;
    auto& line = machine.line([&] { served_at = nanoseconds(machine.world.now()); }, irql(row.line));
    machine.thread({}, [&] {
      const KIRQL before = KfRaiseIrql(row.processor);
      machine.burn(30us);
      KeLowerIrql(before);
    });
    machine.interrupt_at(10us, line);
    machine.run();
    CHECK(served_at == row.served_at);
    CHECK(machine.found() == "");
  }
}

TEST_CASE("lowering the IRQL lets in what was held back, highest first, before the next instruction") {
  Machine machine;
  auto& low = machine.line([&] { machine.work("low isr", 2us); }, irql(5));
  auto& high = machine.line([&] { machine.work("high isr", 2us); }, irql(8));
  machine.thread({}, [&] {
    const KIRQL before = KfRaiseIrql(HIGH_LEVEL);
    machine.work("at high", 10us);
    KeLowerIrql(6);
    machine.note("at 6");
    machine.burn(1us);
    KeLowerIrql(before);
    machine.note("at passive");
  });
  machine.interrupt_at(3us, low);
  machine.interrupt_at(4us, high);
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  high     at high
    10000ns  cpu0  high     at high done
    10000ns  cpu0  device   high isr
    12000ns  cpu0  device   high isr done
    12000ns  cpu0  device   at 6
    13000ns  cpu0  device   low isr
    15000ns  cpu0  device   low isr done
    15000ns  cpu0  passive  at passive
  )"));
}

TEST_CASE("requests made while one is pending merge; one made during its own service runs afterwards") {
  Machine machine;
  auto& line = machine.line([&] { machine.work("isr", 5us); });
  machine.thread({}, [&] {
    const KIRQL before = KfRaiseIrql(HIGH_LEVEL);
    machine.burn(10us);
    KeLowerIrql(before);
  });
  machine.interrupt_at(1us, line);
  machine.interrupt_at(2us, line);
  machine.interrupt_at(3us, line);
  machine.interrupt_at(12us, line);  // while it is served
  machine.interrupt_at(13us, line);
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
    10000ns  cpu0  device  isr
    15000ns  cpu0  device  isr done
    15000ns  cpu0  device  isr
    20000ns  cpu0  device  isr done
  )"));
  CHECK(machine.cpu(0).interrupts() == 2);
}

TEST_CASE("interrupts of one IRQL are served one after the other, in the order of their requests") {
  Machine machine;
  auto& first = machine.line([&] { machine.work("first", 5us); });
  auto& second = machine.line([&] { machine.work("second", 5us); });
  machine.interrupt_at(1us, second);
  machine.interrupt_at(2us, first);
  machine.interrupt_at(3us, second);
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
     1000ns  cpu0  device  second
     6000ns  cpu0  device  second done
     6000ns  cpu0  device  first
    11000ns  cpu0  device  first done
    11000ns  cpu0  device  second
    16000ns  cpu0  device  second done
  )"));
}

TEST_CASE("interrupts nest, and each interrupted piece of work takes exactly the time it asked for") {
  Machine machine;
  auto& inner = machine.line([&] { machine.work("clock", 7us); }, Irql::clock);
  auto& outer = machine.line([&] { machine.work("device", 20us); });
  machine.thread({}, [&] { machine.work("thread", 100us); });
  machine.interrupt_at(10us, outer);
  machine.interrupt_at(15us, inner);
  machine.interrupt_at(50us, inner);
  machine.run(200us);
  CHECK(machine.timeline() == timeline(R"(
         0ns  cpu0  passive  thread
     10000ns  cpu0  device   device
     15000ns  cpu0  clock    clock
     22000ns  cpu0  clock    clock done
     37000ns  cpu0  device   device done
     50000ns  cpu0  clock    clock
     57000ns  cpu0  clock    clock done
    134000ns  cpu0  passive  thread done
  )"));
  CHECK(machine.spent(Activity::thread) == 100us);
  CHECK(machine.spent(Activity::isr) == 34us);
  CHECK(machine.spent(Activity::idle) == 66us);
}

TEST_CASE("an interrupt at the very instant a piece of work ends finds it done or still there, never twice") {
  Machine machine;
  auto& line = machine.line([&] { machine.work("isr", 1us); });
  machine.interrupt_at(10us, line);
  machine.thread({}, [&] {
    machine.work("first", 10us);
    machine.work("second", 10us);
  });
  machine.run();
  CHECK(machine.spent(Activity::thread) == 20us);
  CHECK(machine.spent(Activity::isr) == 1us);
}

// Source: TLFS, "Virtual processor idle sleep state": a halted virtual processor must be woken before it takes the interrupt.
TEST_CASE("an interrupt for a halted processor waits for the wake, one for a busy processor does not") {
  Machine machine({.costs = cost(&hw::Costs::idle_wake, 4us)});
  auto& line = machine.line([&] { machine.work("isr", 1us); });
  machine.interrupt_at(10us, line);
  machine.interrupt_at(12us, line);  // while it wakes: merged
  machine.thread_at(50us, {}, [&] { machine.work("thread", 10us); });
  machine.interrupt_at(55us, line);
  machine.run(100us);
  CHECK(machine.timeline() == timeline(R"(
    14000ns  cpu0  device   isr
    15000ns  cpu0  device   isr done
    50000ns  cpu0  passive  thread
    55000ns  cpu0  device   isr
    56000ns  cpu0  device   isr done
    61000ns  cpu0  passive  thread done
  )"));
  CHECK(machine.spent(Activity::idle) == 88us);  // the wake itself is not work
}

TEST_CASE("an interrupt of a higher IRQL that comes while the processor wakes is served first") {
  Machine machine({.costs = cost(&hw::Costs::idle_wake, 4us)});
  auto& low = machine.line([&] { machine.note("low"); });
  auto& high = machine.line([&] { machine.note("high"); }, Irql::clock);
  machine.interrupt_at(10us, low);
  machine.interrupt_at(11us, high);
  machine.run();
  CHECK(machine.timeline() == timeline(R"(
    14000ns  cpu0  clock   high
    14000ns  cpu0  device  low
  )"));
}

// Source: the DDI pages of KeRaiseIrql (NewIrql at or above the current level) and KeLowerIrql (at or below it).
TEST_CASE("raising to a lower level and lowering to a higher one are findings and change nothing") {
  Machine machine;
  machine.thread({}, [&] {
    const KIRQL passive = KfRaiseIrql(7);
    CHECK(passive == PASSIVE_LEVEL);
    CHECK(KeRaiseIrqlToDpcLevel() == 7);
    CHECK(KeGetCurrentIrql() == 7);
    KeLowerIrql(8);
    CHECK(KeGetCurrentIrql() == 7);
    KeLowerIrql(7);
    KeLowerIrql(PASSIVE_LEVEL);
  });
  machine.run(1us);
  CHECK(machine.found() ==
        "0xA at 0ns guest.cpu0 at device\n"
        "0xA at 0ns guest.cpu0 at device\n");
}

// Source: the DDI page of each call, "IRQL".
TEST_CASE("calls that are not legal at device level are findings with the bug check of Windows, and the run goes on") {
  struct Row {
    const char* call;
    void (*make)();
    const char* bug_check;
  };
  static KEVENT event;
  static KSPIN_LOCK lock;
  static KTIMER timer;
  for (const Row& row : {
           Row{"KeWaitForSingleObject", [] { KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr); },
               "0xB8"},
           Row{"KeDelayExecutionThread",
               [] {
                 LARGE_INTEGER span;
                 span.QuadPart = -10;
                 KeDelayExecutionThread(KernelMode, FALSE, &span);
               },
               "0xB8"},
           Row{"KeSetEvent", [] { KeSetEvent(&event, IO_NO_INCREMENT, FALSE); }, "0xA"},
           Row{"KeSetTimer",
               [] {
                 LARGE_INTEGER due;
                 due.QuadPart = -10;
                 KeSetTimer(&timer, due, nullptr);
               },
               "0xA"},
           Row{"KeCancelTimer", [] { KeCancelTimer(&timer); }, "0xA"},
           Row{"KeAcquireSpinLock", [] { KeReleaseSpinLock(&lock, KeAcquireSpinLockRaiseToDpc(&lock)); }, "0xC4"},
           Row{"ExAllocatePool2 (nonpaged)", [] { ExFreePool(ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, pool_tag)); },
               "0xC4"},
       }) {
    INFO(row.call);
    Machine machine;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeInitializeSpinLock(&lock);
    KeInitializeTimer(&timer);
    bool returned = false;
    auto& line = machine.line([&] {
      row.make();
      machine.burn(1us);
      returned = true;
    });
    machine.interrupt_at(5us, line);
    machine.run(1ms);
    CHECK(returned);
    CHECK_THAT(machine.found(),
               Catch::Matchers::StartsWith(std::string(row.bug_check) + " at 5000ns guest.cpu0 at device\n"));
  }
}

// Source: the DDI pages of ExAllocatePoolWithTag and ExAllocatePool2: paged pool at or below APC_LEVEL only.
TEST_CASE("paged pool is a finding at DISPATCH_LEVEL, nonpaged pool is not") {
  struct Row {
    POOL_FLAGS flags;
    KIRQL level;
    bool legal;
  };
  for (const Row& row : {Row{POOL_FLAG_PAGED, PASSIVE_LEVEL, true}, Row{POOL_FLAG_PAGED, APC_LEVEL, true},
                         Row{POOL_FLAG_PAGED, DISPATCH_LEVEL, false}, Row{POOL_FLAG_NON_PAGED, DISPATCH_LEVEL, true}}) {
    INFO("flags " << row.flags << " level " << int{row.level});
    Machine machine;
    machine.thread({}, [&] {
      const KIRQL before = KfRaiseIrql(row.level);
      void* block = ExAllocatePool2(row.flags, 100, pool_tag);
      void* other =
          ExAllocatePoolWithTag((row.flags & POOL_FLAG_PAGED) != 0 ? PagedPool : NonPagedPoolNx, 100, pool_tag);
      KeLowerIrql(before);
      ExFreePool(block);
      ExFreePoolWithTag(other, pool_tag);
    });
    machine.run(1us);
    CHECK(machine.findings.count("IRQL") == (row.legal ? 0 : 2));
  }
}

TEST_CASE("a run that is stopped in the middle of a piece of work can be continued") {
  Machine machine;
  machine.thread({}, [&] { machine.work("thread", 100us); });
  machine.at(30us, [&] { machine.world.stop(); });
  machine.run(1ms);
  CHECK(nanoseconds(machine.world.now()) == 30'000);
  CHECK(machine.accounts_are_complete());
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
         0ns  cpu0  passive  thread
    100000ns  cpu0  passive  thread done
  )"));
  CHECK(machine.accounts_are_complete());
}

TEST_CASE("software that stops the run itself goes on until simulated time would pass") {
  Machine machine;
  machine.thread({}, [&] {
    machine.burn(10us);
    machine.world.stop();
    machine.note("after stop");
    machine.burn(10us);
    machine.note("later");
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline("10000ns cpu0 passive after stop"));
  machine.run(1ms);
  CHECK(machine.timeline() == timeline("10000ns cpu0 passive after stop\n 20000ns cpu0 passive later"));
}
