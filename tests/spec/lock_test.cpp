// Spin locks.
// Source: WDK, "Introduction to spin locks"; the DDI pages of the calls; bug checks 0x0F, 0x10 and 0xC4.
#include <catch2/catch.hpp>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::hw::Activity;
using vmbsim::testing::Machine;
using vmbsim::testing::timeline;

namespace {
/// Takes the lock, works under it, gives it back.
void hold(Machine& machine, KSPIN_LOCK& lock, const std::string& name, Duration span) {
  const KIRQL before = KeAcquireSpinLockRaiseToDpc(&lock);
  machine.work(name, span);
  KeReleaseSpinLock(&lock, before);
}
}  // namespace

TEST_CASE("a contended acquire burns its processor's time until the release, longest spinner first") {
  Machine machine({.cpus = 3});
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  machine.thread({.cpu = 0}, [&] { hold(machine, lock, "a", 10us); });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(2us);
    hold(machine, lock, "b", 10us);
  });
  machine.thread({.cpu = 2}, [&] {
    machine.burn(1us);
    hold(machine, lock, "c", 10us);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  a
    10000ns  cpu0  dispatch  a done
    10000ns  cpu2  dispatch  c
    20000ns  cpu2  dispatch  c done
    20000ns  cpu1  dispatch  b
    30000ns  cpu1  dispatch  b done
  )"));
  CHECK(machine.spent(Activity::spin, 0) == 0us);
  CHECK(machine.spent(Activity::spin, 1) == 18us);
  CHECK(machine.spent(Activity::spin, 2) == 9us);
  CHECK(machine.spent(Activity::thread, 1) == 12us);
  CHECK(lock == 0);
}

TEST_CASE("a choice source decides which spinner gets a released lock") {
  struct : kernel::ChoiceSource {
    std::uint32_t choose(const kernel::Choice& choice) override {
      return choice.point == kernel::ChoicePoint::lock ? choice.alternatives - 1 : 0;
    }
  } last;
  Machine machine({.cpus = 3, .choices = &last});
  KSPIN_LOCK lock = 0;
  machine.thread({.cpu = 0}, [&] { hold(machine, lock, "a", 10us); });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(2us);
    hold(machine, lock, "b", 10us);
  });
  machine.thread({.cpu = 2}, [&] {
    machine.burn(1us);
    hold(machine, lock, "c", 10us);
  });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  a
    10000ns  cpu0  dispatch  a done
    10000ns  cpu1  dispatch  b
    20000ns  cpu1  dispatch  b done
    20000ns  cpu2  dispatch  c
    30000ns  cpu2  dispatch  c done
  )"));
}

TEST_CASE("an interrupted spinner goes on spinning afterwards") {
  Machine machine({.cpus = 2});
  KSPIN_LOCK lock = 0;
  auto& line = machine.line([&] { machine.work("isr", 3us); });
  machine.thread({.cpu = 0}, [&] { hold(machine, lock, "a", 20us); });
  machine.thread({.cpu = 1}, [&] { hold(machine, lock, "b", 1us); });
  machine.interrupt_at(5us, line, 1);
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  a
     5000ns  cpu1  device    isr
     8000ns  cpu1  device    isr done
    20000ns  cpu0  dispatch  a done
    20000ns  cpu1  dispatch  b
    21000ns  cpu1  dispatch  b done
  )"));
  CHECK(machine.spent(Activity::spin, 1) == 17us);
  CHECK(machine.spent(Activity::isr, 1) == 3us);
}

TEST_CASE("a lock that is released while its only spinner is interrupted is taken when the interrupt is over") {
  Machine machine({.cpus = 2});
  KSPIN_LOCK lock = 0;
  auto& line = machine.line([&] { machine.work("isr", 10us); });
  machine.thread({.cpu = 0}, [&] { hold(machine, lock, "a", 20us); });
  machine.thread({.cpu = 1}, [&] { hold(machine, lock, "b", 1us); });
  machine.interrupt_at(15us, line, 1);
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  a
    15000ns  cpu1  device    isr
    20000ns  cpu0  dispatch  a done
    25000ns  cpu1  device    isr done
    25000ns  cpu1  dispatch  b
    26000ns  cpu1  dispatch  b done
  )"));
}

