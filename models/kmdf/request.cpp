// Requests: the functions of wdfrequest.h, and the port they come from.
#include <bit>

#include "models/kmdf/driver.hpp"
#include "models/kmdf/pnp.hpp"
#include "models/kmdf/queue.hpp"

namespace vmbsim::kmdf {

Request::Request(Device& device) : Object(device.framework(), Kind::request, &device.driver()), device_(&device) {
  reusable_ = true;
}

void Request::begin(IoRequest& io) {
  io_ = &io;
  io.request = this;
  queue_ = nullptr;
  cancel_routine_ = nullptr;
  cancelled_ = cancel_called_ = was_delivered_ = acknowledged_ = false;
  information = 0;
}

void Request::finish() {
  if (device_ != nullptr)
    device_->give_back(*this);
  else
    end();
}

// ---- The end of a request ----

void Request::complete(NTSTATUS status, ULONG_PTR bytes, const char* call) {
  if (where_ != Where::with_driver)
    return framework().report(std::string(call) + " completed a request that the driver does not have");
  if (cancel_routine_ != nullptr) {
    framework().report(std::string(call) +
                       " completed a request that is cancelable: WdfRequestUnmarkCancelable comes first");
    cancel_routine_ = nullptr;
  }
  Queue& queue = *queue_;
  queue.leave(*this);
  queue.reference();  // the request's end may be the device's
  complete_up(status, bytes);
  queue.left_driver();
  queue.dereference("the framework");
}

void Request::refuse(NTSTATUS status) { complete_up(status, 0); }

/// What hangs on the request is cleaned up while its buffer is still there; then whoever sent it has it back.
/// Source: EVT_WDF_OBJECT_CONTEXT_CLEANUP; WdfRequestComplete.
void Request::complete_up(NTSTATUS status, ULONG_PTR bytes) {
  IoRequest& io = *io_;
  leave_passive_children_to_worker();
  clean_up();
  io_ = nullptr;
  io.request = nullptr;
  io.status = status;
  io.information = bytes;
  IoPort::release(io);
  release_tree();
  if (io.done != nullptr) io.done(io);
}

// ---- Cancellation ----

void Request::cancel() {
  cancelled_ = true;
  if (where_ == Where::waiting) {
    queue_->leave(*this);
    if (was_delivered_ && queue_->config().EvtIoCanceledOnQueue != nullptr) {
      queue_->given_to_driver(*this);
      const Serialized serialized(queue_->lock());
      const SameIrql same("EvtIoCanceledOnQueue");
      return queue_->config().EvtIoCanceledOnQueue(queue_->handle_as<WDFQUEUE>(), handle_as<WDFREQUEST>());
    }
    Queue& queue = *queue_;
    refuse(STATUS_CANCELLED);
    return queue.left_driver();
  }
  if (cancel_routine_ == nullptr) return;
  const PFN_WDF_REQUEST_CANCEL routine = cancel_routine_;
  cancel_routine_ = nullptr;
  cancel_called_ = true;
  const Serialized serialized(queue_->lock());
  const SameIrql same("EvtRequestCancel");
  routine(handle_as<WDFREQUEST>());
}

void Request::mark_cancelable(PFN_WDF_REQUEST_CANCEL routine, const char* call) {
  if (where_ != Where::with_driver || cancel_routine_ != nullptr || cancel_called_)
    return framework().report(std::string(call) +
                              " called for a request that is not the driver's or is cancelable already");
  cancel_routine_ = routine;
  if (cancelled_) cancel();
}

NTSTATUS Request::unmark_cancelable() {
  if (cancel_routine_ == nullptr) return cancel_called_ ? STATUS_CANCELLED : STATUS_INVALID_DEVICE_REQUEST;
  cancel_routine_ = nullptr;
  return STATUS_SUCCESS;
}

// ---- Buffers ----

bool Request::has(bool input) const {
  switch (io_->type) {
    case WdfRequestTypeRead: return !input;
    case WdfRequestTypeWrite: return input;
    case WdfRequestTypeDeviceControl:
    case WdfRequestTypeDeviceControlInternal: return true;
    default: return false;
  }
}

std::size_t Request::length(bool input) const {
  return static_cast<std::size_t>(input && io_->type != WdfRequestTypeWrite ? io_->input_size.count : io_->size.count);
}

NTSTATUS Request::memory(bool input, Memory** memory) {
  *memory = nullptr;
  if (io_ == nullptr) return STATUS_INTERNAL_ERROR;  // it is completed already
  if (!has(input) || device_ == nullptr || device_->init().io_type == WdfDeviceIoNeither)
    return STATUS_INVALID_DEVICE_REQUEST;
  if (length(input) == 0) return STATUS_BUFFER_TOO_SMALL;
  Memory*& mine = memory_[input ? 1 : 0];
  if (mine == nullptr) {
    auto owned = std::make_unique<Memory>(framework(), &driver(), Memory::Source::request, nullptr, 0);
    mine = owned.get();
    framework().keep(std::move(owned));
    mine->begin(*this, io_->buffer, length(input), false);
  } else if (mine->parent() != this) {
    mine->begin(*this, io_->buffer, length(input), true);
  }
  *memory = mine;
  return STATUS_SUCCESS;
}

// ---- The port ----

namespace {
constexpr ULONG port_tag = 0x706f7449;  // "Itop"
}

bool IoPort::prepare(IoRequest& io) {
  const std::int64_t bytes = std::max(io.size.count, io.input_size.count);
  io.slot = nullptr;
  io.buffer = nullptr;
  io.mdl = nullptr;
  if (bytes == 0) return true;
  const auto pages = static_cast<std::uint64_t>(pages_for({bytes}).count);
  const auto kind = static_cast<std::size_t>(std::countr_zero(std::bit_ceil(pages)));
  Slot* slot = free_.at(kind);
  if (slot != nullptr) {
    free_[kind] = slot->next;
  } else {
    const SIZE_T size = static_cast<SIZE_T>(page_size) << kind;
    slot = static_cast<Slot*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(Slot), port_tag));
    if (slot == nullptr) return false;
    slot->buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, size, port_tag);
    slot->mdl = slot->buffer != nullptr ? IoAllocateMdl(slot->buffer, static_cast<ULONG>(size), FALSE, FALSE, nullptr)
                                        : nullptr;
    if (slot->mdl == nullptr) {
      if (slot->buffer != nullptr) ExFreePoolWithTag(slot->buffer, port_tag);
      ExFreePoolWithTag(slot, port_tag);
      return false;
    }
    MmBuildMdlForNonPagedPool(slot->mdl);
    slot->port = this;
    slot->kind = kind;
  }
  slot->mdl->ByteCount = static_cast<ULONG>(bytes);
  io.slot = slot;
  io.buffer = slot->buffer;
  io.mdl = slot->mdl;
  return true;
}

