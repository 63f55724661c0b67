#include "models/kmdf/pnp.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/kmcl/endpoint.hpp"
#include "models/kmdf/driver.hpp"
#include "models/kmdf/queue.hpp"

namespace vmbsim::kmdf {

namespace {

void require_thread(os::Partition& partition) {
  VMBSIM_ASSERT(&os::Partition::current() == &partition && partition.current_thread() != nullptr &&
                    hw::Processor::current()->irql() == Irql::passive,
                "the Plug and Play manager works in a thread of its partition, at PASSIVE_LEVEL");
}

template <class... Arguments, class... Given>
NTSTATUS call(NTSTATUS (*callback)(Arguments...), const char* name, Given... given) {
  if (callback == nullptr) return STATUS_SUCCESS;
  const SameIrql same(name);
  return callback(given...);
}
template <class... Arguments, class... Given>
void call(void (*callback)(Arguments...), const char* name, Given... given) {
  if (callback == nullptr) return;
  const SameIrql same(name);
  callback(given...);
}

}  // namespace

/// Holds a device's other operations back.
class DeviceNode::OneAtATime {
 public:
  explicit OneAtATime(DeviceNode& node) : node_(node) {
    require_thread(node.driver_.partition());
    KeWaitForSingleObject(&node_.free_, Executive, KernelMode, FALSE, nullptr);
  }
  ~OneAtATime() { KeSetEvent(&node_.free_, IO_NO_INCREMENT, FALSE); }
  OneAtATime(const OneAtATime&) = delete;
  OneAtATime& operator=(const OneAtATime&) = delete;

