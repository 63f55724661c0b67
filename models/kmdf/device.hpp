#pragma once
/// A framework device: WDFDEVICE, with its I/O target and its empty resource lists.
/// Source: WDK, WdfDeviceCreate, WDF_PNPPOWER_EVENT_CALLBACKS.
#include <array>
#include <memory>
#include <vector>

#include "models/kmcl/device.hpp"
#include "models/kmdf/object.hpp"

/// What EvtDriverDeviceAdd fills in before WdfDeviceCreate.
struct WDFDEVICE_INIT {
  vmbsim::kmdf::Driver& driver;
  vmbsim::kmcl::Device& pdo;
  WDF_PNPPOWER_EVENT_CALLBACKS callbacks{};
  WDF_OBJECT_ATTRIBUTES request_attributes{};
  WDF_DEVICE_IO_TYPE io_type = WdfDeviceIoBuffered;
  ULONG device_type = FILE_DEVICE_UNKNOWN;
  ULONG characteristics = 0;
  bool exclusive = false;
  bool filter = false;
  vmbsim::kmdf::Object* created = nullptr;  ///< by WdfDeviceCreate
};

namespace vmbsim::kmdf {

class Device;
class DeviceNode;
class Queue;
class Request;

/// WDFIOTARGET: the driver below, which for a device on VMBus is the bus.
class IoTarget final : public Object {
 public:
  static constexpr Kind of_kind = Kind::io_target;
  explicit IoTarget(Device& device);
  Device& device;
};

/// WDFCMRESLIST.
class ResourceList final : public Object {
 public:
  static constexpr Kind of_kind = Kind::resource_list;
  explicit ResourceList(Device& device);
};

class Device final : public Object {
 public:
  static constexpr Kind of_kind = Kind::device;

  Device(Framework& framework, const WDFDEVICE_INIT& init);

  DEVICE_OBJECT& wdm() { return wdm_; }
  kmcl::Device& pdo() const { return init_.pdo; }
  const WDFDEVICE_INIT& init() const { return init_; }
  const WDF_PNPPOWER_EVENT_CALLBACKS& callbacks() const { return init_.callbacks; }
  /// Null when the callbacks of the device do not exclude each other.
  CallbackLock* lock() const { return lock_.get(); }
  IoTarget& io_target() const { return *io_target_; }
  ResourceList& resources() const { return *resources_; }

  /// Of the Plug and Play manager; null until EvtDriverDeviceAdd has returned.
  DeviceNode* node = nullptr;
  std::vector<GUID> interfaces;  ///< that it publishes

  // ---- Queues and requests ----
  const std::vector<Queue*>& queues() const { return queues_; }
  Queue* default_queue() const { return default_queue_; }
  void add(Queue& queue, bool is_default);
  void drop(Queue& queue);
  /// Null when requests of that type have no queue.
  Queue* queue_for(WDF_REQUEST_TYPE type) const;
  void send_to(Queue& queue, WDF_REQUEST_TYPE type) { by_type_[type] = &queue; }
  bool dispatches_to(const Queue& queue) const;
  /// Null when there is no memory for its context.
  Request* take_request();
  void give_back(Request& request) { free_requests_.push_back(&request); }

  /// Makes what comes with every device; after adopt().
  void furnish();

 private:
  void dispose() override;

  WDFDEVICE_INIT init_;
  DEVICE_OBJECT wdm_{};
  std::unique_ptr<CallbackLock> lock_;
  IoTarget* io_target_ = nullptr;
  ResourceList* resources_ = nullptr;
  std::vector<Queue*> queues_;  // oldest first
  Queue* default_queue_ = nullptr;
  std::array<Queue*, IRP_MJ_MAXIMUM_FUNCTION + 1> by_type_{};
  std::vector<Request*> requests_;  // all that were made for it
  std::vector<Request*> free_requests_;
};

}  // namespace vmbsim::kmdf
