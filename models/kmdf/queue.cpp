// Queues: the functions of wdfio.h.
#include "models/kmdf/queue.hpp"

#include <algorithm>

#include "models/kmdf/driver.hpp"

namespace vmbsim::kmdf {

Queue::Queue(Device& queue_device, const WDF_IO_QUEUE_CONFIG& config)
    : Object(queue_device.framework(), Kind::queue, &queue_device.driver()),
      device_(queue_device),
      config_(config),
      power_managed_(config.PowerManaged == WdfTrue ||
                     (config.PowerManaged == WdfUseDefault && !queue_device.init().filter)),
      held_(power_managed_) {
  InitializeListHead(&waiting_);
  InitializeListHead(&driver_);
  KeInitializeEvent(&changed_, NotificationEvent, FALSE);
  deliver_.routine = [](void* self) { static_cast<Queue*>(self)->deliver(); };
  deliver_.context = this;
}

void Queue::make_lock() {
  if (synchronization_scope() == WdfSynchronizationScopeQueue)
    lock_ = std::make_unique<CallbackLock>(execution_level() == WdfExecutionLevelPassive);
}

CallbackLock* Queue::lock() const {
  if (lock_ != nullptr) return lock_.get();
  return synchronization_scope() == WdfSynchronizationScopeDevice ? device_.lock() : nullptr;
}

void Queue::dispose() {
  purge(nullptr, nullptr);
  wait_idle(true);
  if (deliver_.queued) framework().partition().remove_work(deliver_);
  device_.drop(*this);
}

// ---- Requests come and go ----

Request& Queue::take() {
  Request& request = at(RemoveHeadList(&waiting_));
  --waiting_count_;
  return request;
}

void Queue::leave(Request& request) {
  RemoveEntryList(&request.link_.entry);
  --(request.where_ == Request::Where::waiting ? waiting_count_ : driver_count_);
  request.where_ = Request::Where::done;
}

void Queue::given_to_driver(Request& request) {
  request.where_ = Request::Where::with_driver;
  request.was_delivered_ = true;
  request.acknowledged_ = false;
  InsertTailList(&driver_, &request.link_.entry);
  ++driver_count_;
}

void Queue::enqueue(Request& request) {
  const bool was_empty = waiting_count_ == 0;
  request.queue_ = this;
  request.where_ = Request::Where::waiting;
  InsertTailList(&waiting_, &request.link_.entry);
  ++waiting_count_;
  if (was_empty) tell_ready();
  deliver();
}

void Queue::left_driver() {
  KeSetEvent(&changed_, IO_NO_INCREMENT, FALSE);
  look_whether_done();
  deliver();
}

void Queue::put_back(Request& request) {
  leave(request);
  request.where_ = Request::Where::waiting;
  InsertHeadList(&waiting_, &request.link_.entry);
  ++waiting_count_;
  left_driver();
}

void Queue::forward(Request& request, Queue& destination) {
  leave(request);
  destination.enqueue(request);
  left_driver();
}

NTSTATUS Queue::retrieve(Request** request) {
  *request = nullptr;
  if (held_) return STATUS_WDF_PAUSED;
  if (config_.DispatchType == WdfIoQueueDispatchParallel) return STATUS_INVALID_DEVICE_STATE;
  if (waiting_count_ == 0) return STATUS_NO_MORE_ENTRIES;
  *request = &take();
  given_to_driver(**request);
  return STATUS_SUCCESS;
}

// ---- Delivery ----

bool Queue::may_deliver() const {
  if (!dispatching_ || held_ || waiting_count_ == 0) return false;
  switch (config_.DispatchType) {
    case WdfIoQueueDispatchSequential: return driver_count_ == 0;
    case WdfIoQueueDispatchParallel: return driver_count_ < config_.Settings.Parallel.NumberOfPresentedRequests;
    default: return false;
  }
}

/// A handler that completes its request does not get the next one inside of it, but when it has returned.
void Queue::deliver() {
  if (!may_deliver()) return;
  if (execution_level() == WdfExecutionLevelPassive && hw::Processor::current()->irql() > Irql::passive) {
    if (!deliver_.queued) framework().partition().queue_work(deliver_, DelayedWorkQueue);
    return;
  }
  const hw::Context* self = hw::Processor::current()->occupant();
  if (std::find(delivering_.begin(), delivering_.end(), self) != delivering_.end()) return;
  delivering_.push_back(self);
  while (may_deliver()) deliver_one();
  std::erase(delivering_, self);
}

void Queue::deliver_one() {
  Request& request = take();
  const IoRequest& io = *request.io();
  const bool transfer = io.type == WdfRequestTypeRead || io.type == WdfRequestTypeWrite;
  if (transfer && io.size.count == 0 && config_.AllowZeroLengthRequests == FALSE) {
    request.where_ = Request::Where::done;
    return request.refuse(STATUS_SUCCESS);
  }
  given_to_driver(request);
  run_callback(request);
}

void Queue::run_callback(Request& request) {
  const IoRequest& io = *request.io();
  const auto queue = handle_as<WDFQUEUE>();
  const auto handle = request.handle_as<WDFREQUEST>();
  const auto size = static_cast<std::size_t>(io.size.count);
  const Serialized serialized(lock());
  const SameIrql same("a request handler");
  const bool internal = io.type == WdfRequestTypeDeviceControlInternal;
  if (io.type == WdfRequestTypeRead && config_.EvtIoRead != nullptr)
    config_.EvtIoRead(queue, handle, size);
  else if (io.type == WdfRequestTypeWrite && config_.EvtIoWrite != nullptr)
    config_.EvtIoWrite(queue, handle, size);
  else if (io.type == WdfRequestTypeDeviceControl && config_.EvtIoDeviceControl != nullptr)
    config_.EvtIoDeviceControl(queue, handle, size, static_cast<std::size_t>(io.input_size.count), io.io_control_code);
  else if (internal && config_.EvtIoInternalDeviceControl != nullptr)
    config_.EvtIoInternalDeviceControl(queue, handle, size, static_cast<std::size_t>(io.input_size.count),
                                       io.io_control_code);
  else if (config_.EvtIoDefault != nullptr)
    config_.EvtIoDefault(queue, handle);
  else
    request.complete(STATUS_INVALID_DEVICE_REQUEST, 0, "the framework");
}

// ---- What the driver decides ----

WDF_IO_QUEUE_STATE Queue::state() const {
  return static_cast<WDF_IO_QUEUE_STATE>(
      (accepting_ ? WdfIoQueueAcceptRequests : 0) | (dispatching_ ? WdfIoQueueDispatchRequests : 0) |
      (waiting_count_ == 0 ? WdfIoQueueNoRequests : 0) | (driver_count_ == 0 ? WdfIoQueueDriverNoRequests : 0) |
      (held_ ? WdfIoQueuePnpHeld : 0));
}

void Queue::set_state(bool accepting, bool dispatching, PFN_WDF_IO_QUEUE_STATE complete, WDFCONTEXT context,
                      bool empty) {
  accepting_ = accepting;
  dispatching_ = dispatching;
  if (complete == nullptr) return;
  if (state_routine_ != nullptr)
    return framework().report("a queue was stopped, drained or purged with a callback while one is under way");
  state_routine_ = complete;
  state_context_ = context;
  state_empty_ = empty;
}

void Queue::look_whether_done() {
  if (state_routine_ == nullptr || driver_count_ != 0 || (state_empty_ && waiting_count_ != 0)) return;
  const PFN_WDF_IO_QUEUE_STATE routine = state_routine_;
  state_routine_ = nullptr;
  tell(routine, state_context_);
}

void Queue::tell(PFN_WDF_IO_QUEUE_STATE routine, WDFCONTEXT context) {
  const SameIrql same("EvtIoQueueState");
  routine(handle_as<WDFQUEUE>(), context);
}

void Queue::tell_ready() {
  if (waiting_count_ != 0 && ready_routine_ != nullptr && !held_) tell(ready_routine_, ready_context_);
}

void Queue::wait_for_change() {
  KeClearEvent(&changed_);
  KeWaitForSingleObject(&changed_, Executive, KernelMode, FALSE, nullptr);
}

void Queue::start() {
  set_state(true, true, nullptr, nullptr, false);
  deliver();
}

void Queue::stop(PFN_WDF_IO_QUEUE_STATE complete, WDFCONTEXT context) {
  set_state(true, false, complete, context, false);
  look_whether_done();
}

void Queue::drain(PFN_WDF_IO_QUEUE_STATE complete, WDFCONTEXT context) {
  set_state(false, dispatching_, complete, context, true);
  look_whether_done();
}

void Queue::purge(PFN_WDF_IO_QUEUE_STATE complete, WDFCONTEXT context) {
  set_state(false, dispatching_, complete, context, true);
  cancel_waiting();
  std::vector<Request*> cancelable;
  for (LIST_ENTRY* entry = driver_.Flink; entry != &driver_; entry = entry->Flink)
    if (at(entry).cancelable()) cancelable.push_back(&at(entry));
  for (Request* request : cancelable)  // an earlier one's routine may have completed a later one
    if (request->queue_ == this && request->cancelable()) request->cancel();
  look_whether_done();
}

void Queue::cancel_waiting() {
  while (waiting_count_ != 0) at(waiting_.Flink).cancel();
}

void Queue::wait_idle(bool empty) {
  while (driver_count_ != 0 || (empty && waiting_count_ != 0)) wait_for_change();
}

NTSTATUS Queue::ready_notify(PFN_WDF_IO_QUEUE_STATE routine, WDFCONTEXT context) {
  if (config_.DispatchType != WdfIoQueueDispatchManual || (routine == nullptr) == (ready_routine_ == nullptr))
    return STATUS_INVALID_DEVICE_REQUEST;
  ready_routine_ = routine;
  ready_context_ = context;
  tell_ready();
  return STATUS_SUCCESS;
}

// ---- What the device's power decides ----

void Queue::hold(ULONG action) {
  held_ = true;
  const auto first_unasked = [this](const std::vector<const Request*>& asked) -> Request* {
    for (LIST_ENTRY* entry = driver_.Flink; entry != &driver_; entry = entry->Flink) {
      Request* request = &at(entry);
      if (!request->acknowledged_ && std::find(asked.begin(), asked.end(), request) == asked.end()) return request;
    }
    return nullptr;
  };
  if (config_.EvtIoStop != nullptr) {
    std::vector<const Request*> asked;
    while (Request* request = first_unasked(asked)) {
      asked.push_back(request);
      const Serialized serialized(lock());
      const SameIrql same("EvtIoStop");
      config_.EvtIoStop(handle_as<WDFQUEUE>(), request->handle_as<WDFREQUEST>(),
                        action | (request->cancelable() ? ULONG{WdfRequestStopRequestCancelable} : 0u));
    }
  }
  while (first_unasked({}) != nullptr) wait_for_change();
}

void Queue::acknowledge(Request& request, bool requeue) {
  if (requeue) return put_back(request);
  request.acknowledged_ = true;
  KeSetEvent(&changed_, IO_NO_INCREMENT, FALSE);
}

void Queue::resume() {
  held_ = false;
  for (;;) {
    LIST_ENTRY* entry = driver_.Flink;
    while (entry != &driver_ && !at(entry).acknowledged_) entry = entry->Flink;
    if (entry == &driver_) break;
    Request& request = at(entry);
    request.acknowledged_ = false;
    if (config_.EvtIoResume == nullptr) continue;
    const Serialized serialized(lock());
    const SameIrql same("EvtIoResume");
    config_.EvtIoResume(handle_as<WDFQUEUE>(), request.handle_as<WDFREQUEST>());
  }
  tell_ready();
  deliver();
}

}  // namespace vmbsim::kmdf