 private:
  DeviceNode& node_;
};

DeviceNode::DeviceNode(LoadedDriver& driver, kmcl::Device& pdo) : driver_(driver), pdo_(pdo) {
  KeInitializeEvent(&free_, SynchronizationEvent, TRUE);
}

#define CALL(name, ...) \
  call(device_->callbacks().name, #name, device_->handle_as<WDFDEVICE>() __VA_OPT__(, ) __VA_ARGS__)

NTSTATUS DeviceNode::add() {
  const OneAtATime one(*this);
  Driver* framework_driver = driver_.framework_driver;
  if (framework_driver == nullptr) {
    const PDRIVER_ADD_DEVICE add_device = driver_.object().DriverExtension->AddDevice;
    if (add_device == nullptr) return STATUS_NOT_SUPPORTED;
    const NTSTATUS status = call(add_device, "AddDevice", &driver_.object(), &pdo_.object);
    if (NT_SUCCESS(status)) state_ = State::added;
    return status;
  }
  if (framework_driver->config().EvtDriverDeviceAdd == nullptr) return STATUS_NOT_SUPPORTED;
  WDFDEVICE_INIT init{.driver = *framework_driver, .pdo = pdo_};
  const NTSTATUS status = call(framework_driver->config().EvtDriverDeviceAdd, "EvtDriverDeviceAdd",
                               framework_driver->handle_as<WDFDRIVER>(), &init);
  auto* device = static_cast<Device*>(init.created);
  if (!NT_SUCCESS(status)) {
    if (device != nullptr) device->remove();
    return status;
  }
  device_ = device;
  if (device != nullptr) device->node = this;
  state_ = State::added;
  return status;
}

NTSTATUS DeviceNode::start() {
  const OneAtATime one(*this);
  if (state_ != State::added) return STATUS_INVALID_DEVICE_STATE;
  if (device_ == nullptr) {
    state_ = State::started;
    return STATUS_SUCCESS;
  }
  NTSTATUS status = prepare_hardware();
  if (NT_SUCCESS(status)) status = enter_d0(WdfPowerDeviceD3Final);
  if (!NT_SUCCESS(status)) {
    tear_down(false);
    return status;
  }
  state_ = State::started;
  return STATUS_SUCCESS;
}

NTSTATUS DeviceNode::prepare_hardware() {
  hardware_ = true;
  const auto resources = device_->resources().handle_as<WDFCMRESLIST>();
  return CALL(EvtDevicePrepareHardware, resources, resources);
}

void DeviceNode::release_hardware() {
  if (!hardware_) return;
  hardware_ = false;
  CALL(EvtDeviceReleaseHardware, device_->resources().handle_as<WDFCMRESLIST>());
}

/// On failure the device has left D0 again as far as it had come.
NTSTATUS DeviceNode::enter_d0(WDF_POWER_DEVICE_STATE previous) {
  NTSTATUS status = CALL(EvtDeviceD0Entry, previous);
  if (!NT_SUCCESS(status)) return status;
  status = CALL(EvtDeviceD0EntryPostInterruptsEnabled, previous);
  if (NT_SUCCESS(status)) {
    power_ = WdfPowerDeviceD0;
    for (std::size_t i = 0; i < device_->queues().size(); ++i)
      if (device_->queues()[i]->power_managed()) device_->queues()[i]->resume();
    status = begin_self_managed_io();
    if (NT_SUCCESS(status)) return status;
    hold_queues(WdfRequestStopActionPurge);
    CALL(EvtDeviceD0ExitPreInterruptsDisabled, WdfPowerDeviceD3Final);
  }
  CALL(EvtDeviceD0Exit, WdfPowerDeviceD3Final);
  power_ = WdfPowerDeviceD3Final;
  return status;
}

/// Goes all the way down whatever the callbacks return; the first failure is the result.
/// Source: the order of a device that is gone is that of "Surprise Removal", which holds the queues first.
NTSTATUS DeviceNode::leave_d0(WDF_POWER_DEVICE_STATE target, bool gone) {
  NTSTATUS status = STATUS_SUCCESS;
  const auto note = [&status](NTSTATUS each) {
    if (NT_SUCCESS(status)) status = each;
  };
  const ULONG action = target == WdfPowerDeviceD3Final ? WdfRequestStopActionPurge : WdfRequestStopActionSuspend;
  if (gone) hold_queues(action);
  note(suspend_self_managed_io());
  if (!gone) hold_queues(action);
  note(CALL(EvtDeviceD0ExitPreInterruptsDisabled, target));
  note(CALL(EvtDeviceD0Exit, target));
  power_ = target;
  return status;
}

void DeviceNode::hold_queues(ULONG action) {
  for (std::size_t i = 0; i < device_->queues().size(); ++i)
    if (device_->queues()[i]->power_managed()) device_->queues()[i]->hold(action);
}

NTSTATUS DeviceNode::begin_self_managed_io() {
  NTSTATUS status = STATUS_SUCCESS;
  if (!self_managed_) {
    self_managed_ = true;
    status = CALL(EvtDeviceSelfManagedIoInit);
  } else {
    status = CALL(EvtDeviceSelfManagedIoRestart);
  }
  self_managed_runs_ = NT_SUCCESS(status);
  return status;
}

NTSTATUS DeviceNode::suspend_self_managed_io() {
  if (!self_managed_runs_) return STATUS_SUCCESS;
  self_managed_runs_ = false;
  return CALL(EvtDeviceSelfManagedIoSuspend);
}

NTSTATUS DeviceNode::power_down(WDF_POWER_DEVICE_STATE target) {
  const OneAtATime one(*this);
  if (state_ != State::started || device_ == nullptr) return STATUS_INVALID_DEVICE_STATE;
  const NTSTATUS status = leave_d0(target, false);
  if (!NT_SUCCESS(status)) {
    tear_down(false);
    return status;
  }
  state_ = State::low_power;
  return STATUS_SUCCESS;
}

NTSTATUS DeviceNode::power_up() {
  const OneAtATime one(*this);
  if (state_ != State::low_power) return STATUS_INVALID_DEVICE_STATE;
  const NTSTATUS status = enter_d0(power_);
  if (!NT_SUCCESS(status)) {
    tear_down(true);
    return status;
  }
  state_ = State::started;
  return STATUS_SUCCESS;
}

NTSTATUS DeviceNode::remove() {
  const OneAtATime one(*this);
  if (state_ == State::removed) return STATUS_SUCCESS;
  if (device_ != nullptr && state_ != State::added) {
    const NTSTATUS status = CALL(EvtDeviceQueryRemove);
    if (!NT_SUCCESS(status)) return status;
  }
  tear_down(false);
  return STATUS_SUCCESS;
}

void DeviceNode::surprise_remove() {
  require_thread(driver_.partition());
  if (state_ == State::removed || told_gone_) return;
  if (device_ != nullptr) {  // beside whatever operation is under way
    told_gone_ = true;
    device_->reference();
    Device& device = *device_;
    call(device.callbacks().EvtDeviceSurpriseRemoval, "EvtDeviceSurpriseRemoval", device.handle_as<WDFDEVICE>());
    device.dereference("the Plug and Play manager");
  }
  const OneAtATime one(*this);
  if (state_ != State::removed) tear_down(true);
}

/// The way out from any state: what is on is switched off, what was got is given back, the device is deleted.
void DeviceNode::tear_down(bool gone) {
  if (device_ == nullptr) return removed();
  if (gone && !told_gone_) {
    told_gone_ = true;
    CALL(EvtDeviceSurpriseRemoval);
  }
  if (power_ == WdfPowerDeviceD0) leave_d0(WdfPowerDeviceD3Final, gone);
  release_hardware();
  for (std::size_t i = 0; i < device_->queues().size(); ++i) {
    device_->queues()[i]->purge(nullptr, nullptr);
    device_->queues()[i]->wait_idle(true);
  }
  if (self_managed_) {
    CALL(EvtDeviceSelfManagedIoFlush);
    CALL(EvtDeviceSelfManagedIoCleanup);
  }
  Device& device = *device_;
  removed();
  device.remove();
}

void DeviceNode::removed() {
  device_ = nullptr;
  state_ = State::removed;
  power_ = WdfPowerDeviceD3Final;
  self_managed_ = self_managed_runs_ = false;
}

#undef CALL

void DeviceNode::fail(WDF_DEVICE_FAILED_ACTION action) {
  struct Failure {
    DeviceNode& node;
    bool restart;
  };
  os::Partition& partition = driver_.partition();
  partition.create_thread(
      driver_.name() + " failed device", os::Thread::priority_critical, hw::Processor::current()->id(), false,
      [](void* object) {
        const std::unique_ptr<Failure> failure(static_cast<Failure*>(object));
        DeviceNode& node = failure->node;
        node.surprise_remove();
        if (!failure->restart || node.state_ != State::removed) return;
        node.told_gone_ = false;
        if (NT_SUCCESS(node.add())) node.start();
      },
      new Failure{*this, action == WdfDeviceFailedAttemptRestart && ++restarts_ <= most_restarts});
}

// ---- Drivers ----

LoadedDriver::LoadedDriver(os::Partition& partition, std::string name, PDRIVER_INITIALIZE entry)
    : partition_(partition), name_(std::move(name)), entry_(entry) {
  for (const char* text = "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"; *text != 0; ++text)
    registry_path_.push_back(static_cast<WCHAR>(*text));
  const std::size_t name_at = registry_path_.size();
  for (const char each : name_) registry_path_.push_back(static_cast<WCHAR>(static_cast<unsigned char>(each)));
  registry_path_.push_back(0);
  extension_.DriverObject = &object_;
  RtlInitUnicodeString(&extension_.ServiceKeyName, static_cast<PCWSTR>(registry_path_.data()));
  RtlInitUnicodeString(&object_.DriverName, static_cast<PCWSTR>(registry_path_.data() + name_at));
  object_.Size = sizeof object_;
  object_.DriverExtension = &extension_;
  object_.DriverInit = entry;
  object_.Simulator = this;
}

NTSTATUS LoadedDriver::load() {
  require_thread(partition_);
  const NTSTATUS status = call(entry_, "DriverEntry", &object_, &extension_.ServiceKeyName);
  loaded_ = NT_SUCCESS(status);
  if (!loaded_ && framework_driver != nullptr) {
    framework_driver->remove();
    framework_driver = nullptr;
  }
  return status;
}

DeviceNode* LoadedDriver::add_device(kmcl::Device& pdo, NTSTATUS* status) {
  require_thread(partition_);
  nodes_.push_back(std::make_unique<DeviceNode>(*this, pdo));
  DeviceNode& node = *nodes_.back();
  *status = node.add();
  return NT_SUCCESS(*status) ? &node : nullptr;
}

void LoadedDriver::unload() {
  require_thread(partition_);
  if (!loaded_) return;
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    const DeviceNode::OneAtATime one(**node);
    if ((*node)->state() != DeviceNode::State::removed) (*node)->tear_down(false);
  }
  loaded_ = false;
  if (framework_driver == nullptr) {
    if (object_.DriverUnload == nullptr)
      partition_.findings().add("WDF", BugCheck::none, name_, "the driver has no DriverUnload: it cannot be unloaded");
    call(object_.DriverUnload, "DriverUnload", &object_);
    return;
  }
  Driver& driver = *framework_driver;
  Framework& framework = driver.framework();
  call(driver.config().EvtDriverUnload, "EvtDriverUnload", driver.handle_as<WDFDRIVER>());
  framework_driver = nullptr;
  driver.remove();
  const std::string left = framework.abandon(driver);
  if (!left.empty())
    framework.report(fmt::format("the driver was unloaded while references to deleted objects remain: {}", left),
                     BugCheck::wdf_violation, name_);
}

LoadedDriver& PnpManager::load(std::string name, PDRIVER_INITIALIZE entry, NTSTATUS* status) {
  drivers_.push_back(std::make_unique<LoadedDriver>(partition_, std::move(name), entry));
  *status = drivers_.back()->load();
  return *drivers_.back();
}

DeviceNode* PnpManager::bring_up(LoadedDriver& driver, kmcl::Device& pdo, NTSTATUS* status) {
  DeviceNode* node = driver.add_device(pdo, status);
  if (node == nullptr) return nullptr;
  *status = node->start();
  return NT_SUCCESS(*status) ? node : nullptr;
}

void PnpManager::unload_all() {
  for (auto driver = drivers_.rbegin(); driver != drivers_.rend(); ++driver) (*driver)->unload();
  for (const auto& driver : drivers_)
    for (const auto& node : driver->nodes()) kmcl::Endpoint::report_left(node->pdo());
  if (!drivers_.empty()) partition_.report_leaks(partition_.name());
}

}  // namespace vmbsim::kmdf
