// Framework DPCs, timers, work items and locks.
// Source: WDK, the DDI pages of the functions; "Using Timers", "Using Framework Work Items", "Using Framework Locks",
// "Using Automatic Synchronization".
#include <catch2/catch.hpp>

#include "tests/support/framework_driver.hpp"

using namespace vmbsim;
using vmbsim::testing::FrameworkDriver;

namespace {

void with_driver(FrameworkDriver& driver, std::function<void()> body) {
  driver.in_thread([&] {
    CHECK(driver.bring_up() == STATUS_SUCCESS);
    driver.log();
    body();
  });
}

/// "12us dispatch what".
void note(const std::string& what) {
  FrameworkDriver& driver = FrameworkDriver::current();
  driver.note(std::to_string(nanoseconds(driver.world.now()) / 1000) + "us " +
              name_of(hw::Processor::current()->irql()) + " " + what);
}

WDFDPC dpc_below(WDFOBJECT parent, PFN_WDF_DPC routine, NTSTATUS expected = STATUS_SUCCESS) {
  WDF_DPC_CONFIG config;
  WDF_DPC_CONFIG_INIT(&config, routine);
  WDF_OBJECT_ATTRIBUTES attributes = FrameworkDriver::noting(parent);
  WDFDPC dpc = nullptr;
  CHECK(WdfDpcCreate(&config, &attributes, &dpc) == expected);
  return dpc;
}

WDFTIMER timer_below(WDFOBJECT parent, PFN_WDF_TIMER routine, LONG period = 0,
                     WDF_EXECUTION_LEVEL level = WdfExecutionLevelInheritFromParent,
                     NTSTATUS expected = STATUS_SUCCESS) {
  WDF_TIMER_CONFIG config;
  WDF_TIMER_CONFIG_INIT_PERIODIC(&config, routine, period);
  WDF_OBJECT_ATTRIBUTES attributes = FrameworkDriver::noting(parent);
  attributes.ExecutionLevel = level;
  WDFTIMER timer = nullptr;
  CHECK(WdfTimerCreate(&config, &attributes, &timer) == expected);
  return timer;
}

WDFWORKITEM item_below(WDFOBJECT parent, PFN_WDF_WORKITEM routine, NTSTATUS expected = STATUS_SUCCESS) {
  WDF_WORKITEM_CONFIG config;
  WDF_WORKITEM_CONFIG_INIT(&config, routine);
  WDF_OBJECT_ATTRIBUTES attributes = FrameworkDriver::noting(parent);
  WDFWORKITEM item = nullptr;
  CHECK(WdfWorkItemCreate(&config, &attributes, &item) == expected);
  return item;
}

}  // namespace

// Source: WdfDpcEnqueue, WdfDpcCancel.
TEST_CASE("a DPC object is queued once, runs at DISPATCH_LEVEL, and can be cancelled before") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFDPC dpc = dpc_below(driver.device, [](WDFDPC) { note("dpc"); });
    CHECK(WdfDpcGetParentObject(dpc) == driver.device);
    KIRQL before = KeRaiseIrqlToDpcLevel();
    CHECK(WdfDpcEnqueue(dpc) == TRUE);
    CHECK(WdfDpcEnqueue(dpc) == FALSE);
    KeLowerIrql(before);
    CHECK(driver.log() == "0us dispatch dpc");
    before = KeRaiseIrqlToDpcLevel();
    WdfDpcEnqueue(dpc);
    CHECK(WdfDpcCancel(dpc, FALSE) == TRUE);
    CHECK(WdfDpcCancel(dpc, FALSE) == FALSE);
    KeLowerIrql(before);
    CHECK(driver.log().empty());
    CHECK(WdfDpcWdmGetDpc(dpc) != nullptr);
  });
  CHECK(driver.found().empty());
}

// Source: WdfDpcCancel with Wait; "waits until all callbacks have returned".
TEST_CASE("cancelling a DPC with Wait returns when its callback on another processor has returned") {
  FrameworkDriver driver({.guest_cpus = 2});
  WDFDPC dpc = nullptr;
  driver.in_thread([&] {
    driver.bring_up();
    dpc = dpc_below(driver.device, [](WDFDPC) {
      FrameworkDriver::current().guest.consume(20us);
      note("dpc done");
    });
    driver.log();
  });
  driver.start(driver.guest, 1, [&] { WdfDpcEnqueue(dpc); });
  driver.start(driver.guest, 0, [&] {
    driver.guest.consume(5us);
    CHECK(WdfDpcCancel(dpc, TRUE) == FALSE);
    note("cancelled");
  });
  driver.quiesce();
  CHECK(driver.log() == "20us dispatch dpc done 20us passive cancelled");
}