void IoPort::close() {
  for (Slot*& first : free_)
    while (Slot* slot = first) {
      first = slot->next;
      IoFreeMdl(slot->mdl);
      ExFreePoolWithTag(slot->buffer, port_tag);
      ExFreePoolWithTag(slot, port_tag);
    }
}

void IoPort::release(IoRequest& io) {
  if (io.slot == nullptr) return;
  Slot& slot = *static_cast<Slot*>(io.slot);
  slot.next = slot.port->free_[slot.kind];
  slot.port->free_[slot.kind] = &slot;
  io.slot = nullptr;  // the bytes stay until the port hands them out again
}

bool IoPort::submit(IoRequest& io) {
  if (io.slot == nullptr && !prepare(io)) return false;
  const auto end = [&io](NTSTATUS status) {
    release(io);
    io.status = status;
    io.information = 0;
    if (io.done != nullptr) io.done(io);
    return true;
  };
  Device* device = node_.device();
  if (device == nullptr || device->being_deleted()) return end(STATUS_NO_SUCH_DEVICE);
  Queue* queue = device->queue_for(io.type);
  if (queue == nullptr) return end(STATUS_INVALID_DEVICE_REQUEST);
  if (!queue->accepts()) return end(STATUS_INVALID_DEVICE_STATE);
  Request* request = device->take_request();
  if (request == nullptr) return end(STATUS_INSUFFICIENT_RESOURCES);
  request->begin(io);
  queue->enqueue(*request);
  return true;
}

void IoPort::cancel(IoRequest& io) {
  if (io.request != nullptr) io.request->cancel();
}

}  // namespace vmbsim::kmdf

using namespace vmbsim;
using kmdf::Framework;

