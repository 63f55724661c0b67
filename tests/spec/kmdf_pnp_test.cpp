// How a framework driver's device is started, powered, stopped and taken away.
// Source: WDK, "PnP and Power Management Scenarios": "A User Plugs in a Device", "A Device Enters a Low-Power State", "A
// Device Returns to Its Working State", "A User Unplugs a Device"; the pages of the callbacks.
#include <catch2/catch.hpp>

#include "tests/support/framework_driver.hpp"

using namespace vmbsim;
using vmbsim::testing::FrameworkDriver;

namespace {
constexpr const char* up = "DeviceAdd PrepareHardware D0Entry PostInterruptsEnabled IoInit";
constexpr const char* deleted = "device:cleanup device:destroy";
std::string with_deleted(const char* text) { return std::string(text) + " " + deleted; }
}  // namespace

// Source: "A User Plugs in a Device"; "A User Unplugs a Device", Orderly Removal; EVT_WDF_DRIVER_UNLOAD.
TEST_CASE("a device is plugged in, unplugged in an orderly way, and its driver unloaded") {
  FrameworkDriver driver;
  driver.in_thread([&] { CHECK(driver.bring_up() == STATUS_SUCCESS); });
  CHECK(driver.log() == up);
  CHECK(driver.node->state() == kmdf::DeviceNode::State::started);
  driver.in_thread([&] { CHECK(driver.node->remove() == STATUS_SUCCESS); });
  CHECK(driver.log() ==
        with_deleted("QueryRemove IoSuspend PreInterruptsDisabled D0Exit ReleaseHardware IoFlush IoCleanup"));
  CHECK(driver.node->device() == nullptr);
  driver.in_thread([&] { driver.pnp.unload_all(); });
  CHECK(driver.log() == "Unload driver:cleanup driver:destroy");
  CHECK(driver.found().empty());
}

TEST_CASE("unloading a driver removes its devices first, and nobody is asked") {
  FrameworkDriver driver;
  driver.returns["QueryRemove"] = STATUS_UNSUCCESSFUL;
  driver.in_thread([&] {
    driver.bring_up();
    driver.log();
    driver.pnp.unload_all();
  });
  CHECK(driver.log() == with_deleted("IoSuspend PreInterruptsDisabled D0Exit ReleaseHardware IoFlush IoCleanup") +
                            " Unload driver:cleanup driver:destroy");
  CHECK(driver.found().empty());
}

// Source: EVT_WDF_DEVICE_QUERY_REMOVE.
TEST_CASE("a driver vetoes an orderly removal, and nothing has happened") {
  FrameworkDriver driver;
  driver.returns["QueryRemove"] = STATUS_DEVICE_BUSY;
  driver.in_thread([&] {
    driver.bring_up();
    CHECK(driver.node->remove() == STATUS_DEVICE_BUSY);
  });
  CHECK(driver.log() == std::string(up) + " QueryRemove");
  CHECK(driver.node->state() == kmdf::DeviceNode::State::started);
}

// Source: "A User Unplugs a Device", Surprise Removal.
TEST_CASE("a device that is gone is told so, and then taken down") {
  FrameworkDriver driver;
  driver.in_thread([&] {
    driver.bring_up();
    driver.log();
    driver.node->surprise_remove();
    driver.node->surprise_remove();  // it cannot go twice
  });
  CHECK(driver.log() ==
        with_deleted("SurpriseRemoval IoSuspend PreInterruptsDisabled D0Exit ReleaseHardware IoFlush IoCleanup"));
}

// Source: "A Device Enters a Low-Power State"; "A Device Returns to Its Working State";
// EVT_WDF_DEVICE_SELF_MANAGED_IO_INIT: once in a device's life.
TEST_CASE("a device sleeps and wakes, and self-managed I/O restarts and is not initialised again") {
  FrameworkDriver driver;
  driver.in_thread([&] {
    driver.bring_up();
    driver.log();
    for (int i = 0; i < 2; ++i) {
      CHECK(driver.node->power_down() == STATUS_SUCCESS);
      CHECK(driver.node->state() == kmdf::DeviceNode::State::low_power);
      CHECK(driver.node->power_down() == STATUS_INVALID_DEVICE_STATE);
      CHECK(driver.log() == "IoSuspend PreInterruptsDisabled D0Exit");
      CHECK(driver.node->power_up() == STATUS_SUCCESS);
      CHECK(driver.log() == "D0Entry PostInterruptsEnabled IoRestart");
    }
    CHECK(driver.node->power_up() == STATUS_INVALID_DEVICE_STATE);
  });
}