// Source: WdfDpcCreate, WdfTimerCreate, WdfWorkItemCreate, return values.
TEST_CASE("what runs later needs a parent below a device") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const auto dpc = [](WDFDPC) {};
    const auto timer = [](WDFTIMER) {};
    const auto item = [](WDFWORKITEM) {};
    dpc_below(nullptr, dpc, STATUS_WDF_PARENT_NOT_SPECIFIED);
    timer_below(nullptr, timer, 0, WdfExecutionLevelInheritFromParent, STATUS_WDF_PARENT_NOT_SPECIFIED);
    item_below(nullptr, item, STATUS_WDF_PARENT_NOT_SPECIFIED);
    dpc_below(driver.driver, dpc, STATUS_INVALID_DEVICE_REQUEST);
    timer_below(driver.driver, timer, 0, WdfExecutionLevelInheritFromParent, STATUS_INVALID_DEVICE_REQUEST);
    item_below(driver.driver, item, STATUS_INVALID_DEVICE_REQUEST);
    timer_below(driver.device, timer, 5, WdfExecutionLevelPassive, STATUS_INVALID_PARAMETER);
  });
  CHECK(driver.found().empty());
}

// Source: WdfTimerStart, WdfTimerStop, WDF_TIMER_CONFIG.
TEST_CASE("a timer expires once or again and again, at DISPATCH_LEVEL or in a worker at PASSIVE_LEVEL") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFTIMER once = timer_below(driver.device, [](WDFTIMER) { note("once"); });
    CHECK(WdfTimerGetParentObject(once) == driver.device);
    CHECK(WdfTimerStart(once, WDF_REL_TIMEOUT_IN_US(100)) == FALSE);
    CHECK(WdfTimerStart(once, WDF_REL_TIMEOUT_IN_US(50)) == TRUE);
    driver.guest.delay(1ms);
    CHECK(driver.log() == "50us dispatch once");
    CHECK(WdfTimerStop(once, FALSE) == FALSE);

    const WDFTIMER often = timer_below(
        driver.device, [](WDFTIMER) { note("often"); }, 2);
    WdfTimerStart(often, WDF_ABS_TIMEOUT_IN_MS(2));
    driver.guest.delay(6ms);
    CHECK(WdfTimerStop(often, TRUE) == TRUE);
    driver.guest.delay(6ms);
    CHECK(driver.log() == "2000us dispatch often 4000us dispatch often 6000us dispatch often");

    const WDFTIMER passive = timer_below(
        driver.device, [](WDFTIMER) { note("passive"); }, 0, WdfExecutionLevelPassive);
    WdfTimerStart(passive, WDF_REL_TIMEOUT_IN_MS(1));
    driver.guest.delay(2ms);
    CHECK(driver.log() == "14000us passive passive");
  });
  CHECK(driver.found().empty());
}

// Source: EVT_WDF_OBJECT_CONTEXT_CLEANUP: the framework waits until the callback has returned.
TEST_CASE("deleting a device stops its timers and waits for its work items before it cleans them up") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFTIMER timer = timer_below(driver.device, [](WDFTIMER) { note("never"); });
    FrameworkDriver::named(timer, "timer");
    WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_SEC(1));
    const WDFWORKITEM item = item_below(driver.device, [](WDFWORKITEM) {
      FrameworkDriver::current().guest.delay(30us);
      note("item done");
    });
    FrameworkDriver::named(item, "item");
    WdfWorkItemEnqueue(item);
    driver.node->remove();
  });
  CHECK(driver.log() ==
        "QueryRemove IoSuspend PreInterruptsDisabled D0Exit ReleaseHardware IoFlush IoCleanup timer:cleanup "
        "30us passive item done item:cleanup device:cleanup timer:destroy item:destroy device:destroy");
  CHECK(driver.found().empty());
}

