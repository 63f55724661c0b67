#pragma once
/// The part of the Windows Driver Model that a KMCL driver stands on, by its own names.
///
/// Every comment "IRQL" gives the documented levels; a call from a wrong level is a finding of the run. Structures that
/// a driver allocates itself have the documented members and may be larger or smaller than on Windows: use sizeof.
/// Source: Windows driver documentation (DDI), wdm.h; the page has the name of the function or structure.
#include <string.h>

#include "ntdef.h"
#include "ntstatus.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- Interrupt request levels ----------------------------------------------------------------------------------------

/// A processor's level. Ordered: work at a level is held back while the processor runs at that level or above.
typedef UCHAR KIRQL, *PKIRQL;

// The x64 values: the level is the upper half of the interrupt vector.
#define PASSIVE_LEVEL 0
#define LOW_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2
#define CMCI_LEVEL 5
#define CLOCK_LEVEL 13
#define IPI_LEVEL 14
#define DRS_LEVEL 14
#define POWER_LEVEL 14
#define PROFILE_LEVEL 15
#define HIGH_LEVEL 15

/// IRQL: any.
NTKERNELAPI KIRQL KeGetCurrentIrql(VOID);
/// Raises and returns the level before. IRQL: at or below NewIrql.
_IRQL_raises_(NewIrql) _IRQL_saves_ NTKERNELAPI KIRQL KfRaiseIrql(_In_ KIRQL NewIrql);
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_raises_(DISPATCH_LEVEL) _IRQL_saves_ NTKERNELAPI KIRQL KeRaiseIrqlToDpcLevel(VOID);
/// Restores the level that the raise returned. IRQL: at or above NewIrql.
NTKERNELAPI VOID KeLowerIrql(_In_ _IRQL_restores_ KIRQL NewIrql);
#define KeRaiseIrql(NewIrql, OldIrql) (*(OldIrql) = KfRaiseIrql(NewIrql))

// --- Memory and lists ------------------------------------------------------------------------------------------------

#define PAGE_SHIFT 12L
#define PAGE_SIZE 0x1000
#define PAGE_ALIGN(Va) ((PVOID)((ULONG_PTR)(Va) & ~(ULONG_PTR)(PAGE_SIZE - 1)))
#define BYTE_OFFSET(Va) ((ULONG)((ULONG_PTR)(Va) & (PAGE_SIZE - 1)))
#define BYTES_TO_PAGES(Size) (((Size) >> PAGE_SHIFT) + (((Size) & (PAGE_SIZE - 1)) != 0))
#define ROUND_TO_PAGES(Size) (((ULONG_PTR)(Size) + PAGE_SIZE - 1) & ~(ULONG_PTR)(PAGE_SIZE - 1))
/// Pages that a buffer of Size bytes at Va touches.
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Size) \
  ((ULONG)((BYTE_OFFSET(Va) + (SIZE_T)(Size) + (PAGE_SIZE - 1)) >> PAGE_SHIFT))

#define RtlCopyMemory(Destination, Source, Length) memcpy((Destination), (Source), (Length))
#define RtlMoveMemory(Destination, Source, Length) memmove((Destination), (Source), (Length))
#define RtlFillMemory(Destination, Length, Fill) memset((Destination), (Fill), (Length))
#define RtlZeroMemory(Destination, Length) memset((Destination), 0, (Length))
#define RtlEqualMemory(Source1, Source2, Length) (!memcmp((Source1), (Source2), (Length)))

/// The number of bytes that are equal before the first difference.
FORCEINLINE SIZE_T RtlCompareMemory(_In_ const VOID *Source1, _In_ const VOID *Source2, _In_ SIZE_T Length) {
  const UCHAR *a = (const UCHAR *)Source1;
  const UCHAR *b = (const UCHAR *)Source2;
  SIZE_T equal = 0;
  while (equal < Length && a[equal] == b[equal]) ++equal;
  return equal;
}