// Source: EVT_WDF_DEVICE_D0_ENTRY: the first time D3Final; EVT_WDF_DEVICE_D0_EXIT: the state that is entered.
TEST_CASE("D0 callbacks are told where the device comes from and where it goes") {
  static std::vector<int> states;
  states.clear();
  FrameworkDriver driver;
  driver.configure = [](PWDFDEVICE_INIT init) {
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDeviceD0Entry = [](WDFDEVICE, WDF_POWER_DEVICE_STATE from) {
      states.push_back(from);
      return STATUS_SUCCESS;
    };
    callbacks.EvtDeviceD0Exit = [](WDFDEVICE, WDF_POWER_DEVICE_STATE to) {
      states.push_back(to);
      return STATUS_SUCCESS;
    };
    WdfDeviceInitSetPnpPowerEventCallbacks(init, &callbacks);
  };
  driver.in_thread([&] {
    driver.bring_up();
    driver.node->power_down(WdfPowerDeviceD2);
    driver.node->power_up();
    driver.node->remove();
  });
  CHECK(states == std::vector<int>{WdfPowerDeviceD3Final, WdfPowerDeviceD2, WdfPowerDeviceD2, WdfPowerDeviceD3Final});
}

// Source: the "returns" section of each callback's page: what follows a failure.
TEST_CASE("a device that fails to start is taken down again, as far as it had come") {
  struct Row {
    const char* callback;
    const char* order;  // after EvtDriverDeviceAdd
  };
  for (const Row& row :
       {Row{"PrepareHardware", "PrepareHardware ReleaseHardware"},
        Row{"D0Entry", "PrepareHardware D0Entry ReleaseHardware"},
        Row{"PostInterruptsEnabled", "PrepareHardware D0Entry PostInterruptsEnabled D0Exit ReleaseHardware"},
        Row{"IoInit",
            "PrepareHardware D0Entry PostInterruptsEnabled IoInit PreInterruptsDisabled D0Exit ReleaseHardware "
            "IoFlush IoCleanup"}}) {
    INFO(row.callback);
    FrameworkDriver driver;
    driver.returns[row.callback] = STATUS_INSUFFICIENT_RESOURCES;
    driver.in_thread([&] { CHECK(driver.bring_up() == STATUS_INSUFFICIENT_RESOURCES); });
    CHECK(driver.log() == with_deleted((std::string("DeviceAdd ") + row.order).c_str()));
    CHECK(driver.node->state() == kmdf::DeviceNode::State::removed);
    CHECK(driver.found().empty());
  }
}

// Source: EVT_WDF_DEVICE_D0_ENTRY: a device that returns from a low-power state is surprise-removed.
TEST_CASE("a device that fails to wake is surprise-removed") {
  struct Row {
    const char* callback;
    const char* order;
  };
  for (const Row& row :
       {Row{"D0Entry", "D0Entry SurpriseRemoval ReleaseHardware IoFlush IoCleanup"},
        Row{"PostInterruptsEnabled",
            "D0Entry PostInterruptsEnabled D0Exit SurpriseRemoval ReleaseHardware IoFlush IoCleanup"},
        Row{"IoRestart",
            "D0Entry PostInterruptsEnabled IoRestart PreInterruptsDisabled D0Exit SurpriseRemoval ReleaseHardware "
            "IoFlush IoCleanup"}}) {
    INFO(row.callback);
    FrameworkDriver driver;
    driver.in_thread([&] {
      driver.bring_up();
      driver.node->power_down();
      driver.log();
      driver.returns[row.callback] = STATUS_DEVICE_DATA_ERROR;
      CHECK(driver.node->power_up() == STATUS_DEVICE_DATA_ERROR);
    });
    CHECK(driver.log() == with_deleted(row.order));
  }
}

