// The WDM calls of include/wdk, as the partition of the calling processor answers them.
// Which IRQLs are legal, and the bug check of a wrong one: the DDI page of each function.
#include "ntddk.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "models/os/partition.hpp"

namespace {

using vmbsim::BugCheck;
using vmbsim::Duration;
using vmbsim::Irql;
using vmbsim::hw::Processor;
using vmbsim::os::Partition;

Processor& processor() { return *Processor::current(); }
Partition& partition() { return Partition::current(); }
KIRQL current_level() { return static_cast<KIRQL>(processor().irql()); }

KIRQL raise_to(Irql irql, const char* call) {
  const KIRQL before = current_level();
  if (processor().irql() > irql) {
    partition().findings().add("IRQL", BugCheck::irql_not_less_or_equal, {},
                               std::string(call) + " would lower the IRQL");
    return before;
  }
  processor().set_irql(irql);
  return before;
}

void require_dispatch(const char* call) {
  if (processor().irql() >= Irql::dispatch) return;
  partition().findings().add("IRQL", BugCheck::driver_verifier_detected_violation, {},
                             std::string(call) + " called below DISPATCH_LEVEL");
}

}  // namespace

extern "C" {

// ---- Interrupt request levels ----

KIRQL KeGetCurrentIrql(VOID) { return current_level(); }
KIRQL KfRaiseIrql(KIRQL NewIrql) { return raise_to(static_cast<Irql>(NewIrql), "KeRaiseIrql"); }
KIRQL KeRaiseIrqlToDpcLevel(VOID) { return raise_to(Irql::dispatch, "KeRaiseIrqlToDpcLevel"); }

VOID KeLowerIrql(KIRQL NewIrql) {
  if (NewIrql > current_level()) {
    partition().findings().add("IRQL", BugCheck::irql_not_less_or_equal, {}, "KeLowerIrql would raise the IRQL");
    return;
  }
  processor().set_irql(static_cast<Irql>(NewIrql));
}

// ---- Spin locks ----

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock) { *SpinLock = 0; }

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock) {
  const KIRQL before = current_level();
  if (partition().require_irql_at_most(Irql::dispatch, "KeAcquireSpinLock",
                                       BugCheck::driver_verifier_detected_violation))
    processor().set_irql(Irql::dispatch);
  partition().acquire(*SpinLock);
  return before;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) {
  require_dispatch("KeReleaseSpinLock");
  partition().release(*SpinLock);
  if (NewIrql < current_level()) processor().set_irql(static_cast<Irql>(NewIrql));
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  require_dispatch("KeAcquireSpinLockAtDpcLevel");
  partition().acquire(*SpinLock);
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) {
  require_dispatch("KeReleaseSpinLockFromDpcLevel");
  partition().release(*SpinLock);
}

BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  require_dispatch("KeTryToAcquireSpinLockAtDpcLevel");
  return partition().try_acquire(*SpinLock) ? TRUE : FALSE;
}

BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock) { return *SpinLock == 0 ? TRUE : FALSE; }

// ---- Deferred procedure calls ----

VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) {
  *Dpc = KDPC{};
  Dpc->Importance = MediumImportance;
  Dpc->DeferredRoutine = DeferredRoutine;
  Dpc->DeferredContext = DeferredContext;
}

BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2) {
  return partition().insert_dpc(*Dpc, SystemArgument1, SystemArgument2) ? TRUE : FALSE;
}

BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc) { return partition().remove_dpc(*Dpc) ? TRUE : FALSE; }
VOID KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance) { Dpc->Importance = static_cast<UCHAR>(Importance); }

VOID KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number) {
  const auto index = static_cast<unsigned char>(Number);
  if (index >= partition().cpu_count()) {
    partition().findings().add("DPC", BugCheck::timer_or_dpc_invalid, {},
                               "KeSetTargetProcessorDpc names a processor that does not exist");
    return;
  }
  Dpc->Number = static_cast<USHORT>(Partition::targeted_dpc + index);
}

// ---- Events, timers, waits ----

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State) {
  *Event = KEVENT{};
  Event->Header.Type = static_cast<UCHAR>(Type);
  Event->Header.SignalState = State != FALSE;
  InitializeListHead(&Event->Header.WaitListHead);
}

LONG KeSetEvent(PRKEVENT Event, KPRIORITY, BOOLEAN) {
  partition().require_irql_at_most(Irql::dispatch, "KeSetEvent", BugCheck::irql_not_less_or_equal);
  return partition().set_event(*Event);
}

VOID KeClearEvent(PRKEVENT Event) { Event->Header.SignalState = 0; }

LONG KeResetEvent(PRKEVENT Event) {
  const LONG before = Event->Header.SignalState;
  Event->Header.SignalState = 0;
  return before;
}