/// The string must outlive what it initialises: nothing is copied. A null source gives an empty string.
/// The source has at most 32766 units, what a UNICODE_STRING can count.
FORCEINLINE VOID RtlInitUnicodeString(_Out_ PUNICODE_STRING DestinationString, _In_opt_ PCWSTR SourceString) {
  SIZE_T units = 0;
  while (SourceString != NULL && SourceString[units] != 0) ++units;
  DestinationString->Length = (USHORT)(units * sizeof(WCHAR));
  DestinationString->MaximumLength = SourceString == NULL ? (USHORT)0 : (USHORT)((units + 1) * sizeof(WCHAR));
  DestinationString->Buffer = (PWCH)SourceString;
}

// Lists are not guarded: the driver holds its own lock around these calls.

FORCEINLINE VOID InitializeListHead(_Out_ PLIST_ENTRY ListHead) { ListHead->Flink = ListHead->Blink = ListHead; }

FORCEINLINE BOOLEAN IsListEmpty(_In_ const LIST_ENTRY *ListHead) { return (BOOLEAN)(ListHead->Flink == ListHead); }

FORCEINLINE VOID InsertHeadList(_Inout_ PLIST_ENTRY ListHead, _Out_ PLIST_ENTRY Entry) {
  PLIST_ENTRY first = ListHead->Flink;
  Entry->Flink = first;
  Entry->Blink = ListHead;
  first->Blink = Entry;
  ListHead->Flink = Entry;
}

FORCEINLINE VOID InsertTailList(_Inout_ PLIST_ENTRY ListHead, _Out_ PLIST_ENTRY Entry) {
  PLIST_ENTRY last = ListHead->Blink;
  Entry->Flink = ListHead;
  Entry->Blink = last;
  last->Flink = Entry;
  ListHead->Blink = Entry;
}

/// Returns TRUE when the list is empty afterwards.
FORCEINLINE BOOLEAN RemoveEntryList(_In_ PLIST_ENTRY Entry) {
  PLIST_ENTRY next = Entry->Flink;
  PLIST_ENTRY previous = Entry->Blink;
  previous->Flink = next;
  next->Blink = previous;
  return (BOOLEAN)(next == previous);
}

/// Returns ListHead itself when the list is empty.
FORCEINLINE PLIST_ENTRY RemoveHeadList(_Inout_ PLIST_ENTRY ListHead) {
  PLIST_ENTRY first = ListHead->Flink;
  RemoveEntryList(first);
  return first;
}

/// Returns ListHead itself when the list is empty.
FORCEINLINE PLIST_ENTRY RemoveTailList(_Inout_ PLIST_ENTRY ListHead) {
  PLIST_ENTRY last = ListHead->Blink;
  RemoveEntryList(last);
  return last;
}

/// Puts a list that has no head of its own (ListToAppend is one of its entries) at the tail.
FORCEINLINE VOID AppendTailList(_Inout_ PLIST_ENTRY ListHead, _Inout_ PLIST_ENTRY ListToAppend) {
  PLIST_ENTRY last = ListHead->Blink;
  ListHead->Blink->Flink = ListToAppend;
  ListHead->Blink = ListToAppend->Blink;
  ListToAppend->Blink->Flink = ListHead;
  ListToAppend->Blink = last;
}

FORCEINLINE VOID PushEntryList(_Inout_ PSINGLE_LIST_ENTRY ListHead, _Out_ PSINGLE_LIST_ENTRY Entry) {
  Entry->Next = ListHead->Next;
  ListHead->Next = Entry;
}

/// Returns NULL when the list is empty.
FORCEINLINE PSINGLE_LIST_ENTRY PopEntryList(_Inout_ PSINGLE_LIST_ENTRY ListHead) {
  PSINGLE_LIST_ENTRY first = ListHead->Next;
  if (first != NULL) ListHead->Next = first->Next;
  return first;
}

// --- Interlocked operations: atomic, full barrier, any IRQL ----------------------------------------------------------