using namespace vmbsim;
using kmdf::Framework;

namespace {
kmdf::Queue* queue_of(WDFQUEUE handle, const char* call, Irql highest = Irql::dispatch) {
  Framework& framework = Framework::current();
  if (!framework.require_irql_at_most(highest, call) && highest == Irql::passive) return nullptr;  // it would wait
  return framework.object_of<kmdf::Queue>(handle, call);
}
}  // namespace

extern "C" {

NTSTATUS WdfIoQueueCreate(WDFDEVICE Device, PWDF_IO_QUEUE_CONFIG Config, PWDF_OBJECT_ATTRIBUTES QueueAttributes,
                          WDFQUEUE* Queue) {
  Framework& framework = Framework::current();
  if (Queue != nullptr) *Queue = nullptr;
  auto* device = framework.object_of<kmdf::Device>(Device, "WdfIoQueueCreate", Irql::dispatch);
  if (device == nullptr) return STATUS_INVALID_HANDLE;
  if (Config->Size != sizeof *Config) return STATUS_INFO_LENGTH_MISMATCH;
  const bool manual = Config->DispatchType == WdfIoQueueDispatchManual;
  const bool handled = Config->EvtIoDefault != nullptr || Config->EvtIoRead != nullptr ||
                       Config->EvtIoWrite != nullptr || Config->EvtIoDeviceControl != nullptr ||
                       Config->EvtIoInternalDeviceControl != nullptr;
  if (Config->DispatchType <= WdfIoQueueDispatchInvalid || Config->DispatchType >= WdfIoQueueDispatchMax ||
      handled == manual)
    return STATUS_INVALID_PARAMETER;
  if (Config->DispatchType == WdfIoQueueDispatchParallel && Config->Settings.Parallel.NumberOfPresentedRequests == 0)
    return STATUS_INVALID_PARAMETER;
  if (Config->DefaultQueue != FALSE && device->default_queue() != nullptr) return STATUS_UNSUCCESSFUL;
  NTSTATUS status = STATUS_SUCCESS;
  kmdf::Object* parent = kmdf::parent_of(QueueAttributes, device, "WdfIoQueueCreate", &status);
  if (parent == nullptr) return status;
  if (parent->nearest(kmdf::Kind::device) != device) return STATUS_INVALID_DEVICE_REQUEST;
  auto* queue = new kmdf::Queue(*device, *Config);
  status = queue->adopt(parent, QueueAttributes);
  if (!NT_SUCCESS(status)) return status;
  queue->make_lock();
  device->add(*queue, Config->DefaultQueue != FALSE);
  if (Queue != nullptr) *Queue = queue->handle_as<WDFQUEUE>();
  return STATUS_SUCCESS;
}

NTSTATUS WdfDeviceConfigureRequestDispatching(WDFDEVICE Device, WDFQUEUE Queue, WDF_REQUEST_TYPE RequestType) {
  kmdf::Queue* queue = queue_of(Queue, "WdfDeviceConfigureRequestDispatching");
  auto* device = Framework::current().object_of<kmdf::Device>(Device, "WdfDeviceConfigureRequestDispatching");
  if (queue == nullptr || device == nullptr) return STATUS_INVALID_HANDLE;
  if (&queue->device() != device || RequestType > WdfRequestTypeDeviceControlInternal ||
      RequestType == WdfRequestTypeClose)
    return STATUS_INVALID_PARAMETER;
  if (device->queue_for(RequestType) != device->default_queue()) return STATUS_WDF_BUSY;
  device->send_to(*queue, RequestType);
  return STATUS_SUCCESS;
}

WDF_IO_QUEUE_STATE WdfIoQueueGetState(WDFQUEUE Queue, PULONG QueueRequests, PULONG DriverRequests) {
  const kmdf::Queue* queue = queue_of(Queue, "WdfIoQueueGetState");
  if (queue == nullptr) return static_cast<WDF_IO_QUEUE_STATE>(0);
  if (QueueRequests != nullptr) *QueueRequests = queue->waiting();
  if (DriverRequests != nullptr) *DriverRequests = queue->with_driver();
  return queue->state();
}
WDFDEVICE WdfIoQueueGetDevice(WDFQUEUE Queue) {
  const kmdf::Queue* queue = queue_of(Queue, "WdfIoQueueGetDevice");
  return queue != nullptr ? queue->device().handle_as<WDFDEVICE>() : nullptr;
}
VOID WdfIoQueueStart(WDFQUEUE Queue) {
  if (kmdf::Queue* queue = queue_of(Queue, "WdfIoQueueStart")) queue->start();
}
VOID WdfIoQueueStop(WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE StopComplete, WDFCONTEXT Context) {
  if (kmdf::Queue* queue = queue_of(Queue, "WdfIoQueueStop")) queue->stop(StopComplete, Context);
}
VOID WdfIoQueueStopSynchronously(WDFQUEUE Queue) {
  kmdf::Queue* queue = queue_of(Queue, "WdfIoQueueStopSynchronously", Irql::passive);
  if (queue == nullptr) return;
  queue->stop(nullptr, nullptr);
  queue->wait_idle(false);
}
VOID WdfIoQueueDrain(WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE DrainComplete, WDFCONTEXT Context) {
  kmdf::Queue* queue = queue_of(Queue, "WdfIoQueueDrain");
  if (queue == nullptr) return;
  if ((queue->state() & WdfIoQueueDispatchRequests) == 0)  // Source: WdfIoQueueStop, remarks
    Framework::current().report("WdfIoQueueDrain called for a stopped queue: it would never be empty");
  queue->drain(DrainComplete, Context);
}
VOID WdfIoQueueDrainSynchronously(WDFQUEUE Queue) {
  kmdf::Queue* queue = queue_of(Queue, "WdfIoQueueDrainSynchronously", Irql::passive);
  if (queue == nullptr) return;
  if ((queue->state() & WdfIoQueueDispatchRequests) == 0)
    return Framework::current().report("WdfIoQueueDrainSynchronously called for a stopped queue: a deadlock");
  queue->drain(nullptr, nullptr);
  queue->wait_idle(true);
}
VOID WdfIoQueuePurge(WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE PurgeComplete, WDFCONTEXT Context) {
  if (kmdf::Queue* queue = queue_of(Queue, "WdfIoQueuePurge")) queue->purge(PurgeComplete, Context);
}
VOID WdfIoQueuePurgeSynchronously(WDFQUEUE Queue) {
  kmdf::Queue* queue = queue_of(Queue, "WdfIoQueuePurgeSynchronously", Irql::passive);
  if (queue == nullptr) return;
  queue->purge(nullptr, nullptr);
  queue->wait_idle(true);
}
NTSTATUS WdfIoQueueRetrieveNextRequest(WDFQUEUE Queue, WDFREQUEST* OutRequest) {
  *OutRequest = nullptr;
  kmdf::Queue* queue = queue_of(Queue, "WdfIoQueueRetrieveNextRequest");
  if (queue == nullptr) return STATUS_INVALID_HANDLE;
  kmdf::Request* request = nullptr;
  const NTSTATUS status = queue->retrieve(&request);
  if (NT_SUCCESS(status)) *OutRequest = request->handle_as<WDFREQUEST>();
  return status;
}
NTSTATUS WdfIoQueueReadyNotify(WDFQUEUE Queue, PFN_WDF_IO_QUEUE_STATE QueueReady, WDFCONTEXT Context) {
  kmdf::Queue* queue = queue_of(Queue, "WdfIoQueueReadyNotify");
  return queue != nullptr ? queue->ready_notify(QueueReady, Context) : STATUS_INVALID_HANDLE;
}

}  // extern "C"
