// Devices: the functions of wdfdevice.h.
#include "models/kmdf/device.hpp"

#include <algorithm>

#include "models/kmcl/interface_tables.hpp"
#include "models/kmdf/driver.hpp"
#include "models/kmdf/pnp.hpp"
#include "models/kmdf/queue.hpp"

namespace vmbsim::kmdf {

IoTarget::IoTarget(Device& target_of)
    : Object(target_of.framework(), Kind::io_target, &target_of.driver()), device(target_of) {}

ResourceList::ResourceList(Device& device) : Object(device.framework(), Kind::resource_list, &device.driver()) {}

Device::Device(Framework& device_framework, const WDFDEVICE_INIT& init)
    : Object(device_framework, Kind::device, &init.driver), init_(init) {
  wdm_.Size = sizeof wdm_;
  wdm_.ReferenceCount = 1;
  wdm_.DriverObject = &init.driver.object();
  wdm_.Simulator = init.pdo.object.Simulator;  // for KMCL one device of the stack is as good as another
}

void Device::furnish() {
  if (synchronization_scope() == WdfSynchronizationScopeDevice)
    lock_ = std::make_unique<CallbackLock>(execution_level() == WdfExecutionLevelPassive);
  io_target_ = new IoTarget(*this);
  resources_ = new ResourceList(*this);
  io_target_->adopt(this, nullptr);
  resources_->adopt(this, nullptr);
}

void Device::dispose() {
  for (Request* request : requests_) request->device_ = nullptr;
  for (Request* request : free_requests_) request->end();
}

void Device::add(Queue& queue, bool is_default) {
  queues_.push_back(&queue);
  if (is_default) default_queue_ = &queue;
}

void Device::drop(Queue& queue) { std::erase(queues_, &queue); }

Queue* Device::queue_for(WDF_REQUEST_TYPE type) const {
  return by_type_[type] != nullptr ? by_type_[type] : default_queue_;
}

bool Device::dispatches_to(const Queue& queue) const {
  return &queue == default_queue_ || std::find(by_type_.begin(), by_type_.end(), &queue) != by_type_.end();
}

Request* Device::take_request() {
  if (!free_requests_.empty()) {
    Request* request = free_requests_.back();
    free_requests_.pop_back();
    request->revive();
    return request;
  }
  auto owned = std::make_unique<Request>(*this);
  Request* request = owned.get();
  framework().keep(std::move(owned));
  const bool attributes = init_.request_attributes.Size != 0;
  // Requests of the framework have no parent. Source: "Summary of Framework Objects".
  if (!NT_SUCCESS(request->adopt(nullptr, attributes ? &init_.request_attributes : nullptr))) {
    std::erase(free_requests_, request);
    return nullptr;
  }
  requests_.push_back(request);
  return request;
}

}  // namespace vmbsim::kmdf

using namespace vmbsim;
using kmdf::Framework;

namespace {
void init_call(const char* call) { Framework::current().require_irql_at_most(Irql::dispatch, call); }

kmdf::Device* device_of(WDFDEVICE handle, Irql highest, const char* call) {
  return Framework::current().object_of<kmdf::Device>(handle, call, highest);
}
}  // namespace