// Source: EVT_WDF_DEVICE_SELF_MANAGED_IO_SUSPEND, EVT_WDF_DEVICE_D0_EXIT: the framework stops the device and removes its
// device objects.
TEST_CASE("a device that fails to fall asleep goes all the way down and is removed") {
  for (const char* callback : {"IoSuspend", "PreInterruptsDisabled", "D0Exit"}) {
    INFO(callback);
    FrameworkDriver driver;
    driver.in_thread([&] {
      driver.bring_up();
      driver.log();
      driver.returns[callback] = STATUS_IO_DEVICE_ERROR;
      CHECK(driver.node->power_down() == STATUS_IO_DEVICE_ERROR);
    });
    CHECK(driver.log() == with_deleted("IoSuspend PreInterruptsDisabled D0Exit ReleaseHardware IoFlush IoCleanup"));
  }
}

// Source: EVT_WDF_DRIVER_DEVICE_ADD; DRIVER_INITIALIZE ("DriverEntry for WDF Drivers"): no EvtDriverUnload after a failure.
TEST_CASE("what a failing entry point had made is deleted, and it is not asked to unload") {
  FrameworkDriver driver;
  SECTION("DriverEntry") {
    driver.entry_returns = STATUS_NO_MEMORY;
    driver.in_thread([&] {
      CHECK(driver.bring_up() == STATUS_NO_MEMORY);
      driver.pnp.unload_all();
    });
    CHECK(driver.log() == "driver:cleanup driver:destroy");
    CHECK_FALSE(driver.loaded->loaded());
  }
  SECTION("EvtDriverDeviceAdd") {
    driver.returns["DeviceAdd"] = STATUS_NO_MEMORY;
    driver.in_thread([&] { CHECK(driver.bring_up() == STATUS_NO_MEMORY); });
    CHECK(driver.log() == with_deleted("DeviceAdd"));
    CHECK(driver.node == nullptr);
  }
  CHECK(driver.found().empty());
}

// Source: "A User Unplugs a Device": EvtDeviceSurpriseRemoval is not synchronised with the other callbacks.
TEST_CASE("a removal that surprises a starting device is told at once and done when the start is over") {
  FrameworkDriver driver;
  driver.inside["PrepareHardware"] = [&] {
    driver.guest.delay(10us);
    driver.note("still preparing");
  };
  driver.start(driver.guest, 0, [&] { driver.bring_up(); });
  driver.run_until(5us);
  driver.in_thread([&] { driver.node->surprise_remove(); });
  CHECK(driver.log() ==
        with_deleted("DeviceAdd PrepareHardware SurpriseRemoval still preparing D0Entry PostInterruptsEnabled IoInit "
                     "IoSuspend PreInterruptsDisabled D0Exit ReleaseHardware IoFlush IoCleanup"));
}

// Source: WdfDeviceSetFailed.
TEST_CASE("a driver that declares its device failed loses it, and has it again when it wishes, five times") {
  FrameworkDriver driver;
  WDF_DEVICE_FAILED_ACTION action = WdfDeviceFailedNoRestart;
  driver.in_thread([&] { driver.bring_up(); });
  driver.log();
  SECTION("without a restart") {
    driver.in_thread([&] { WdfDeviceSetFailed(driver.device, action); });
    CHECK(driver.log() ==
          with_deleted("SurpriseRemoval IoSuspend PreInterruptsDisabled D0Exit ReleaseHardware IoFlush IoCleanup"));
  }
  SECTION("with a restart") {
    action = WdfDeviceFailedAttemptRestart;
    driver.in_thread([&] { WdfDeviceSetFailed(driver.device, action); });
    CHECK(driver.log() ==
          with_deleted("SurpriseRemoval IoSuspend PreInterruptsDisabled D0Exit ReleaseHardware IoFlush IoCleanup") +
              " " + up);
    for (int i = 1; i < 5; ++i) driver.in_thread([&] { WdfDeviceSetFailed(driver.device, action); });
    CHECK(driver.node->state() == kmdf::DeviceNode::State::started);
    driver.in_thread([&] { WdfDeviceSetFailed(driver.device, action); });
    CHECK(driver.node->state() == kmdf::DeviceNode::State::removed);
  }
}