LONG KeReadStateEvent(PRKEVENT Event) { return Event->Header.SignalState; }

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON, KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Timeout) {
  return partition().wait(*static_cast<DISPATCHER_HEADER*>(Object), Timeout);
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Interval) {
  partition().delay(partition().span_until(*Interval));
  return STATUS_SUCCESS;
}

VOID KeInitializeTimer(PKTIMER Timer) { KeInitializeTimerEx(Timer, NotificationTimer); }

VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type) {
  *Timer = KTIMER{};
  Timer->Header.Type =
      static_cast<UCHAR>(Type);  // notification and synchronization objects behave alike, whatever they are
  InitializeListHead(&Timer->Header.WaitListHead);
}

BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc) { return KeSetTimerEx(Timer, DueTime, 0, Dpc); }

BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc) {
  partition().require_irql_at_most(Irql::dispatch, "KeSetTimerEx", BugCheck::irql_not_less_or_equal);
  const bool was_set = partition().cancel_timer(*Timer);
  partition().set_timer(*Timer, partition().span_until(DueTime), std::chrono::milliseconds{Period}, Dpc);
  return was_set ? TRUE : FALSE;
}

BOOLEAN KeCancelTimer(PKTIMER Timer) {
  partition().require_irql_at_most(Irql::dispatch, "KeCancelTimer", BugCheck::irql_not_less_or_equal);
  return partition().cancel_timer(*Timer) ? TRUE : FALSE;
}

// ---- Work items and threads ----

struct _IO_WORKITEM {
  vmbsim::os::WorkItem item;
  PDEVICE_OBJECT device;
  PIO_WORKITEM_ROUTINE routine;
  PVOID context;
};

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject) {
  void* memory = partition().pool().allocate(sizeof(_IO_WORKITEM), true);
  if (memory == nullptr) return nullptr;
  auto* work = new (memory) _IO_WORKITEM{};
  work->device = DeviceObject;
  work->item.routine = [](void* self) {
    auto& queued = *static_cast<_IO_WORKITEM*>(self);
    queued.routine(queued.device, queued.context);
  };
  work->item.context = work;
  return work;
}

VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                     PVOID Context) {
  partition().require_irql_at_most(Irql::dispatch, "IoQueueWorkItem", BugCheck::irql_not_less_or_equal);
  if (IoWorkItem->item.queued) {
    partition().findings().add("WORK", BugCheck::kernel_security_check_failure, {},
                               "a work item was queued while it was queued");
    return;
  }
  IoWorkItem->routine = WorkerRoutine;
  IoWorkItem->context = Context;
  partition().queue_work(IoWorkItem->item, QueueType);
}

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem) {
  if (IoWorkItem->item.queued) {
    partition().findings().add("WORK", BugCheck::kernel_security_check_failure, {},
                               "a work item was freed while it was queued");
    partition().remove_work(IoWorkItem->item);
  }
  ExFreePool(IoWorkItem);
}

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG, POBJECT_ATTRIBUTES, HANDLE, PCLIENT_ID,
                              PKSTART_ROUTINE StartRoutine, PVOID StartContext) {
  if (!partition().require_irql_at_most(Irql::passive, "PsCreateSystemThread", BugCheck::irql_not_less_or_equal))
    return STATUS_UNSUCCESSFUL;
  *ThreadHandle = &partition().create_thread("system thread", vmbsim::os::Thread::priority_normal, processor().id(),
                                             false, StartRoutine, StartContext);
  return STATUS_SUCCESS;
}

NTSTATUS PsTerminateSystemThread(NTSTATUS) {
  if (partition().current_thread() != nullptr) partition().end_current_thread();
  partition().findings().add("IRQL", BugCheck::attempted_switch_from_dpc, {},
                             "PsTerminateSystemThread called by a DPC or an ISR");
  return STATUS_INVALID_PARAMETER;
}

// ---- Time and processors ----

VOID KeStallExecutionProcessor(ULONG MicroSeconds) { processor().consume(std::chrono::microseconds{MicroSeconds}); }

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency) {
  if (PerformanceFrequency != nullptr)
    PerformanceFrequency->QuadPart = 10'000'000;  // Hyper-V's reference counter: 100 ns
  LARGE_INTEGER ticks;
  ticks.QuadPart = vmbsim::nanoseconds(partition().world().now()) / 100;
  return ticks;
}

ULONGLONG KeQueryInterruptTime(VOID) {
  return static_cast<ULONGLONG>(vmbsim::nanoseconds(partition().world().now()) / 100);
}