#define KeMemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/// The result is the value after; for Exchange, ExchangeAdd, CompareExchange, And, Or and Xor the value before.
FORCEINLINE LONG InterlockedIncrement(_Inout_ LONG volatile *Addend) {
  return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedDecrement(_Inout_ LONG volatile *Addend) {
  return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedAdd(_Inout_ LONG volatile *Addend, _In_ LONG Value) {
  return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedExchangeAdd(_Inout_ LONG volatile *Addend, _In_ LONG Value) {
  return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedExchange(_Inout_ LONG volatile *Target, _In_ LONG Value) {
  return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedCompareExchange(_Inout_ LONG volatile *Destination, _In_ LONG Exchange,
                                            _In_ LONG Comperand) {
  __atomic_compare_exchange_n(Destination, &Comperand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return Comperand;
}
FORCEINLINE LONG InterlockedAnd(_Inout_ LONG volatile *Destination, _In_ LONG Value) {
  return __atomic_fetch_and(Destination, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedOr(_Inout_ LONG volatile *Destination, _In_ LONG Value) {
  return __atomic_fetch_or(Destination, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG InterlockedXor(_Inout_ LONG volatile *Destination, _In_ LONG Value) {
  return __atomic_fetch_xor(Destination, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedIncrement64(_Inout_ LONG64 volatile *Addend) {
  return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedDecrement64(_Inout_ LONG64 volatile *Addend) {
  return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedAdd64(_Inout_ LONG64 volatile *Addend, _In_ LONG64 Value) {
  return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedExchangeAdd64(_Inout_ LONG64 volatile *Addend, _In_ LONG64 Value) {
  return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedExchange64(_Inout_ LONG64 volatile *Target, _In_ LONG64 Value) {
  return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE LONG64 InterlockedCompareExchange64(_Inout_ LONG64 volatile *Destination, _In_ LONG64 Exchange,
                                                _In_ LONG64 Comperand) {
  __atomic_compare_exchange_n(Destination, &Comperand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return Comperand;
}
FORCEINLINE PVOID InterlockedExchangePointer(_Inout_ PVOID volatile *Target, _In_opt_ PVOID Value) {
  return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE PVOID InterlockedCompareExchangePointer(_Inout_ PVOID volatile *Destination, _In_opt_ PVOID Exchange,
                                                    _In_opt_ PVOID Comperand) {
  __atomic_compare_exchange_n(Destination, &Comperand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return Comperand;
}

// --- Devices and interfaces ------------------------------------------------------------------------------------------

typedef struct _DRIVER_OBJECT *PDRIVER_OBJECT;

/// Only the members below exist; DeviceExtension is the driver's own, Simulator belongs to vmbsim.
typedef struct _DEVICE_OBJECT {
  CSHORT Type;
  USHORT Size;
  LONG ReferenceCount;
  PDRIVER_OBJECT DriverObject;
  PVOID DeviceExtension;
  PVOID Simulator;
} DEVICE_OBJECT, *PDEVICE_OBJECT;

typedef VOID INTERFACE_REFERENCE(PVOID Context);
typedef VOID INTERFACE_DEREFERENCE(PVOID Context);
typedef INTERFACE_REFERENCE *PINTERFACE_REFERENCE;
typedef INTERFACE_DEREFERENCE *PINTERFACE_DEREFERENCE;

/// The head of every table of functions that one driver hands to another.
typedef struct _INTERFACE {
  USHORT Size;
  USHORT Version;
  PVOID Context;
  PINTERFACE_REFERENCE InterfaceReference;
  PINTERFACE_DEREFERENCE InterfaceDereference;
} INTERFACE, *PINTERFACE;

// --- Spin locks ------------------------------------------------------------------------------------------------------

typedef ULONG_PTR KSPIN_LOCK, *PKSPIN_LOCK;

/// IRQL: any.
NTKERNELAPI VOID KeInitializeSpinLock(_Out_ PKSPIN_LOCK SpinLock);
/// Raises to DISPATCH_LEVEL, spins until the lock is free, takes it; returns the level before.
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI KIRQL KeAcquireSpinLockRaiseToDpc(_Inout_ PKSPIN_LOCK SpinLock);
#define KeAcquireSpinLock(SpinLock, OldIrql) (*(OldIrql) = KeAcquireSpinLockRaiseToDpc(SpinLock))
/// NewIrql is what the acquire returned. IRQL: DISPATCH_LEVEL.
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID KeReleaseSpinLock(_Inout_ PKSPIN_LOCK SpinLock, _In_ KIRQL NewIrql);
/// IRQL: DISPATCH_LEVEL or above.
_IRQL_requires_min_(DISPATCH_LEVEL) NTKERNELAPI VOID KeAcquireSpinLockAtDpcLevel(_Inout_ PKSPIN_LOCK SpinLock);
/// IRQL: DISPATCH_LEVEL or above.
_IRQL_requires_min_(DISPATCH_LEVEL) NTKERNELAPI VOID KeReleaseSpinLockFromDpcLevel(_Inout_ PKSPIN_LOCK SpinLock);
/// TRUE when the lock was free and is now held; never spins. IRQL: DISPATCH_LEVEL.
_Must_inspect_result_ _IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI BOOLEAN
    KeTryToAcquireSpinLockAtDpcLevel(_Inout_ PKSPIN_LOCK SpinLock);
/// TRUE when the lock is free. IRQL: any.
NTKERNELAPI BOOLEAN KeTestSpinLock(_In_ PKSPIN_LOCK SpinLock);

// --- Deferred procedure calls ----------------------------------------------------------------------------------------

/// Low: at the tail, need not start now. Medium: at the tail. High: at the head. MediumHigh: at the tail, starts at
/// once on another processor as well.
typedef enum _KDPC_IMPORTANCE {
  LowImportance = 0,
  MediumImportance = 1,
  HighImportance = 2,
  MediumHighImportance = 3
} KDPC_IMPORTANCE;

struct _KDPC;
/// Runs at DISPATCH_LEVEL on the target processor.
typedef VOID KDEFERRED_ROUTINE(_In_ struct _KDPC *Dpc, _In_opt_ PVOID DeferredContext, _In_opt_ PVOID SystemArgument1,
                               _In_opt_ PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;

/// Opaque to drivers. DpcData is not null while the object is in a queue.
typedef struct _KDPC {
  UCHAR Type;
  UCHAR Importance;
  volatile USHORT Number;
  LIST_ENTRY DpcListEntry;
  PKDEFERRED_ROUTINE DeferredRoutine;
  PVOID DeferredContext;
  PVOID SystemArgument1;
  PVOID SystemArgument2;
  PVOID DpcData;
} KDPC, *PKDPC, *PRKDPC;

/// IRQL: any.
NTKERNELAPI VOID KeInitializeDpc(_Out_ PRKDPC Dpc, _In_ PKDEFERRED_ROUTINE DeferredRoutine,
                                 _In_opt_ PVOID DeferredContext);
/// FALSE, and nothing is done, when the object is in a queue already. IRQL: any.
NTKERNELAPI BOOLEAN KeInsertQueueDpc(_Inout_ PRKDPC Dpc, _In_opt_ PVOID SystemArgument1,
                                     _In_opt_ PVOID SystemArgument2);
/// TRUE when the object was in a queue. IRQL: any.
NTKERNELAPI BOOLEAN KeRemoveQueueDpc(_Inout_ PRKDPC Dpc);
/// Holds from the next insertion on. IRQL: any.
NTKERNELAPI VOID KeSetImportanceDpc(_Inout_ PRKDPC Dpc, _In_ KDPC_IMPORTANCE Importance);
/// Holds from the next insertion on. IRQL: any.
NTKERNELAPI VOID KeSetTargetProcessorDpc(_Inout_ PRKDPC Dpc, _In_ CCHAR Number);

// --- Objects to wait for ---------------------------------------------------------------------------------------------

/// What every object that can be waited for begins with. SignalState is greater than 0 while it is signalled.
typedef struct _DISPATCHER_HEADER {
  UCHAR Type;
  UCHAR Signalling;
  UCHAR Size;
  UCHAR Reserved1;
  LONG SignalState;
  LIST_ENTRY WaitListHead;
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

typedef enum _KWAIT_REASON {
  Executive = 0,
  FreePage = 1,
  PageIn = 2,
  PoolAllocation = 3,
  DelayExecution = 4,
  Suspended = 5,
  UserRequest = 6
} KWAIT_REASON;

typedef CCHAR KPROCESSOR_MODE;
typedef enum _MODE { KernelMode = 0, UserMode = 1, MaximumMode = 2 } MODE;

#define IO_NO_INCREMENT 0

/// Waits until the object is signalled. Timeout in units of 100 ns: negative from now, positive a point of system time,
/// 0 only asks, a null pointer waits for ever. Returns STATUS_SUCCESS or STATUS_TIMEOUT (which is an NT_SUCCESS code).
/// IRQL: at or below APC_LEVEL when it may wait; at or below DISPATCH_LEVEL when *Timeout is 0.
NTKERNELAPI NTSTATUS KeWaitForSingleObject(_In_ PVOID Object, _In_ KWAIT_REASON WaitReason,
                                           _In_ KPROCESSOR_MODE WaitMode, _In_ BOOLEAN Alertable,
                                           _In_opt_ PLARGE_INTEGER Timeout);
/// Interval in units of 100 ns: negative from now, positive a point of system time. IRQL: at or below APC_LEVEL.
_IRQL_requires_max_(APC_LEVEL) NTKERNELAPI NTSTATUS
    KeDelayExecutionThread(_In_ KPROCESSOR_MODE WaitMode, _In_ BOOLEAN Alertable, _In_ PLARGE_INTEGER Interval);

/// A notification event releases every waiter and stays signalled; a synchronization event releases one and resets.
typedef enum _EVENT_TYPE { NotificationEvent = 0, SynchronizationEvent = 1 } EVENT_TYPE;

typedef struct _KEVENT {
  DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

/// IRQL: any.
NTKERNELAPI VOID KeInitializeEvent(_Out_ PRKEVENT Event, _In_ EVENT_TYPE Type, _In_ BOOLEAN State);
/// Returns the state before, 0 for not signalled. Wait TRUE: a wait follows at once.
/// IRQL: at or below DISPATCH_LEVEL with Wait FALSE, at or below APC_LEVEL with Wait TRUE.
NTKERNELAPI LONG KeSetEvent(_Inout_ PRKEVENT Event, _In_ KPRIORITY Increment, _In_ BOOLEAN Wait);
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID KeClearEvent(_Inout_ PRKEVENT Event);
/// As KeClearEvent; returns the state before. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI LONG KeResetEvent(_Inout_ PRKEVENT Event);
/// 0 for not signalled. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI LONG KeReadStateEvent(_In_ PRKEVENT Event);

typedef enum _TIMER_TYPE { NotificationTimer = 0, SynchronizationTimer = 1 } TIMER_TYPE;

/// Period in milliseconds, 0 for a timer that expires once. SimulatorData belongs to vmbsim.
typedef struct _KTIMER {
  DISPATCHER_HEADER Header;
  ULARGE_INTEGER DueTime;
  LIST_ENTRY TimerListEntry;
  PKDPC Dpc;
  ULONG Period;
  ULONG Reserved;
  PVOID SimulatorData[2];
} KTIMER, *PKTIMER;

/// A notification timer. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID KeInitializeTimer(_Out_ PKTIMER Timer);
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID KeInitializeTimerEx(_Out_ PKTIMER Timer, _In_ TIMER_TYPE Type);
/// DueTime in units of 100 ns: negative from now, positive a point of system time. TRUE when the timer was set already;
/// it is then set anew. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI BOOLEAN KeSetTimer(_Inout_ PKTIMER Timer, _In_ LARGE_INTEGER DueTime,
                                                                    _In_opt_ PKDPC Dpc);
/// As KeSetTimer, then every Period milliseconds unless Period is 0. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI BOOLEAN KeSetTimerEx(_Inout_ PKTIMER Timer, _In_ LARGE_INTEGER DueTime,
                                                                      _In_ LONG Period, _In_opt_ PKDPC Dpc);
/// TRUE when the timer was set. A DPC it has queued already still runs. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI BOOLEAN KeCancelTimer(_Inout_ PKTIMER Timer);

// --- Work items and threads ------------------------------------------------------------------------------------------

typedef enum _WORK_QUEUE_TYPE {
  CriticalWorkQueue = 0,
  DelayedWorkQueue = 1,
  HyperCriticalWorkQueue = 2,
  NormalWorkQueue = 3,
  BackgroundWorkQueue = 4,
  RealTimeWorkQueue = 5,
  SuperCriticalWorkQueue = 6,
  MaximumWorkQueue = 7,
  CustomPriorityWorkQueue = 32
} WORK_QUEUE_TYPE;

typedef struct _IO_WORKITEM *PIO_WORKITEM;

/// Runs at PASSIVE_LEVEL in a system thread and returns at PASSIVE_LEVEL.
typedef VOID IO_WORKITEM_ROUTINE(_In_ PDEVICE_OBJECT DeviceObject, _In_opt_ PVOID Context);
typedef IO_WORKITEM_ROUTINE *PIO_WORKITEM_ROUTINE;

/// NULL when there is no memory. IRQL: at or below DISPATCH_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI PIO_WORKITEM
    IoAllocateWorkItem(_In_ PDEVICE_OBJECT DeviceObject);
/// An item must not be queued while it is queued; it leaves the queue before its routine runs.
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID IoQueueWorkItem(_Inout_ PIO_WORKITEM IoWorkItem,
                                                                     _In_ PIO_WORKITEM_ROUTINE WorkerRoutine,
                                                                     _In_ WORK_QUEUE_TYPE QueueType,
                                                                     _In_opt_ PVOID Context);
/// Only while the item is not queued. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID IoFreeWorkItem(_In_ PIO_WORKITEM IoWorkItem);

typedef struct _OBJECT_ATTRIBUTES {
  ULONG Length;
  HANDLE RootDirectory;
  PUNICODE_STRING ObjectName;
  ULONG Attributes;
  PVOID SecurityDescriptor;
  PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

typedef struct _CLIENT_ID {
  HANDLE UniqueProcess;
  HANDLE UniqueThread;
} CLIENT_ID, *PCLIENT_ID;

#define THREAD_ALL_ACCESS 0x1FFFFFu

typedef VOID KSTART_ROUTINE(_In_ PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;

/// Starts a thread at PASSIVE_LEVEL. IRQL: PASSIVE_LEVEL.
_IRQL_requires_(PASSIVE_LEVEL) NTKERNELAPI NTSTATUS
    PsCreateSystemThread(_Out_ PHANDLE ThreadHandle, _In_ ULONG DesiredAccess,
                         _In_opt_ POBJECT_ATTRIBUTES ObjectAttributes, _In_opt_ HANDLE ProcessHandle,
                         _Out_opt_ PCLIENT_ID ClientId, _In_ PKSTART_ROUTINE StartRoutine,
                         _In_opt_ PVOID StartContext);
/// Ends the calling system thread; does not return. IRQL: PASSIVE_LEVEL.
_IRQL_requires_(PASSIVE_LEVEL) NTKERNELAPI NTSTATUS PsTerminateSystemThread(_In_ NTSTATUS ExitStatus);

// --- Time and processors ---------------------------------------------------------------------------------------------

/// Keeps the processor busy. IRQL: any.
NTKERNELAPI VOID KeStallExecutionProcessor(_In_ ULONG MicroSeconds);
/// Ticks since boot; *PerformanceFrequency receives ticks per second. IRQL: any.
NTKERNELAPI LARGE_INTEGER KeQueryPerformanceCounter(_Out_opt_ PLARGE_INTEGER PerformanceFrequency);
/// Units of 100 ns since boot. IRQL: any.
NTKERNELAPI ULONGLONG KeQueryInterruptTime(VOID);
/// IRQL: any; the answer stays true only at or above DISPATCH_LEVEL.
NTKERNELAPI ULONG KeGetCurrentProcessorNumber(VOID);
/// Returns the number over all groups; *ProcNumber receives group and number in it. IRQL: as above.
NTKERNELAPI ULONG KeGetCurrentProcessorNumberEx(_Out_opt_ PPROCESSOR_NUMBER ProcNumber);
/// *ActiveProcessors receives one bit per processor. IRQL: any.
NTKERNELAPI ULONG KeQueryActiveProcessorCount(_Out_opt_ PKAFFINITY ActiveProcessors);

// --- Pool ------------------------------------------------------------------------------------------------------------

typedef enum _POOL_TYPE {
  NonPagedPool = 0,
  NonPagedPoolExecute = 0,
  PagedPool = 1,
  NonPagedPoolCacheAligned = 4,
  PagedPoolCacheAligned = 5,
  NonPagedPoolNx = 512,
  NonPagedPoolNxCacheAligned = 516
} POOL_TYPE;

typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_USE_QUOTA 0x0000000000000001ull
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ull
#define POOL_FLAG_SESSION 0x0000000000000004ull
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ull
#define POOL_FLAG_RAISE_ON_FAILURE 0x0000000000000020ull
#define POOL_FLAG_NON_PAGED 0x0000000000000040ull
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ull
#define POOL_FLAG_PAGED 0x0000000000000100ull

/// Not zeroed; NULL when there is no memory. IRQL: at or below DISPATCH_LEVEL; for paged pool at or below APC_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI PVOID
    ExAllocatePoolWithTag(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
/// Zeroed unless POOL_FLAG_UNINITIALIZED; NULL when there is no memory, Tag is 0 or Flags is invalid. IRQL: as above.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI PVOID
    ExAllocatePool2(_In_ POOL_FLAGS Flags, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
/// Tag is that of the allocation, or 0. IRQL: at or below DISPATCH_LEVEL; for paged pool at or below APC_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID ExFreePoolWithTag(_In_ PVOID P, _In_ ULONG Tag);
/// IRQL: as above.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID ExFreePool(_In_ PVOID P);

// --- Memory descriptor lists -----------------------------------------------------------------------------------------

typedef ULONG_PTR PFN_NUMBER, *PPFN_NUMBER;

/// Describes a buffer by its pages: Size bytes of header and page frame numbers, which follow the structure.
/// StartVa is page aligned; the buffer begins ByteOffset behind it and has ByteCount bytes. Next chains descriptors.
typedef struct _MDL {
  struct _MDL *Next;
  CSHORT Size;
  CSHORT MdlFlags;
  struct _EPROCESS *Process;
  PVOID MappedSystemVa;
  PVOID StartVa;
  ULONG ByteCount;
  ULONG ByteOffset;
} MDL, *PMDL;

#define MDL_MAPPED_TO_SYSTEM_VA 0x0001
#define MDL_PAGES_LOCKED 0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004
#define MDL_ALLOCATED_FIXED_SIZE 0x0008
#define MDL_PARTIAL 0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED 0x0020
#define MDL_IO_PAGE_READ 0x0040
#define MDL_WRITE_OPERATION 0x0080
#define MDL_LOCKED_PAGE_TABLES 0x0100
#define MDL_FREE_EXTRA_PTES 0x0200
#define MDL_DESCRIBES_AWE 0x0400
#define MDL_IO_SPACE 0x0800
#define MDL_NETWORK_HEADER 0x1000
#define MDL_MAPPING_CAN_FAIL 0x2000
#define MDL_PAGE_CONTENTS_INVARIANT 0x4000
#define MDL_INTERNAL 0x8000

#define MmGetMdlPfnArray(Mdl) ((PPFN_NUMBER)((Mdl) + 1))
#define MmGetMdlVirtualAddress(Mdl) ((PVOID)((PCHAR)((Mdl)->StartVa) + (Mdl)->ByteOffset))
#define MmGetMdlByteCount(Mdl) ((Mdl)->ByteCount)
#define MmGetMdlByteOffset(Mdl) ((Mdl)->ByteOffset)

/// Fills the header only; the caller's memory holds room for the page frame numbers behind it.
FORCEINLINE VOID MmInitializeMdl(_Out_ PMDL MemoryDescriptorList, _In_ PVOID BaseVa, _In_ SIZE_T Length) {
  MemoryDescriptorList->Next = NULL;
  MemoryDescriptorList->Size =
      (CSHORT)(sizeof(MDL) + sizeof(PFN_NUMBER) * ADDRESS_AND_SIZE_TO_SPAN_PAGES(BaseVa, Length));
  MemoryDescriptorList->MdlFlags = 0;
  MemoryDescriptorList->StartVa = PAGE_ALIGN(BaseVa);
  MemoryDescriptorList->ByteOffset = BYTE_OFFSET(BaseVa);
  MemoryDescriptorList->ByteCount = (ULONG)Length;
}

typedef struct _IRP *PIRP;

typedef enum _MEMORY_CACHING_TYPE {
  MmNonCached = 0,
  MmCached = 1,
  MmWriteCombined = 2
} MEMORY_CACHING_TYPE;

typedef enum _MM_PAGE_PRIORITY {
  LowPagePriority = 0,
  NormalPagePriority = 16,
  HighPagePriority = 32
} MM_PAGE_PRIORITY;
#define MdlMappingNoWrite 0x80000000u
#define MdlMappingNoExecute 0x40000000u

/// Large enough for the buffer; not filled beyond MmInitializeMdl. NULL when there is no memory.
/// IRQL: at or below DISPATCH_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI PMDL
    IoAllocateMdl(_In_opt_ PVOID VirtualAddress, _In_ ULONG Length, _In_ BOOLEAN SecondaryBuffer,
                  _In_ BOOLEAN ChargeQuota, _Inout_opt_ PIRP Irp);
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID IoFreeMdl(_In_ PMDL Mdl);
/// Fills in the pages of a non-paged buffer and its system address. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID MmBuildMdlForNonPagedPool(_Inout_ PMDL MemoryDescriptorList);
/// A system address of the buffer, made by mapping when there is none; NULL when that fails. Priority is an
/// MM_PAGE_PRIORITY, with MdlMapping bits. IRQL: at or below DISPATCH_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI PVOID
    MmGetSystemAddressForMdlSafe(_Inout_ PMDL Mdl, _In_ ULONG Priority);
/// IRQL: at or below DISPATCH_LEVEL with KernelMode.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI PVOID
    MmMapLockedPagesSpecifyCache(_Inout_ PMDL MemoryDescriptorList, _In_ KPROCESSOR_MODE AccessMode,
                                 _In_ MEMORY_CACHING_TYPE CacheType, _In_opt_ PVOID RequestedAddress,
                                 _In_ ULONG BugCheckOnFailure, _In_ ULONG Priority);
/// IRQL: at or below DISPATCH_LEVEL with a system address.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID MmUnmapLockedPages(_In_ PVOID BaseAddress,
                                                                        _Inout_ PMDL MemoryDescriptorList);

// --- Debug output ----------------------------------------------------------------------------------------------------

/// printf-like; a ULONG has 32 bits, so its format is %u where Windows sources say %lu. IRQL: at or below DIRQL.
NTKERNELAPI ULONG DbgPrint(_In_z_ _Printf_format_string_ PCSTR Format, ...);

#ifdef __cplusplus
}  // extern "C"

#if __SIZEOF_WCHAR_T__ != 2
/// In C++ a u"..." literal has its own type; without -fshort-wchar it is the way to write a WCHAR string.
FORCEINLINE VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, const char16_t *SourceString) {
  RtlInitUnicodeString(DestinationString, reinterpret_cast<PCWSTR>(SourceString));
}
#endif
#endif
