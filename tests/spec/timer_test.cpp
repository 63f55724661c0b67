// Kernel timers.
// Source: the DDI pages of KeSetTimer, KeSetTimerEx, KeCancelTimer, KeInitializeTimerEx.
#include <catch2/catch.hpp>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::testing::Machine;
using vmbsim::testing::timeline;

namespace {
LARGE_INTEGER after(Duration span) {
  LARGE_INTEGER due;
  due.QuadPart = -span.count() / 100;
  return due;
}
LARGE_INTEGER at_time(Duration time) {
  LARGE_INTEGER due;
  due.QuadPart = time.count() / 100;
  return due;
}
NTSTATUS wait_for(KTIMER& timer) { return KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, nullptr); }
}  // namespace

TEST_CASE("a timer expires once, relative to now or at a point of time, and queues its DPC") {
  struct Row {
    const char* situation;
    LARGE_INTEGER due;
    std::int64_t expires_at;
  };
  for (const Row& row : {Row{"relative", after(10us), 15'000}, Row{"absolute", at_time(12us), 12'000},
                         Row{"absolute, in the past", at_time(1us), 5'000}, Row{"at once", after(0us), 5'000}}) {
    INFO(row.situation);
    Machine machine;
    std::vector<std::int64_t> expired;
    KDPC& dpc = machine.dpc([&] { expired.push_back(nanoseconds(machine.world.now())); });
    KTIMER timer;
    KeInitializeTimer(&timer);
    machine.thread({}, [&] {
      machine.burn(5us);
      CHECK(KeSetTimer(&timer, row.due, &dpc) == FALSE);
      machine.burn(100us);
    });
    machine.run(1s);
    CHECK(expired == std::vector<std::int64_t>{row.expires_at});
  }
}

TEST_CASE("a timer's DPC runs on the processor that set the timer, unless it has a target") {
  Machine machine({.cpus = 3});
  KDPC& here = machine.dpc([&] { machine.note("no target"); });
  KDPC& there = machine.dpc([&] { machine.note("target 2"); }, MediumImportance, 2);
  KTIMER timers[2];
  for (KTIMER& timer : timers) KeInitializeTimer(&timer);
  machine.thread({.cpu = 1}, [&] {
    KeSetTimer(&timers[0], after(10us), &here);
    KeSetTimer(&timers[1], after(20us), &there);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline("10000ns cpu1 dispatch no target\n 20000ns cpu2 dispatch target 2"));
}

TEST_CASE("a periodic timer expires again and again until it is cancelled") {
  Machine machine;
  KTIMER timer;
  KeInitializeTimer(&timer);
  KDPC& dpc = machine.dpc([&] { machine.note("dpc"); });
  machine.thread({}, [&] {
    KeSetTimerEx(&timer, after(500us), 2, &dpc);
    machine.burn(5ms);
    CHECK(KeCancelTimer(&timer) == TRUE);
    CHECK(KeCancelTimer(&timer) == FALSE);
  });
  machine.run(100ms);
  CHECK(machine.timeline() == timeline(R"(
     500000ns  cpu0  dispatch  dpc
    2500000ns  cpu0  dispatch  dpc
    4500000ns  cpu0  dispatch  dpc
  )"));
}

TEST_CASE("a periodic timer whose DPC is still queued merges with it") {
  Machine machine;
  KTIMER timer;
  KeInitializeTimer(&timer);
  KDPC& dpc = machine.dpc([&] { machine.note("dpc"); });
  machine.thread({}, [&] {
    KeSetTimerEx(&timer, after(1ms), 1, &dpc);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    machine.burn(3500us);
    KeLowerIrql(before);
    KeCancelTimer(&timer);
  });
  machine.run(10ms);
  CHECK(machine.timeline() == timeline("3500000ns cpu0 dispatch dpc"));
}

TEST_CASE("setting a timer that is set moves it, cancelling it keeps it from expiring") {
  Machine machine;
  KTIMER timer;
  KeInitializeTimer(&timer);
  KDPC& dpc = machine.dpc([&] { machine.note("dpc"); });
  machine.thread({}, [&] {
    CHECK(KeSetTimer(&timer, after(10us), &dpc) == FALSE);
    CHECK(KeSetTimer(&timer, after(30us), &dpc) == TRUE);
    machine.burn(50us);
    CHECK(KeSetTimer(&timer, after(10us), &dpc) == FALSE);
    CHECK(KeCancelTimer(&timer) == TRUE);
    machine.burn(50us);
    CHECK(KeCancelTimer(&timer) == FALSE);
  });
  machine.run(1s);
  CHECK(machine.timeline() == timeline("30000ns cpu0 dispatch dpc"));
}

TEST_CASE("a notification timer stays signalled until it is set again, a synchronization timer releases one waiter") {
  for (const TIMER_TYPE type : {NotificationTimer, SynchronizationTimer}) {
    INFO(type);
    Machine machine;
    KTIMER timer;
    KeInitializeTimerEx(&timer, type);
    int released = 0;
    for (int i = 0; i < 2; ++i)
      machine.thread({}, [&] {
        wait_for(timer);
        ++released;
      });
    machine.thread({}, [&] { KeSetTimer(&timer, after(10us), nullptr); });
    machine.run(1ms);
    CHECK(released == (type == NotificationTimer ? 2 : 1));
    CHECK(timer.Header.SignalState == (type == NotificationTimer ? 1 : 0));
    machine.thread({}, [&] {
      KeSetTimer(&timer, after(10us), nullptr);
      CHECK(timer.Header.SignalState == 0);
    });
    machine.run(2ms);
    CHECK(released == 2);
  }
}

TEST_CASE("time as drivers read it is simulated time in units of 100 ns") {
  Machine machine;
  machine.thread({}, [&] {
    machine.burn(12'345us);
    LARGE_INTEGER frequency;
    CHECK(KeQueryPerformanceCounter(&frequency).QuadPart == 123'450);
    CHECK(frequency.QuadPart == 10'000'000);
    CHECK(KeQueryInterruptTime() == 123'450);
  });
  machine.run();
}