extern "C" {

// ---- Before WdfDeviceCreate ----

VOID WdfDeviceInitSetPnpPowerEventCallbacks(PWDFDEVICE_INIT DeviceInit,
                                            PWDF_PNPPOWER_EVENT_CALLBACKS PnpPowerEventCallbacks) {
  init_call("WdfDeviceInitSetPnpPowerEventCallbacks");
  if (PnpPowerEventCallbacks->Size != sizeof *PnpPowerEventCallbacks)
    return Framework::current().report("WDF_PNPPOWER_EVENT_CALLBACKS with a wrong Size: it was not initialised");
  DeviceInit->callbacks = *PnpPowerEventCallbacks;
}
VOID WdfDeviceInitSetDeviceType(PWDFDEVICE_INIT DeviceInit, DEVICE_TYPE DeviceType) {
  init_call("WdfDeviceInitSetDeviceType");
  DeviceInit->device_type = DeviceType;
}
VOID WdfDeviceInitSetCharacteristics(PWDFDEVICE_INIT DeviceInit, ULONG DeviceCharacteristics, BOOLEAN OrInValues) {
  init_call("WdfDeviceInitSetCharacteristics");
  DeviceInit->characteristics = DeviceCharacteristics | (OrInValues != FALSE ? DeviceInit->characteristics : 0);
}
VOID WdfDeviceInitSetIoType(PWDFDEVICE_INIT DeviceInit, WDF_DEVICE_IO_TYPE IoType) {
  init_call("WdfDeviceInitSetIoType");
  DeviceInit->io_type = IoType;
}
VOID WdfDeviceInitSetExclusive(PWDFDEVICE_INIT DeviceInit, BOOLEAN IsExclusive) {
  init_call("WdfDeviceInitSetExclusive");
  DeviceInit->exclusive = IsExclusive != FALSE;
}
// Who owns the power policy, and whether power IRPs come at DISPATCH_LEVEL, changes nothing here: every device's power is
// the Plug and Play manager's.
VOID WdfDeviceInitSetPowerPolicyOwnership(PWDFDEVICE_INIT, BOOLEAN) {
  init_call("WdfDeviceInitSetPowerPolicyOwnership");
}
VOID WdfDeviceInitSetPowerPageable(PWDFDEVICE_INIT) { init_call("WdfDeviceInitSetPowerPageable"); }
VOID WdfDeviceInitSetPowerNotPageable(PWDFDEVICE_INIT) { init_call("WdfDeviceInitSetPowerNotPageable"); }
VOID WdfDeviceInitSetRequestAttributes(PWDFDEVICE_INIT DeviceInit, PWDF_OBJECT_ATTRIBUTES RequestAttributes) {
  init_call("WdfDeviceInitSetRequestAttributes");
  DeviceInit->request_attributes = *RequestAttributes;
}
VOID WdfFdoInitSetFilter(PWDFDEVICE_INIT DeviceInit) {
  init_call("WdfFdoInitSetFilter");
  DeviceInit->filter = true;
}
PDEVICE_OBJECT WdfFdoInitWdmGetPhysicalDevice(PWDFDEVICE_INIT DeviceInit) {
  init_call("WdfFdoInitWdmGetPhysicalDevice");
  return &DeviceInit->pdo.object;
}

// ---- The device ----

NTSTATUS WdfDeviceCreate(PWDFDEVICE_INIT* DeviceInit, PWDF_OBJECT_ATTRIBUTES DeviceAttributes, WDFDEVICE* Device) {
  Framework& framework = Framework::current();
  *Device = nullptr;
  if (!framework.require_irql_at_most(Irql::passive, "WdfDeviceCreate")) return STATUS_INVALID_DEVICE_STATE;
  if (*DeviceInit == nullptr) {
    framework.report("WdfDeviceCreate called without a WDFDEVICE_INIT: it was used already");
    return STATUS_INVALID_PARAMETER;
  }
  if (DeviceAttributes != nullptr && DeviceAttributes->ParentObject != nullptr)
    return STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED;
  if ((*DeviceInit)->created != nullptr) return STATUS_INVALID_DEVICE_STATE;
  auto* device = new kmdf::Device(framework, **DeviceInit);
  const NTSTATUS status = device->adopt(&(*DeviceInit)->driver, DeviceAttributes);
  if (!NT_SUCCESS(status)) return status;
  device->furnish();
  (*DeviceInit)->created = device;
  *DeviceInit = nullptr;
  *Device = device->handle_as<WDFDEVICE>();
  return STATUS_SUCCESS;
}

PDEVICE_OBJECT WdfDeviceWdmGetDeviceObject(WDFDEVICE Device) {
  kmdf::Device* device = device_of(Device, Irql::high, "WdfDeviceWdmGetDeviceObject");
  return device != nullptr ? &device->wdm() : nullptr;
}
PDEVICE_OBJECT WdfDeviceWdmGetPhysicalDevice(WDFDEVICE Device) {
  const kmdf::Device* device = device_of(Device, Irql::dispatch, "WdfDeviceWdmGetPhysicalDevice");
  return device != nullptr ? &device->pdo().object : nullptr;
}
PDEVICE_OBJECT WdfDeviceWdmGetAttachedDevice(WDFDEVICE Device) {
  const kmdf::Device* device = device_of(Device, Irql::dispatch, "WdfDeviceWdmGetAttachedDevice");
  return device != nullptr ? &device->pdo().object : nullptr;
}

WDFDEVICE WdfWdmDeviceGetWdfDeviceHandle(PDEVICE_OBJECT DeviceObject) {
  Framework::current().require_irql_at_most(Irql::dispatch, "WdfWdmDeviceGetWdfDeviceHandle");
  if (DeviceObject->DriverObject == nullptr) return nullptr;
  for (const auto& node : static_cast<kmdf::LoadedDriver*>(DeviceObject->DriverObject->Simulator)->nodes())
    if (node->device() != nullptr && &node->device()->wdm() == DeviceObject)
      return node->device()->handle_as<WDFDEVICE>();
  return nullptr;
}

WDFDRIVER WdfDeviceGetDriver(WDFDEVICE Device) {
  const kmdf::Device* device = device_of(Device, Irql::high, "WdfDeviceGetDriver");
  return device != nullptr ? device->driver().handle_as<WDFDRIVER>() : nullptr;
}
WDFIOTARGET WdfDeviceGetIoTarget(WDFDEVICE Device) {
  const kmdf::Device* device = device_of(Device, Irql::dispatch, "WdfDeviceGetIoTarget");
  return device != nullptr ? device->io_target().handle_as<WDFIOTARGET>() : nullptr;
}
WDFQUEUE WdfDeviceGetDefaultQueue(WDFDEVICE Device) {
  const kmdf::Device* device = device_of(Device, Irql::dispatch, "WdfDeviceGetDefaultQueue");
  return device != nullptr && device->default_queue() != nullptr ? device->default_queue()->handle_as<WDFQUEUE>()
                                                                 : nullptr;
}

NTSTATUS WdfDeviceCreateDeviceInterface(WDFDEVICE Device, const GUID* InterfaceClassGUID, PCUNICODE_STRING) {
  kmdf::Device* device = device_of(Device, Irql::passive, "WdfDeviceCreateDeviceInterface");
  if (device == nullptr) return STATUS_INVALID_HANDLE;
  device->interfaces.push_back(*InterfaceClassGUID);
  return STATUS_SUCCESS;
}

VOID WdfDeviceSetFailed(WDFDEVICE Device, WDF_DEVICE_FAILED_ACTION FailedAction) {
  kmdf::Device* device = device_of(Device, Irql::dispatch, "WdfDeviceSetFailed");
  if (device != nullptr && device->node != nullptr) device->node->fail(FailedAction);
}

static kmdf::CallbackLock* lock_of(WDFOBJECT handle, const char* call) {
  Framework& framework = Framework::current();
  kmdf::Object* object = framework.any_object_of(handle, call);
  if (object == nullptr) return nullptr;
  kmdf::CallbackLock* lock = object->kind() == kmdf::Kind::device  ? static_cast<kmdf::Device*>(object)->lock()
                             : object->kind() == kmdf::Kind::queue ? static_cast<kmdf::Queue*>(object)->lock()
                                                                   : nullptr;
  if (lock == nullptr)
    framework.report(std::string(call) + " called for an object without a synchronization scope");
  else
    framework.require_irql_at_most(lock->passive() ? Irql::passive : Irql::dispatch, call);
  return lock;
}

VOID WdfObjectAcquireLock(WDFOBJECT Object) {
  kmdf::CallbackLock* lock = lock_of(Object, "WdfObjectAcquireLock");
  if (lock == nullptr) return;
  if (lock->held_here())
    return Framework::current().report("WdfObjectAcquireLock called by the lock's owner: a deadlock");
  lock->acquire();
}
VOID WdfObjectReleaseLock(WDFOBJECT Object) {
  kmdf::CallbackLock* lock = lock_of(Object, "WdfObjectReleaseLock");
  if (lock == nullptr) return;
  if (!lock->held_here())
    return Framework::current().report("WdfObjectReleaseLock called by somebody who does not own it");
  lock->release();
}

// ---- Interfaces of other drivers of the stack ----

NTSTATUS WdfFdoQueryForInterface(WDFDEVICE Fdo, LPCGUID InterfaceType, PINTERFACE Interface, USHORT Size,
                                 USHORT Version, PVOID) {
  kmdf::Device* device = device_of(Fdo, Irql::passive, "WdfFdoQueryForInterface");
  if (device == nullptr) return STATUS_INVALID_HANDLE;
  return kmcl::query_interface(*InterfaceType, *Interface, Size, Version);
}
NTSTATUS WdfIoTargetQueryForInterface(WDFIOTARGET IoTarget, LPCGUID InterfaceType, PINTERFACE Interface, USHORT Size,
                                      USHORT Version, PVOID) {
  auto* target =
      Framework::current().object_of<kmdf::IoTarget>(IoTarget, "WdfIoTargetQueryForInterface", Irql::passive);
  if (target == nullptr) return STATUS_INVALID_HANDLE;
  return kmcl::query_interface(*InterfaceType, *Interface, Size, Version);
}
WDFDEVICE WdfIoTargetGetDevice(WDFIOTARGET IoTarget) {
  auto* target = Framework::current().object_of<kmdf::IoTarget>(IoTarget, "WdfIoTargetGetDevice");
  return target != nullptr ? target->device.handle_as<WDFDEVICE>() : nullptr;
}
ULONG WdfCmResourceListGetCount(WDFCMRESLIST List) {
  Framework& framework = Framework::current();
  framework.require_irql_at_most(Irql::dispatch, "WdfCmResourceListGetCount");
  framework.object_of<kmdf::ResourceList>(List, "WdfCmResourceListGetCount");
  return 0;
}

}  // extern "C"
