// Work items, system threads, and the handles and pointers to them.
// Which IRQLs are legal, and the bug check of a wrong one: the DDI page of each function.
#include <new>

#include "models/os/wdm_caller.hpp"

using namespace vmbsim;
using namespace vmbsim::os::wdm;

struct _OBJECT_TYPE {
  const char* name;
};

struct _IO_WORKITEM {
  os::WorkItem item;
  PDEVICE_OBJECT device;
  PIO_WORKITEM_ROUTINE routine;
  PIO_WORKITEM_ROUTINE_EX routine_ex;
  PVOID context;
};

namespace {

_OBJECT_TYPE thread_type{"Thread"};
POBJECT_TYPE thread_type_pointer = &thread_type;

/// The work item that the simulator keeps in the driver's own.
os::WorkItem& item_of(WORK_QUEUE_ITEM& item) {
  static_assert(sizeof(os::WorkItem) <= sizeof item.SimulatorData);
  return *reinterpret_cast<os::WorkItem*>(&item.SimulatorData[0]);
}

/// False, with a finding, when the item is in a queue already.
bool may_queue(const os::WorkItem& item, const char* call) {
  at_most(Irql::dispatch, call);
  if (!item.queued) return true;
  find("WORK", BugCheck::kernel_security_check_failure, "a work item was queued while it was queued");
  return false;
}

os::Thread& thread_behind(PVOID object) { return *static_cast<_KTHREAD*>(object)->thread; }

}  // namespace

extern "C" {

POBJECT_TYPE* PsThreadType = &thread_type_pointer;

// ---- Work items ----

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject) {
  at_most(Irql::dispatch, "IoAllocateWorkItem");
  if (partition().refuses(sizeof(_IO_WORKITEM), os::MemoryPool::work_item_tag)) return nullptr;
  void* memory = partition().pool().allocate(sizeof(_IO_WORKITEM), true, os::MemoryPool::work_item_tag);
  if (memory == nullptr) return nullptr;
  auto* work = new (memory) _IO_WORKITEM{};
  work->device = DeviceObject;
  work->item.routine = [](void* self) {
    auto& queued = *static_cast<_IO_WORKITEM*>(self);
    if (queued.routine_ex != nullptr)
      queued.routine_ex(queued.device, queued.context, &queued);
    else
      queued.routine(queued.device, queued.context);
  };
  work->item.context = work;
  return work;
}

VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                     PVOID Context) {
  visible(Site::queue_work, &IoWorkItem->item);
  if (!may_queue(IoWorkItem->item, "IoQueueWorkItem")) return;
  IoWorkItem->routine = WorkerRoutine;
  IoWorkItem->routine_ex = nullptr;
  IoWorkItem->context = Context;
  partition().queue_work(IoWorkItem->item, QueueType);
}

VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                       PVOID Context) {
  visible(Site::queue_work, &IoWorkItem->item);
  if (!may_queue(IoWorkItem->item, "IoQueueWorkItemEx")) return;
  IoWorkItem->routine_ex = WorkerRoutine;
  IoWorkItem->context = Context;
  partition().queue_work(IoWorkItem->item, QueueType);
}

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem) {
  at_most(Irql::dispatch, "IoFreeWorkItem");
  if (IoWorkItem->item.queued) {
    find("WORK", BugCheck::kernel_security_check_failure, "a work item was freed while it was queued");
    partition().remove_work(IoWorkItem->item);
  }
  ExFreePool(IoWorkItem);
}

VOID ExInitializeWorkItem(PWORK_QUEUE_ITEM Item, PWORKER_THREAD_ROUTINE Routine, PVOID Context) {
  *Item = WORK_QUEUE_ITEM{};
  Item->WorkerRoutine = Routine;
  Item->Parameter = Context;
  new (&Item->SimulatorData[0]) os::WorkItem{};
}

VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType) {
  os::WorkItem& item = item_of(*WorkItem);
  visible(Site::queue_work, &item);
  if (!may_queue(item, "ExQueueWorkItem")) return;
  item.routine = WorkItem->WorkerRoutine;
  item.context = WorkItem->Parameter;
  partition().queue_work(item, QueueType);
}

// ---- System threads ----

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG, POBJECT_ATTRIBUTES, HANDLE, PCLIENT_ID ClientId,
                              PKSTART_ROUTINE StartRoutine, PVOID StartContext) {
  if (!at_most(Irql::passive, "PsCreateSystemThread")) return STATUS_UNSUCCESSFUL;
  *ThreadHandle = partition().create_system_thread(StartRoutine, StartContext);
  if (ClientId != nullptr) *ClientId = CLIENT_ID{nullptr, *ThreadHandle};
  return STATUS_SUCCESS;
}

NTSTATUS PsTerminateSystemThread(NTSTATUS) {
  if (partition().current_thread() != nullptr) partition().end_current_thread();
  find("IRQL", BugCheck::attempted_switch_from_dpc, "PsTerminateSystemThread called by a DPC or an ISR");
  return STATUS_INVALID_PARAMETER;
}

NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK, POBJECT_TYPE ObjectType, KPROCESSOR_MODE, PVOID* Object,
                                   POBJECT_HANDLE_INFORMATION) {
  *Object = nullptr;
  if (!at_most(Irql::passive, "ObReferenceObjectByHandle")) return STATUS_UNSUCCESSFUL;
  os::Thread* thread = partition().thread_of(Handle);
  if (thread == nullptr) return STATUS_INVALID_HANDLE;
  if (ObjectType != nullptr && ObjectType != &thread_type) return STATUS_OBJECT_TYPE_MISMATCH;
  partition().reference(*thread);
  *Object = &thread->object();
  return STATUS_SUCCESS;
}

LONG_PTR ObfReferenceObject(PVOID Object) {
  at_most(Irql::dispatch, "ObReferenceObject");
  return partition().reference(thread_behind(Object));
}

LONG_PTR ObfDereferenceObject(PVOID Object) {
  at_most(Irql::dispatch, "ObDereferenceObject");
  const auto left = partition().dereference(thread_behind(Object));
  if (!left) find("THREAD", BugCheck::reference_by_pointer, "ObDereferenceObject without a reference");
  return left.value_or(0);
}

NTSTATUS ZwClose(HANDLE Handle) {
  if (!at_most(Irql::passive, "ZwClose")) return STATUS_UNSUCCESSFUL;
  if (partition().close(Handle)) return STATUS_SUCCESS;
  find("THREAD", BugCheck::invalid_kernel_handle, "ZwClose for a handle that is not open");
  return STATUS_INVALID_HANDLE;
}

PKTHREAD KeGetCurrentThread(VOID) {
  os::Thread* thread = partition().current_thread();
  return thread != nullptr ? &thread->object() : nullptr;
}

KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority) {
  const KPRIORITY before = Thread->thread->priority();
  if (!at_most(Irql::passive, "KeSetPriorityThread")) return before;
  if (Priority < 1 || Priority > HIGH_PRIORITY)
    find("THREAD", BugCheck::driver_verifier_detected_violation,
         "KeSetPriorityThread with a priority that does not exist");
  else
    partition().set_priority(*Thread->thread, Priority);
  return before;
}

KPRIORITY KeQueryPriorityThread(PKTHREAD Thread) {
  at_most(Irql::passive, "KeQueryPriorityThread");
  return Thread->thread->priority();
}

}  // extern "C"