ULONG KeGetCurrentProcessorNumber(VOID) { return processor().id().value; }

ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber) {
  if (ProcNumber != nullptr) *ProcNumber = PROCESSOR_NUMBER{0, static_cast<UCHAR>(processor().id().value), 0};
  return processor().id().value;
}

ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors) {
  const ULONG count = partition().cpu_count();
  if (ActiveProcessors != nullptr) *ActiveProcessors = count >= 64 ? ~KAFFINITY{0} : (KAFFINITY{1} << count) - 1;
  return count;
}

// ---- Pool ----

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG) {
  partition().require_irql_at_most((PoolType & PagedPool) != 0 ? Irql::apc : Irql::dispatch, "ExAllocatePoolWithTag",
                                   BugCheck::driver_verifier_detected_violation);
  return partition().pool().allocate(NumberOfBytes, false);
}

PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG) {
  partition().require_irql_at_most((Flags & POOL_FLAG_PAGED) != 0 ? Irql::apc : Irql::dispatch, "ExAllocatePool2",
                                   BugCheck::driver_verifier_detected_violation);
  return partition().pool().allocate(NumberOfBytes, (Flags & POOL_FLAG_UNINITIALIZED) == 0);
}

VOID ExFreePoolWithTag(PVOID P, ULONG) {
  partition().require_irql_at_most(Irql::dispatch, "ExFreePoolWithTag", BugCheck::driver_verifier_detected_violation);
  if (!partition().free_pool(P))
    partition().findings().add("POOL", BugCheck::bad_pool_caller, {}, "a block was freed that is not allocated");
}

VOID ExFreePool(PVOID P) { ExFreePoolWithTag(P, 0); }

// ---- Memory descriptor lists ----

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN, BOOLEAN, PIRP) {
  const std::size_t pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length);
  auto* mdl = static_cast<PMDL>(partition().pool().allocate(sizeof(MDL) + pages * sizeof(PFN_NUMBER), true));
  if (mdl != nullptr) MmInitializeMdl(mdl, VirtualAddress, Length);
  return mdl;
}

VOID IoFreeMdl(PMDL Mdl) { ExFreePool(Mdl); }

VOID MmBuildMdlForNonPagedPool(PMDL Mdl) {
  const auto start = partition().memory().address_of(Mdl->StartVa);
  VMBSIM_ASSERT(start.has_value(), "a descriptor list is built over pool memory");
  PPFN_NUMBER pfn = MmGetMdlPfnArray(Mdl);
  const std::size_t pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(Mdl), Mdl->ByteCount);
  for (std::size_t i = 0; i < pages; ++i) pfn[i] = start->pfn + i;
  Mdl->MdlFlags = static_cast<CSHORT>(Mdl->MdlFlags | MDL_SOURCE_IS_NONPAGED_POOL);
  Mdl->MappedSystemVa = MmGetMdlVirtualAddress(Mdl);
}

PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority) {
  if ((Mdl->MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA)) != 0) return Mdl->MappedSystemVa;
  return MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, nullptr, FALSE, Priority);
}

// Pages that lie one behind the other need no new mapping; others would, and for them the call fails as documented.
PVOID MmMapLockedPagesSpecifyCache(PMDL Mdl, KPROCESSOR_MODE, MEMORY_CACHING_TYPE, PVOID, ULONG, ULONG) {
  auto* memory =
      Mdl->Process != nullptr ? reinterpret_cast<vmbsim::hw::GuestMemory*>(Mdl->Process) : &partition().memory();
  const PPFN_NUMBER pfn = MmGetMdlPfnArray(Mdl);
  const std::size_t pages = BYTES_TO_PAGES(std::size_t{Mdl->ByteOffset} + Mdl->ByteCount);
  for (std::size_t i = 1; i < pages; ++i)
    if (pfn[i] != pfn[0] + i) return nullptr;
  const auto bytes = memory->bytes(pfn[0], {Mdl->ByteOffset}, {Mdl->ByteCount});
  if (!bytes) return nullptr;
  Mdl->MappedSystemVa = bytes->data();
  Mdl->MdlFlags = static_cast<CSHORT>(Mdl->MdlFlags | MDL_MAPPED_TO_SYSTEM_VA);
  return Mdl->MappedSystemVa;
}

VOID MmUnmapLockedPages(PVOID, PMDL Mdl) {
  Mdl->MdlFlags = static_cast<CSHORT>(Mdl->MdlFlags & ~MDL_MAPPED_TO_SYSTEM_VA);
}

// ---- Debug output ----

ULONG DbgPrint(PCSTR Format, ...) {
  char line[512];  // DbgPrint's documented limit for one call
  va_list arguments;
  va_start(arguments, Format);
  std::vsnprintf(line, sizeof line, Format, arguments);
  va_end(arguments);
  partition().debug_print(line);
  return STATUS_SUCCESS;
}

}  // extern "C"