TEST_CASE("an interrupted spinner does not keep the lock from those that still spin") {
  for (const Duration interrupted_at : {19us, 20us, 21us}) {  // before, at and after the release
    INFO(interrupted_at.count());
    Machine machine({.cpus = 3});
    KSPIN_LOCK lock = 0;
    auto& line = machine.line([&] { machine.burn(100us); });
    // Requested before the release within its instant.
    machine.interrupt_at(interrupted_at, line, 1);
    std::int64_t second_had_it_at = -1;
    machine.thread({.cpu = 0}, [&] { hold(machine, lock, "a", 20us); });
    machine.thread({.cpu = 1}, [&] { hold(machine, lock, "b", 1us); });
    machine.thread({.cpu = 2}, [&] {
      machine.burn(1us);
      hold(machine, lock, "c", 0us);
      second_had_it_at = nanoseconds(machine.world.now());
    });
    machine.run(1ms);
    CHECK(second_had_it_at == (interrupted_at == 21us ? 121'000 : 20'000));
  }
}

TEST_CASE("the releaser itself interrupting the next spinner in its release does not lose the lock") {
  Machine machine({.cpus = 3});
  KSPIN_LOCK lock = 0;
  auto& line = machine.line([&] { machine.burn(100us); });
  std::int64_t c_had_it_at = -1;
  machine.thread({.cpu = 0}, [&] {
    const KIRQL before = KeAcquireSpinLockRaiseToDpc(&lock);
    machine.burn(20us);
    machine.cpu(1).request_interrupt(line);
    KeReleaseSpinLock(&lock, before);
  });
  machine.thread({.cpu = 1}, [&] { hold(machine, lock, "b", 1us); });
  machine.thread({.cpu = 2}, [&] {
    machine.burn(1us);
    hold(machine, lock, "c", 0us);
    c_had_it_at = nanoseconds(machine.world.now());
  });
  machine.run(1ms);
  CHECK(c_had_it_at == 20'000);
}

TEST_CASE("an ISR that spins for its own lock does not make the spinner below it forget what it waits for") {
  Machine machine({.cpus = 3});
  KSPIN_LOCK outer = 0;
  KSPIN_LOCK inner = 0;
  auto& line = machine.line([&] {
    KeAcquireSpinLockAtDpcLevel(&inner);
    machine.note("isr");
    KeReleaseSpinLockFromDpcLevel(&inner);
  });
  machine.thread({.cpu = 0}, [&] { hold(machine, outer, "a", 30us); });
  machine.thread({.cpu = 1}, [&] { hold(machine, outer, "b", 1us); });
  machine.thread({.cpu = 2}, [&] { hold(machine, inner, "c", 15us); });
  machine.interrupt_at(10us, line, 1);
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  a
        0ns  cpu2  dispatch  c
    15000ns  cpu2  dispatch  c done
    15000ns  cpu1  device    isr
    30000ns  cpu0  dispatch  a done
    30000ns  cpu1  dispatch  b
    31000ns  cpu1  dispatch  b done
  )"));
  CHECK(machine.findings.all().empty());
}

TEST_CASE("a lock that is taken again at once leaves the others spinning, and nothing is chosen among them") {
  struct : kernel::ChoiceSource {
    std::uint32_t choose(const kernel::Choice& choice) override {
      asked += choice.point == kernel::ChoicePoint::lock ? 1 : 0;
      return 0;
    }
    int asked = 0;
  } counting;
  Machine machine({.cpus = 3, .choices = &counting});
  KSPIN_LOCK lock = 0;
  machine.thread({.cpu = 0}, [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    for (int i = 0; i < 3; ++i) {
      KeAcquireSpinLockAtDpcLevel(&lock);
      machine.burn(10us);
      KeReleaseSpinLockFromDpcLevel(&lock);
    }
    KeLowerIrql(before);
  });
  for (const std::uint32_t cpu : {1u, 2u}) machine.thread({.cpu = cpu}, [&] { hold(machine, lock, "next", 1us); });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
    30000ns  cpu1  dispatch  next
    31000ns  cpu1  dispatch  next done
    31000ns  cpu2  dispatch  next
    32000ns  cpu2  dispatch  next done
  )"));
  CHECK(counting.asked == 1);
}