namespace {

kmdf::Request* request_of(WDFREQUEST handle, const char* call) {
  return Framework::current().object_of<kmdf::Request>(handle, call, Irql::dispatch);
}

NTSTATUS retrieve_memory(WDFREQUEST handle, bool input, kmdf::Memory** memory, const char* call) {
  *memory = nullptr;
  kmdf::Request* request = request_of(handle, call);
  return request != nullptr ? request->memory(input, memory) : STATUS_INVALID_HANDLE;
}

NTSTATUS retrieve_buffer(WDFREQUEST handle, bool input, std::size_t least, PVOID* buffer, std::size_t* length,
                         const char* call) {
  kmdf::Memory* memory = nullptr;
  *buffer = nullptr;
  if (length != nullptr) *length = 0;
  const NTSTATUS status = retrieve_memory(handle, input, &memory, call);
  if (!NT_SUCCESS(status)) return status;
  if (memory->size() < least) return STATUS_BUFFER_TOO_SMALL;
  *buffer = memory->buffer();
  if (length != nullptr) *length = memory->size();
  return STATUS_SUCCESS;
}

NTSTATUS retrieve_mdl(WDFREQUEST handle, bool input, PMDL* mdl, const char* call) {
  kmdf::Memory* memory = nullptr;
  *mdl = nullptr;
  const NTSTATUS status = retrieve_memory(handle, input, &memory, call);
  if (NT_SUCCESS(status)) *mdl = static_cast<kmdf::Request*>(memory->parent())->io()->mdl;
  return status;
}

void complete(WDFREQUEST handle, NTSTATUS status, const ULONG_PTR* information, const char* call) {
  kmdf::Request* request = request_of(handle, call);
  if (request == nullptr) return;
  if (status == STATUS_PENDING)
    Framework::current().report(std::string(call) + " called with STATUS_PENDING, which is no end of a request");
  request->complete(status, information != nullptr ? *information : request->information, call);
}

}  // namespace

