// Machines come and go, in the middle of what their software does.
#include <catch2/catch.hpp>

#include <cstdio>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::testing::Machine;
using vmbsim::testing::timeline;

namespace {

/// Every kind of context, stopped in every kind of place: spinning, waiting, interrupted, preempted, burning.
void switch_off_in_the_middle() {
  Machine machine({.cpus = 3});
  KSPIN_LOCK lock = 0;
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  KDPC& dpc = machine.dpc([&] { machine.burn(1s); });
  auto& isr = machine.line([&] { machine.burn(1s); }, Irql::clock);
  machine.thread({.name = "holder", .cpu = 0}, [&] {
    KeAcquireSpinLockRaiseToDpc(&lock);
    machine.burn(1s);
  });
  machine.thread({.name = "spinner", .cpu = 1}, [&] { KeAcquireSpinLockRaiseToDpc(&lock); });
  machine.thread({.name = "waiter", .cpu = 2, .priority = 12},
                 [&] { KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr); });
  machine.thread({.name = "interrupted", .cpu = 2}, [&] {
    machine.burn(1us);
    KeInsertQueueDpc(&dpc, nullptr, nullptr);
  });
  machine.thread({.name = "never started", .cpu = 0}, [&] { machine.note("impossible"); });
  machine.interrupt_at(5us, isr, 1);
  machine.interrupt_at(5us, isr, 2);
  machine.run(10us);
  CHECK(machine.accounts_are_complete());
  CHECK(machine.timeline() == "");
}

// Pages of this process that are in memory. Source: proc(5), statm, second field.
long resident_pages() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  REQUIRE(file != nullptr);
  long total = 0;
  long resident = 0;
  REQUIRE(std::fscanf(file, "%ld %ld", &total, &resident) == 2);
  std::fclose(file);
  return resident;
}

}  // namespace

TEST_CASE("a thousand machines are switched off in the middle of their work and leave no memory behind") {
  for (int i = 0; i < 50; ++i) switch_off_in_the_middle();
  const long before = resident_pages();
  for (int i = 0; i < 1000; ++i) switch_off_in_the_middle();
    // A machine that was not given back would hold six stacks of at least a page; under a sanitizer freed memory is kept for a while.
#ifdef VMBSIM_WATCHED_STACKS
  CHECK(resident_pages() - before < 100'000);
#else
  CHECK(resident_pages() - before < 1'000);
#endif
}

TEST_CASE("two machines live side by side, each with its own time") {
  Machine one;
  Machine two({.speed_permille = 2000});
  one.thread({}, [&] { one.work("one", 10us); });
  two.thread({}, [&] { two.work("two", 10us); });
  one.run(5us);
  two.run(20us);
  one.run(20us);
  CHECK(one.timeline() == timeline("0ns cpu0 passive one\n 10000ns cpu0 passive one done"));
  CHECK(two.timeline() == timeline("0ns cpu0 passive two\n 5000ns cpu0 passive two done"));
}

TEST_CASE("threads that ended give their memory to the next ones") {
  Machine machine;
  int ended = 0;
  const auto make = [&](int count) {
    machine.thread({}, [&machine, &ended, count] {
      static int* counter;
      counter = &ended;
      for (int i = 0; i < count; ++i) {
        HANDLE handle;
        PsCreateSystemThread(
            &handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr,
            [](PVOID) {
              ++*counter;
              PsTerminateSystemThread(STATUS_SUCCESS);
            },
            nullptr);
        LARGE_INTEGER span;
        span.QuadPart = -10;
        KeDelayExecutionThread(KernelMode, FALSE, &span);
      }
      machine.note("made");
    });
  };
  make(100);
  machine.run(1s);
  const long before = resident_pages();
  make(5'000);
  machine.run(2s);
  CHECK(ended == 5'100);
  CHECK(resident_pages() - before < 2'500);
}

TEST_CASE("DbgPrint lines are kept with their time and processor, and a chatty driver is cut off") {
  Machine machine({.cpus = 2});
  machine.thread({.cpu = 1}, [&] {
    machine.burn(3us);
    DbgPrint("%s took %d", "packet", 7);
    for (int i = 0; i < 20'000; ++i) DbgPrint("again");
  });
  machine.run(1ms);
  REQUIRE(machine.partition.debug_output().size() == 10'000);
  CHECK(machine.partition.debug_output().front().text == "3000ns guest.cpu1: packet took 7");
}

// Source: models/os/finding_log.hpp.
TEST_CASE("a rule that is broken again and again is told a few times and counted") {
  Machine machine;
  machine.thread({}, [&] {
    for (int i = 0; i < 1'000; ++i) KeLowerIrql(HIGH_LEVEL);
  });
  machine.run(1us);
  CHECK(machine.findings.all().size() == os::FindingLog::told_per_rule);
  CHECK(machine.findings.count("IRQL") == 1'000);
  CHECK(machine.findings.count("LOCK") == 0);
}

TEST_CASE("the number of the executing processor and the number of processors are what drivers see") {
  Machine machine({.cpus = 3});
  machine.thread({.cpu = 2}, [&] {
    PROCESSOR_NUMBER number{};
    CHECK(KeGetCurrentProcessorNumber() == 2);
    CHECK(KeGetCurrentProcessorNumberEx(&number) == 2);
    CHECK(number.Number == 2);
    KAFFINITY active = 0;
    CHECK(KeQueryActiveProcessorCount(&active) == 3);
    CHECK(active == 7);
    machine.note("done");
  });
  machine.run(1us);
  CHECK(machine.timeline() == timeline("0ns cpu2 passive done"));
}