// Source: the DDI page of KeTryToAcquireSpinLockAtDpcLevel.
TEST_CASE("trying for a lock never spins: it succeeds only while the lock is free") {
  Machine machine({.cpus = 2});
  KSPIN_LOCK lock = 0;
  machine.thread({.cpu = 0}, [&] { hold(machine, lock, "a", 10us); });
  machine.thread({.cpu = 1}, [&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    CHECK(KeTryToAcquireSpinLockAtDpcLevel(&lock) == FALSE);
    CHECK(KeTestSpinLock(&lock) == FALSE);
    machine.burn(11us);
    CHECK(KeTestSpinLock(&lock) == TRUE);
    CHECK(KeTryToAcquireSpinLockAtDpcLevel(&lock) == TRUE);
    CHECK(KeTryToAcquireSpinLockAtDpcLevel(&lock) == FALSE);  // by its owner: refused, no finding
    KeReleaseSpinLockFromDpcLevel(&lock);
    KeLowerIrql(before);
    machine.note("tried");
  });
  machine.run(1ms);
  CHECK(machine.spent(Activity::spin, 1) == 0us);
  CHECK(machine.timeline() ==
        timeline("0ns cpu0 dispatch a\n 10000ns cpu0 dispatch a done\n 11000ns cpu1 passive tried"));
  CHECK(machine.findings.all().empty());
}

TEST_CASE("acquiring a lock twice is bug check 0x0F, releasing somebody else's or a free one 0x10") {
  Machine machine({.cpus = 2});
  KSPIN_LOCK lock = 0;
  machine.thread({.cpu = 0}, [&] {
    const KIRQL before = KeAcquireSpinLockRaiseToDpc(&lock);
    KeAcquireSpinLockAtDpcLevel(&lock);
    machine.burn(10us);
    KeReleaseSpinLock(&lock, before);
    machine.burn(10us);
    KeReleaseSpinLock(&lock, before);
  });
  machine.thread({.cpu = 1}, [&] {
    machine.burn(5us);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLock(&lock, before);
  });
  machine.run(1ms);
  CHECK(machine.found() ==
        "0xF at 0ns guest.cpu0 at dispatch\n"
        "0x10 at 5000ns guest.cpu1 at dispatch\n"
        "0x10 at 10000ns guest.cpu0 at dispatch\n"
        "0xC4 at 20000ns guest.cpu0 at passive\n"
        "0x10 at 20000ns guest.cpu0 at passive\n");
}

TEST_CASE("an ISR that spins for a lock of what it interrupted is bug check 0x0F: nobody can release it") {
  Machine machine;
  KSPIN_LOCK lock = 0;
  auto& line = machine.line([&] { KeAcquireSpinLockAtDpcLevel(&lock); });
  machine.thread({}, [&] { hold(machine, lock, "a", 10us); });
  machine.interrupt_at(5us, line);
  machine.run(1ms);
  CHECK(machine.found() == "0xF at 5000ns guest.cpu0 at device\n");
  CHECK(machine.spent(Activity::spin) == 995us);
}

TEST_CASE("the AtDpcLevel calls below DISPATCH_LEVEL are findings and still work") {
  Machine machine;
  KSPIN_LOCK lock = 0;
  machine.thread({}, [&] {
    KeAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLockFromDpcLevel(&lock);
    CHECK(KeTryToAcquireSpinLockAtDpcLevel(&lock) == TRUE);
    KeReleaseSpinLockFromDpcLevel(&lock);
  });
  machine.run(1us);
  CHECK(machine.findings.count("IRQL") == 4);
  CHECK(machine.findings.all()[0].bug_check == BugCheck::driver_verifier_detected_violation);
}

TEST_CASE("a thread that spins below DISPATCH_LEVEL may be preempted and go on spinning on another processor") {
  Machine machine({.cpus = 3});
  KSPIN_LOCK lock = 0;
  machine.thread({.name = "owner", .cpu = 0}, [&] { hold(machine, lock, "owner", 50us); });
  machine.thread({.name = "spinner", .cpu = 1, .bound = false}, [&] {
    KeAcquireSpinLockAtDpcLevel(&lock);
    machine.note("got it");
    KeReleaseSpinLockFromDpcLevel(&lock);
  });
  machine.thread({.name = "until 5us", .cpu = 2}, [&] { machine.burn(5us); });
  machine.thread_at(10us, {.name = "high", .cpu = 1, .priority = 20}, [&] { machine.burn(100us); });
  machine.run(1ms);
  CHECK(machine.timeline() == timeline(R"(
        0ns  cpu0  dispatch  owner
    50000ns  cpu0  dispatch  owner done
    50000ns  cpu2  passive   got it
  )"));
  CHECK(machine.accounts_are_complete());
}
