#pragma once
/// The Plug and Play manager of one partition end: loads drivers, gives them their devices, starts and stops these, and
/// takes them away again.
///
/// Order    as the WDK's "PnP and Power Management Scenarios" and the pages of the callbacks say; a failure at any step undoes
///          the steps before it. One operation of a device at a time, but a surprise removal is told at once.
/// Context  Every operation runs in the calling thread of the partition, at PASSIVE_LEVEL.
/// Source   WDK, "A User Plugs in a Device", "A User Unplugs a Device", "A Device Enters a Low-Power State", "A Device
///          Returns to Its Working State", EVT_WDF_DEVICE_... pages.
#include <memory>
#include <string>
#include <vector>

#include "models/kmcl/device.hpp"
#include "models/kmdf/device.hpp"

namespace vmbsim::kmdf {

class LoadedDriver;

/// A device and the driver's object for it.
class DeviceNode {
 public:
  enum class State : std::uint8_t { added, started, low_power, removed };

  DeviceNode(LoadedDriver& driver, kmcl::Device& pdo);

  State state() const { return state_; }
  kmcl::Device& pdo() const { return pdo_; }
  LoadedDriver& driver() const { return driver_; }
  /// Null when the driver made none, and after the removal.
  Device* device() const { return device_; }

  /// From `added` to `started`; on failure to `removed`.
  NTSTATUS start();
  /// From `started` to `low_power`; on failure to `removed`.
  NTSTATUS power_down(WDF_POWER_DEVICE_STATE target = WdfPowerDeviceD3);
  /// From `low_power` to `started`; on failure to `removed`.
  NTSTATUS power_up();
  /// An orderly removal; the driver may veto it, and then nothing has changed.
  NTSTATUS remove();
  /// The device is gone.
  void surprise_remove();
  /// WdfDeviceSetFailed: what must happen happens in a system thread.
  void fail(WDF_DEVICE_FAILED_ACTION action);

 private:
  friend class LoadedDriver;
  class OneAtATime;
  /// Source: WdfDeviceSetFailed: the system restarts a failing device five times.
  static constexpr std::uint32_t most_restarts = 5;

  NTSTATUS add();
  NTSTATUS prepare_hardware();
  void release_hardware();
  NTSTATUS enter_d0(WDF_POWER_DEVICE_STATE previous);
  NTSTATUS leave_d0(WDF_POWER_DEVICE_STATE target, bool gone);
  void hold_queues(ULONG action);
  NTSTATUS begin_self_managed_io();
  NTSTATUS suspend_self_managed_io();
  void tear_down(bool gone);
  void removed();

  LoadedDriver& driver_;
  kmcl::Device& pdo_;
  Device* device_ = nullptr;
  State state_ = State::removed;
  WDF_POWER_DEVICE_STATE power_ = WdfPowerDeviceD3Final;
  bool hardware_ = false;           // PrepareHardware was called
  bool self_managed_ = false;       // SelfManagedIoInit was called
  bool self_managed_runs_ = false;  // and not suspended since
  bool told_gone_ = false;
  std::uint32_t restarts_ = 0;
  KEVENT free_;  // no operation is under way
};

/// One driver in memory.
class LoadedDriver {
 public:
  LoadedDriver(os::Partition& partition, std::string name, PDRIVER_INITIALIZE entry);

  const std::string& name() const { return name_; }
  os::Partition& partition() const { return partition_; }
  DRIVER_OBJECT& object() { return object_; }
  /// Null for a driver that uses no framework.
  Driver* framework_driver = nullptr;
  const std::vector<std::unique_ptr<DeviceNode>>& nodes() const { return nodes_; }
  bool loaded() const { return loaded_; }

  /// Runs DriverEntry; on failure what it made of the framework is deleted.
  NTSTATUS load();
  /// EvtDriverDeviceAdd or AddDevice; null on failure, with the status.
  DeviceNode* add_device(kmcl::Device& pdo, NTSTATUS* status);
  /// Removes its devices, unloads it, and reports what it left behind.
  void unload();

 private:
  os::Partition& partition_;
  std::string name_;
  PDRIVER_INITIALIZE entry_;
  std::vector<WCHAR> registry_path_;
  DRIVER_OBJECT object_{};
  DRIVER_EXTENSION extension_{};
  std::vector<std::unique_ptr<DeviceNode>> nodes_;
  bool loaded_ = false;
};

class PnpManager {
 public:
  explicit PnpManager(os::Partition& partition) : partition_(partition) { partition.watches_buffers = true; }

  /// Loads a driver; it stays known when its DriverEntry fails, and then has no devices.
  LoadedDriver& load(std::string name, PDRIVER_INITIALIZE entry, NTSTATUS* status);
  /// Adds and starts a device; null on failure, with the status.
  DeviceNode* bring_up(LoadedDriver& driver, kmcl::Device& pdo, NTSTATUS* status);
  /// Unloads every driver, last loaded first, and reports what of the partition's memory, timers and threads they left.
  void unload_all();

  const std::vector<std::unique_ptr<LoadedDriver>>& drivers() const { return drivers_; }

 private:
  os::Partition& partition_;
  std::vector<std::unique_ptr<LoadedDriver>> drivers_;
};

}  // namespace vmbsim::kmdf