// Source: KMCL DDI, VmbChannelAllocate; KMCL_CLIENT_INTERFACE_V1; WdfFdoQueryForInterface.
TEST_CASE("a device's own object serves KMCL, and its stack answers for KMCL's tables") {
  FrameworkDriver driver;
  driver.in_thread([&] {
    driver.bring_up();
    VMBCHANNEL channel = nullptr;
    CHECK(VmbChannelAllocate(WdfDeviceWdmGetDeviceObject(driver.device), FALSE, &channel) == STATUS_SUCCESS);
    VmbChannelCleanup(channel);
    CHECK(WdfDeviceWdmGetPhysicalDevice(driver.device) == &driver.pdo.object);
    CHECK(WdfWdmDeviceGetWdfDeviceHandle(WdfDeviceWdmGetDeviceObject(driver.device)) == driver.device);
    CHECK(WdfDeviceGetDriver(driver.device) == driver.driver);
    CHECK(WdfGetDriver() == driver.driver);

    KMCL_CLIENT_INTERFACE_V1 table{};
    const auto ask = [&](const GUID& type, USHORT size, USHORT version) {
      auto* head = reinterpret_cast<PINTERFACE>(&table);
      const NTSTATUS status = WdfFdoQueryForInterface(driver.device, &type, head, size, version, nullptr);
      CHECK(WdfIoTargetQueryForInterface(WdfDeviceGetIoTarget(driver.device), &type, head, size, version, nullptr) ==
            status);
      return status;
    };
    CHECK(ask(KMCL_CLIENT_INTERFACE_TYPE, sizeof table, KMCL_CLIENT_INTERFACE_VERSION_V1) == STATUS_SUCCESS);
    CHECK(table.VmbPacketSend == VmbPacketSend);
    CHECK(ask(KMCL_CLIENT_INTERFACE_TYPE, sizeof table, 99) == STATUS_INVALID_PARAMETER);
    CHECK(ask(GUID{}, sizeof table, 1) == STATUS_NOT_SUPPORTED);
  });
  CHECK(driver.found().empty());
}

// Source: DRIVER_ADD_DEVICE, DRIVER_UNLOAD.
TEST_CASE("a driver without a framework is loaded, given its device and unloaded") {
  static std::string order;
  order.clear();
  FrameworkDriver machines;
  machines.in_thread([&] {
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    kmdf::LoadedDriver& loaded = machines.pnp.load(
        "plain",
        [](PDRIVER_OBJECT object, PUNICODE_STRING path) -> NTSTATUS {
          order += "DriverEntry ";
          CHECK(path->Buffer[path->Length / sizeof(WCHAR) - 1] == 'n');
          object->DriverExtension->AddDevice = [](PDRIVER_OBJECT, PDEVICE_OBJECT) -> NTSTATUS {
            order += "AddDevice ";
            return STATUS_SUCCESS;
          };
          object->DriverUnload = [](PDRIVER_OBJECT) { order += "DriverUnload"; };
          return STATUS_SUCCESS;
        },
        &status);
    CHECK(machines.pnp.bring_up(loaded, machines.pdo, &status) != nullptr);
    CHECK(status == STATUS_SUCCESS);
    machines.pnp.unload_all();
  });
  CHECK(order == "DriverEntry AddDevice DriverUnload");
}

// Source: WdfDriverCreate, WdfDeviceCreate, return values.
TEST_CASE("creating a driver or a device wrongly is refused with the documented status") {
  FrameworkDriver driver;
  driver.created = [&] {
    WDFDRIVER second = nullptr;
    WDF_DRIVER_CONFIG config;
    WDF_DRIVER_CONFIG_INIT(&config, nullptr);
    PDRIVER_OBJECT object = WdfDriverWdmGetDriverObject(driver.driver);
    CHECK(WdfDriverCreate(object, nullptr, nullptr, &config, &second) == STATUS_DRIVER_INTERNAL_ERROR);
    CHECK(second == nullptr);
  };
  driver.in_thread([&] { driver.bring_up(); });
  CHECK(driver.found().empty());

  FrameworkDriver wrong;
  wrong.device_attributes.Size = 1;
  wrong.in_thread([&] { CHECK(wrong.bring_up() == STATUS_INFO_LENGTH_MISMATCH); });
  CHECK(wrong.node == nullptr);

  FrameworkDriver parented;
  parented.configure = [&](PWDFDEVICE_INIT) { parented.device_attributes.ParentObject = parented.driver; };
  parented.in_thread([&] { CHECK(parented.bring_up() == STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED); });
}
