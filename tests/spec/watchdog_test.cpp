// The DPC watchdog.
// Source: WDK, "Bug Check 0x133 DPC_WATCHDOG_VIOLATION": one DPC or ISR beyond its time allotment, or the processor too long at
// DISPATCH_LEVEL or above; its example dumps show allotments of 0x500 and 0x1E00 clock ticks, 20 s and 120 s.
#include <catch2/catch.hpp>

#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::testing::Machine;

namespace {

/// What the watchdog said; `still` also of contexts that have not ended.
std::vector<std::string> barks(Machine& machine, bool still = false) {
  if (still) machine.partition.find_held_processors();
  std::vector<std::string> texts;
  for (const Finding& finding : machine.findings.all()) {
    CHECK(finding.rule == "WATCHDOG");
    CHECK(finding.bug_check == BugCheck::dpc_watchdog_violation);
    CHECK(finding.where.find("guest.cpu0") != std::string::npos);
    texts.push_back(finding.text);
  }
  return texts;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a DPC may run for 20 s, and one that runs longer is a finding when it returns") {
  for (const Duration extra : {0ms, 1ms}) {
    Machine machine;
    KDPC& dpc = machine.dpc([&] { machine.burn(20s + extra); });
    machine.thread({}, [&] { KeInsertQueueDpc(&dpc, nullptr, nullptr); });
    machine.run(30s);
    CHECK(barks(machine) == (extra == 0ms ? Texts{} : Texts{"one DPC ran for 20001 ms; the watchdog allows 20 s"}));
  }
}

TEST_CASE("an ISR that runs for more than 20 s is a finding when it returns") {
  Machine machine;
  hw::InterruptLine& within = machine.line([&] { machine.burn(20s); });
  hw::InterruptLine& beyond = machine.line([&] { machine.burn(21s); });
  machine.interrupt_at(0us, within);
  machine.interrupt_at(30s, beyond);
  machine.run(60s);
  CHECK(barks(machine) == Texts{"one ISR ran for 21000 ms; the watchdog allows 20 s"});
}

TEST_CASE("DPCs within their own time that hold the processor for more than 120 s between them are a finding") {
  for (const int passes : {6, 7}) {
    Machine machine;
    int left = passes;
    KDPC* again = nullptr;
    KDPC& dpc = machine.dpc([&] {
      machine.burn(20s);
      if (--left != 0) KeInsertQueueDpc(again, nullptr, nullptr);
    });
    again = &dpc;
    machine.thread({}, [&] { KeInsertQueueDpc(&dpc, nullptr, nullptr); });
    machine.run(200s);
    CHECK(barks(machine) ==
          (passes == 6
               ? Texts{}
               : Texts{"the processor was held at DISPATCH_LEVEL or above for 140000 ms; the watchdog allows 120 s"}));
  }
}

TEST_CASE(
    "a thread that stays raised for more than 120 s is a finding when it lowers, one that lowers between is not") {
  Machine machine;
  machine.thread({}, [&] {
    for (const Duration span : {119s, 119s, 121s}) {
      const KIRQL before = KeRaiseIrqlToDpcLevel();
      machine.burn(span);
      KeLowerIrql(before);
    }
  });
  machine.run(400s);
  CHECK(barks(machine) ==
        Texts{"the processor was held at DISPATCH_LEVEL or above for 121000 ms; the watchdog allows 120 s"});
}

TEST_CASE("a DPC that spins for ever is found at the end of the run, also while an ISR interrupts it") {
  for (const bool interrupted : {false, true}) {
    Machine machine({.cpus = 2});
    KSPIN_LOCK lock = 0;
    KDPC& dpc = machine.dpc([&] { KeAcquireSpinLockAtDpcLevel(&lock); });
    machine.thread({.name = "owner", .cpu = 1}, [&] {
      KIRQL before;
      KeAcquireSpinLock(&lock, &before);
      machine.burn(100s);
    });
    machine.thread_at(1us, {}, [&] { KeInsertQueueDpc(&dpc, nullptr, nullptr); });
    if (interrupted) machine.interrupt_at(24s, machine.line([&] { machine.burn(10s); }));
    machine.run(25s);
    CHECK(barks(machine).empty());
    CHECK(barks(machine, true) == Texts{"one DPC ran for 24999 ms; the watchdog allows 20 s"});
  }
}