// Source: WdfWorkItemEnqueue, WdfWorkItemFlush.
TEST_CASE("a work item runs once for several calls while it is queued, and may queue itself again") {
  FrameworkDriver driver;
  static int left;
  left = 2;
  with_driver(driver, [&] {
    const WDFWORKITEM item = item_below(driver.device, [](WDFWORKITEM self) {
      note("item");
      if (--left > 0) WdfWorkItemEnqueue(self);
    });
    CHECK(WdfWorkItemGetParentObject(item) == driver.device);
    const KIRQL before = KeRaiseIrqlToDpcLevel();  // no worker meanwhile
    WdfWorkItemEnqueue(item);
    WdfWorkItemEnqueue(item);
    KeLowerIrql(before);
    WdfWorkItemFlush(item);
    CHECK(driver.log() == "0us passive item 0us passive item");
    WdfWorkItemFlush(item);
  });
  CHECK(driver.found().empty());
}

// Source: WdfWorkItemFlush, WdfTimerStop, remarks: not inside the callback.
TEST_CASE("waiting for oneself is a finding and no deadlock") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFWORKITEM item = item_below(driver.device, [](WDFWORKITEM self) { WdfWorkItemFlush(self); });
    WdfWorkItemEnqueue(item);
    driver.guest.delay(1ms);
    const WDFTIMER timer = timer_below(
        driver.device, [](WDFTIMER self) { WdfTimerStop(self, TRUE); }, 0, WdfExecutionLevelPassive);
    WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_US(1));
    driver.guest.delay(1ms);
  });
  CHECK(driver.found() ==
        "WDF: WdfWorkItemFlush called in the work item's own callback: a deadlock\n"
        "WDF: WdfTimerStop waits for the timer's callback in that callback: a deadlock\n");
}

// Source: "Using Automatic Synchronization"; WDF_DPC_CONFIG, AutomaticSerialization; WdfObjectAcquireLock.
TEST_CASE("callbacks of a device's synchronization scope exclude each other") {
  for (const bool scoped : {true, false}) {
    INFO(scoped);
    FrameworkDriver driver({.guest_cpus = 2});
    if (scoped) driver.device_attributes.SynchronizationScope = WdfSynchronizationScopeDevice;
    WDFDPC dpc = nullptr;
    driver.in_thread([&] {
      driver.bring_up();
      dpc = dpc_below(driver.device, [](WDFDPC) { note("dpc"); });
      driver.log();
    });
    driver.start(driver.guest, 0, [&] {
      if (scoped) WdfObjectAcquireLock(driver.device);
      driver.guest.consume(20us);
      if (scoped) WdfObjectReleaseLock(driver.device);
    });
    driver.start(driver.guest, 1, [&] {
      driver.guest.consume(5us);
      WdfDpcEnqueue(dpc);
    });
    driver.quiesce();
    CHECK(driver.log() == (scoped ? "20us dispatch dpc" : "5us dispatch dpc"));
    CHECK(driver.found().empty());
  }
}

// Source: WdfDpcCreate and WdfWorkItemCreate: STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL.
TEST_CASE("a callback is not serialized with those of another execution level") {
  for (const bool passive : {true, false}) {
    INFO(passive);
    FrameworkDriver driver;
    driver.device_attributes.SynchronizationScope = WdfSynchronizationScopeDevice;
    driver.device_attributes.ExecutionLevel = passive ? WdfExecutionLevelPassive : WdfExecutionLevelDispatch;
    with_driver(driver, [&] {
      dpc_below(
          driver.device, [](WDFDPC) {}, passive ? STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL : STATUS_SUCCESS);
      item_below(
          driver.device, [](WDFWORKITEM) {}, passive ? STATUS_SUCCESS : STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL);
    });
    CHECK(driver.found().empty());
  }
}

// Source: WdfSpinLockAcquire, WdfSpinLockRelease.
TEST_CASE("a spin lock raises to DISPATCH_LEVEL and returns to where its owner was") {
  FrameworkDriver driver({.guest_cpus = 2});
  WDFSPINLOCK lock = nullptr;
  driver.in_thread([&] {
    driver.bring_up();
    CHECK(WdfSpinLockCreate(nullptr, &lock) == STATUS_SUCCESS);
    driver.log();
  });
  for (const std::uint32_t cpu : {0u, 1u})
    driver.start(driver.guest, cpu, [&] {
      WdfSpinLockAcquire(lock);
      driver.guest.consume(10us);
      note("held");
      WdfSpinLockRelease(lock);
      CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
    });
  driver.quiesce();
  CHECK(driver.log() == "10us dispatch held 20us dispatch held");
  CHECK(driver.found().empty());
}