extern "C" {

VOID WdfRequestGetParameters(WDFREQUEST Request, PWDF_REQUEST_PARAMETERS Parameters) {
  const kmdf::Request* request = request_of(Request, "WdfRequestGetParameters");
  if (request == nullptr) return;
  if (Parameters->Size != sizeof *Parameters || request->io() == nullptr)
    return Framework::current().report("WdfRequestGetParameters called with a wrong Size, or for a completed request");
  const kmdf::IoRequest& io = *request->io();
  Parameters->MinorFunction = 0;
  Parameters->Type = io.type;
  const auto size = static_cast<std::size_t>(io.size.count);
  if (io.type == WdfRequestTypeDeviceControl || io.type == WdfRequestTypeDeviceControlInternal) {
    Parameters->Parameters.DeviceIoControl.OutputBufferLength = size;
    Parameters->Parameters.DeviceIoControl.InputBufferLength = static_cast<std::size_t>(io.input_size.count);
    Parameters->Parameters.DeviceIoControl.IoControlCode = io.io_control_code;
    Parameters->Parameters.DeviceIoControl.Type3InputBuffer = nullptr;
  } else {  // a read's and a write's members are the same
    Parameters->Parameters.Read.Length = size;
    Parameters->Parameters.Read.Key = 0;
    Parameters->Parameters.Read.DeviceOffset = io.offset;
  }
}

VOID WdfRequestComplete(WDFREQUEST Request, NTSTATUS Status) {
  complete(Request, Status, nullptr, "WdfRequestComplete");
}
VOID WdfRequestCompleteWithInformation(WDFREQUEST Request, NTSTATUS Status, ULONG_PTR Information) {
  complete(Request, Status, &Information, "WdfRequestCompleteWithInformation");
}
VOID WdfRequestCompleteWithPriorityBoost(WDFREQUEST Request, NTSTATUS Status, CCHAR) {
  complete(Request, Status, nullptr, "WdfRequestCompleteWithPriorityBoost");
}
VOID WdfRequestSetInformation(WDFREQUEST Request, ULONG_PTR Information) {
  if (kmdf::Request* request = request_of(Request, "WdfRequestSetInformation")) request->information = Information;
}
ULONG_PTR WdfRequestGetInformation(WDFREQUEST Request) {
  const kmdf::Request* request = request_of(Request, "WdfRequestGetInformation");
  return request != nullptr ? request->information : 0;
}

NTSTATUS WdfRequestRetrieveInputBuffer(WDFREQUEST Request, size_t MinimumRequiredLength, PVOID* Buffer,
                                       size_t* Length) {
  return retrieve_buffer(Request, true, MinimumRequiredLength, Buffer, Length, "WdfRequestRetrieveInputBuffer");
}
NTSTATUS WdfRequestRetrieveOutputBuffer(WDFREQUEST Request, size_t MinimumRequiredSize, PVOID* Buffer, size_t* Length) {
  return retrieve_buffer(Request, false, MinimumRequiredSize, Buffer, Length, "WdfRequestRetrieveOutputBuffer");
}
NTSTATUS WdfRequestRetrieveInputMemory(WDFREQUEST Request, WDFMEMORY* Memory) {
  kmdf::Memory* memory = nullptr;
  const NTSTATUS status = retrieve_memory(Request, true, &memory, "WdfRequestRetrieveInputMemory");
  *Memory = memory != nullptr ? memory->handle_as<WDFMEMORY>() : nullptr;
  return status;
}
NTSTATUS WdfRequestRetrieveOutputMemory(WDFREQUEST Request, WDFMEMORY* Memory) {
  kmdf::Memory* memory = nullptr;
  const NTSTATUS status = retrieve_memory(Request, false, &memory, "WdfRequestRetrieveOutputMemory");
  *Memory = memory != nullptr ? memory->handle_as<WDFMEMORY>() : nullptr;
  return status;
}
NTSTATUS WdfRequestRetrieveInputWdmMdl(WDFREQUEST Request, PMDL* Mdl) {
  return retrieve_mdl(Request, true, Mdl, "WdfRequestRetrieveInputWdmMdl");
}
NTSTATUS WdfRequestRetrieveOutputWdmMdl(WDFREQUEST Request, PMDL* Mdl) {
  return retrieve_mdl(Request, false, Mdl, "WdfRequestRetrieveOutputWdmMdl");
}

VOID WdfRequestMarkCancelable(WDFREQUEST Request, PFN_WDF_REQUEST_CANCEL EvtRequestCancel) {
  if (kmdf::Request* request = request_of(Request, "WdfRequestMarkCancelable"))
    request->mark_cancelable(EvtRequestCancel, "WdfRequestMarkCancelable");
}
NTSTATUS WdfRequestMarkCancelableEx(WDFREQUEST Request, PFN_WDF_REQUEST_CANCEL EvtRequestCancel) {
  kmdf::Request* request = request_of(Request, "WdfRequestMarkCancelableEx");
  if (request == nullptr) return STATUS_INVALID_HANDLE;
  if (request->cancelled()) return STATUS_CANCELLED;
  request->mark_cancelable(EvtRequestCancel, "WdfRequestMarkCancelableEx");
  return STATUS_SUCCESS;
}
NTSTATUS WdfRequestUnmarkCancelable(WDFREQUEST Request) {
  kmdf::Request* request = request_of(Request, "WdfRequestUnmarkCancelable");
  return request != nullptr ? request->unmark_cancelable() : STATUS_INVALID_HANDLE;
}
BOOLEAN WdfRequestIsCanceled(WDFREQUEST Request) {
  const kmdf::Request* request = request_of(Request, "WdfRequestIsCanceled");
  return request != nullptr && request->cancelled() ? TRUE : FALSE;
}

VOID WdfRequestStopAcknowledge(WDFREQUEST Request, BOOLEAN Requeue) {
  kmdf::Request* request = request_of(Request, "WdfRequestStopAcknowledge");
  if (request == nullptr) return;
  if (request->where() != kmdf::Request::Where::with_driver || (Requeue != FALSE && request->cancelable()))
    return Framework::current().report(
        "WdfRequestStopAcknowledge called for a request that the driver does not have, or requeues a cancelable one");
  request->queue()->acknowledge(*request, Requeue != FALSE);
}

NTSTATUS WdfRequestForwardToIoQueue(WDFREQUEST Request, WDFQUEUE DestinationQueue) {
  kmdf::Request* request = request_of(Request, "WdfRequestForwardToIoQueue");
  auto* queue = Framework::current().object_of<kmdf::Queue>(DestinationQueue, "WdfRequestForwardToIoQueue");
  if (request == nullptr || queue == nullptr) return STATUS_INVALID_HANDLE;
  if (request->where() != kmdf::Request::Where::with_driver || request->cancelable() || request->queue() == queue ||
      &request->queue()->device() != &queue->device())
    return STATUS_INVALID_DEVICE_REQUEST;
  if (!queue->accepts()) return STATUS_WDF_BUSY;
  request->queue()->forward(*request, *queue);
  return STATUS_SUCCESS;
}

NTSTATUS WdfRequestRequeue(WDFREQUEST Request) {
  kmdf::Request* request = request_of(Request, "WdfRequestRequeue");
  if (request == nullptr) return STATUS_INVALID_HANDLE;
  if (request->where() != kmdf::Request::Where::with_driver || request->cancelable() ||
      request->queue()->config().DispatchType != WdfIoQueueDispatchManual)
    return STATUS_INVALID_DEVICE_REQUEST;
  request->queue()->put_back(*request);
  return STATUS_SUCCESS;
}

WDFQUEUE WdfRequestGetIoQueue(WDFREQUEST Request) {
  const kmdf::Request* request = request_of(Request, "WdfRequestGetIoQueue");
  return request != nullptr && request->queue() != nullptr ? request->queue()->handle_as<WDFQUEUE>() : nullptr;
}

}  // extern "C"