// Source: WdfWaitLockAcquire, WdfWaitLockRelease.
TEST_CASE("a wait lock is waited for, looked at, or waited for until a timeout") {
  FrameworkDriver driver({.guest_cpus = 2});
  WDFWAITLOCK lock = nullptr;
  driver.in_thread([&] {
    driver.bring_up();
    CHECK(WdfWaitLockCreate(nullptr, &lock) == STATUS_SUCCESS);
    driver.log();
  });
  driver.start(driver.guest, 0, [&] {
    CHECK(WdfWaitLockAcquire(lock, nullptr) == STATUS_SUCCESS);
    driver.guest.delay(100us);
    WdfWaitLockRelease(lock);
  });
  driver.start(driver.guest, 1, [&] {
    driver.guest.consume(1us);
    LONGLONG look = 0, some = WDF_REL_TIMEOUT_IN_US(10);
    CHECK(WdfWaitLockAcquire(lock, &look) == STATUS_TIMEOUT);
    CHECK(WdfWaitLockAcquire(lock, &some) == STATUS_TIMEOUT);
    note("in vain");
    CHECK(WdfWaitLockAcquire(lock, nullptr) == STATUS_SUCCESS);
    note("got it");
    WdfWaitLockRelease(lock);
  });
  driver.quiesce();
  CHECK(driver.log() == "11us passive in vain 100us passive got it");
  CHECK(driver.found().empty());
}

TEST_CASE("a wait lock that its owner takes again, or that somebody else gives back, is a finding") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    WDFWAITLOCK lock = nullptr;
    CHECK(WdfWaitLockCreate(nullptr, &lock) == STATUS_SUCCESS);
    WdfWaitLockRelease(lock);
    WdfWaitLockAcquire(lock, nullptr);
    WdfWaitLockAcquire(lock, nullptr);
    WdfWaitLockRelease(lock);
  });
  CHECK(driver.found() ==
        "WDF: WdfWaitLockRelease called by a thread that does not own the lock\n"
        "WDF: WdfWaitLockAcquire called by the lock's owner: a sure deadlock\n");
}

// Source: the "IRQL" line of each function's page.
TEST_CASE("what waits needs PASSIVE_LEVEL") {
  struct Row {
    const char* call;
    Irql legal;
    std::function<void(FrameworkDriver&)> make;
  };
  const std::vector<Row> rows{{"WdfDpcCancel with Wait", Irql::passive,
                               [](FrameworkDriver& d) { WdfDpcCancel(dpc_below(d.device, [](WDFDPC) {}), TRUE); }},
                              {"WdfDpcCancel", Irql::dispatch,
                               [](FrameworkDriver& d) { WdfDpcCancel(dpc_below(d.device, [](WDFDPC) {}), FALSE); }},
                              {"WdfTimerStop with Wait", Irql::passive,
                               [](FrameworkDriver& d) { WdfTimerStop(timer_below(d.device, [](WDFTIMER) {}), TRUE); }},
                              {"WdfTimerStop", Irql::dispatch,
                               [](FrameworkDriver& d) { WdfTimerStop(timer_below(d.device, [](WDFTIMER) {}), FALSE); }},
                              {"WdfWorkItemFlush", Irql::passive,
                               [](FrameworkDriver& d) { WdfWorkItemFlush(item_below(d.device, [](WDFWORKITEM) {})); }},
                              {"WdfWaitLockAcquire", Irql::passive,
                               [](FrameworkDriver&) {
                                 WDFWAITLOCK lock;
                                 static_cast<void>(WdfWaitLockCreate(nullptr, &lock));
                                 if (WdfWaitLockAcquire(lock, nullptr) == STATUS_SUCCESS) WdfWaitLockRelease(lock);
                               }},
                              {"WdfWaitLockAcquire that only looks", Irql::dispatch, [](FrameworkDriver&) {
                                 WDFWAITLOCK lock;
                                 LONGLONG look = 0;
                                 static_cast<void>(WdfWaitLockCreate(nullptr, &lock));
                                 if (WdfWaitLockAcquire(lock, &look) == STATUS_SUCCESS) WdfWaitLockRelease(lock);
                               }}};
  for (const Row& row : rows) {
    for (const Irql level : {Irql::passive, Irql::apc, Irql::dispatch}) {
      INFO(row.call << " at " << name_of(level));
      FrameworkDriver driver;
      with_driver(driver, [&] {
        const KIRQL before = KfRaiseIrql(static_cast<KIRQL>(level));
        row.make(driver);
        KeLowerIrql(before);
      });
      CHECK(driver.found().empty() == (level <= row.legal));
    }
  }
}
