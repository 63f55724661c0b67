#pragma once
/// Objects to wait for: events, semaphores, mutexes, timers, and the waits themselves.
/// Source: WDK, "Kernel Dispatcher Objects"; the wdm.h page of each function.
#include "dpc.h"

EXTERN_C_START

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

#define THREAD_WAIT_OBJECTS 3
#define MAXIMUM_WAIT_OBJECTS 64

/// Room for one object of a wait for more than THREAD_WAIT_OBJECTS of them. Opaque to drivers.
typedef struct _KWAIT_BLOCK {
  LIST_ENTRY WaitListEntry;
  PVOID Object;
  PVOID Thread;
  USHORT WaitKey;
  UCHAR WaitType;
} KWAIT_BLOCK, *PKWAIT_BLOCK, *PRKWAIT_BLOCK;

typedef enum _WAIT_TYPE { WaitAll = 0, WaitAny = 1 } WAIT_TYPE;

/// Waits for any or for all of Count objects. WaitAny: STATUS_WAIT_0 plus the index of the object that ended the wait.
/// WaitBlockArray has Count elements when Count is above THREAD_WAIT_OBJECTS, else it may be NULL. Otherwise and IRQL: as
/// KeWaitForSingleObject. An abandoned mutex: STATUS_ABANDONED_WAIT_0 instead of STATUS_WAIT_0.
NTKERNELAPI NTSTATUS KeWaitForMultipleObjects(_In_ ULONG Count, _In_reads_(Count) PVOID Object[],
                                              _In_ WAIT_TYPE WaitType, _In_ KWAIT_REASON WaitReason,
                                              _In_ KPROCESSOR_MODE WaitMode, _In_ BOOLEAN Alertable,
                                              _In_opt_ PLARGE_INTEGER Timeout,
                                              _Out_writes_opt_(Count) PKWAIT_BLOCK WaitBlockArray);
#define KeWaitForMutexObject KeWaitForSingleObject

/// Counts: signalled while above 0, and every wait that it satisfies takes one.
typedef struct _KSEMAPHORE {
  DISPATCHER_HEADER Header;
  LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE, *PRKSEMAPHORE;

/// IRQL: any.
NTKERNELAPI VOID KeInitializeSemaphore(_Out_ PRKSEMAPHORE Semaphore, _In_ LONG Count, _In_ LONG Limit);
/// Adds Adjustment, which is above 0; returns the count before. Beyond Limit: an exception, and nothing is added.
/// IRQL: at or below DISPATCH_LEVEL with Wait FALSE, at or below APC_LEVEL with Wait TRUE.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI LONG
    KeReleaseSemaphore(_Inout_ PRKSEMAPHORE Semaphore, _In_ KPRIORITY Increment, _In_ LONG Adjustment,
                       _In_ BOOLEAN Wait);
/// 0 for not signalled. IRQL: any.
NTKERNELAPI LONG KeReadStateSemaphore(_In_ PRKSEMAPHORE Semaphore);

/// Owned by one thread, any number of times. SignalState is 1 while it is free, and one less for every acquire.
typedef struct _KMUTANT {
  DISPATCHER_HEADER Header;
  LIST_ENTRY MutantListEntry;
  struct _KTHREAD *OwnerThread;
  BOOLEAN Abandoned;
  UCHAR ApcDisable;
} KMUTANT, *PKMUTANT, *PRKMUTANT, KMUTEX, *PKMUTEX, *PRKMUTEX;

/// Free. Level is reserved. IRQL: any.
NTKERNELAPI VOID KeInitializeMutex(_Out_ PRKMUTEX Mutex, _In_ ULONG Level);
/// Returns the state before: 0 when the mutex is free now. Only its owner releases it.
/// IRQL: at or below DISPATCH_LEVEL with Wait FALSE, at or below APC_LEVEL with Wait TRUE.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI LONG KeReleaseMutex(_Inout_ PRKMUTEX Mutex, _In_ BOOLEAN Wait);
/// 1 for free. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI LONG KeReadStateMutex(_In_ PRKMUTEX Mutex);

/// A mutex that cannot be acquired again by its owner. Opaque to drivers.
typedef struct _FAST_MUTEX {
  LONG Count;
  PVOID Owner;
  ULONG Contention;
  KEVENT Event;
  ULONG OldIrql;
} FAST_MUTEX, *PFAST_MUTEX, KGUARDED_MUTEX, *PKGUARDED_MUTEX;

/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID ExInitializeFastMutex(_Out_ PFAST_MUTEX FastMutex);
/// Waits for the mutex and holds it at APC_LEVEL. IRQL: at or below APC_LEVEL.
_IRQL_requires_max_(APC_LEVEL) NTKERNELAPI VOID ExAcquireFastMutex(_Inout_ PFAST_MUTEX FastMutex);
/// FALSE when somebody holds it. IRQL: at or below APC_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(APC_LEVEL)
NTKERNELAPI BOOLEAN ExTryToAcquireFastMutex(_Inout_ PFAST_MUTEX FastMutex);
/// Restores the level before the acquire. IRQL: APC_LEVEL.
_IRQL_requires_max_(APC_LEVEL) NTKERNELAPI VOID ExReleaseFastMutex(_Inout_ PFAST_MUTEX FastMutex);

/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID KeInitializeGuardedMutex(_Out_ PKGUARDED_MUTEX Mutex);
/// Waits for the mutex and holds it in a guarded region, at the level of the call. IRQL: at or below APC_LEVEL.
_IRQL_requires_max_(APC_LEVEL) NTKERNELAPI VOID KeAcquireGuardedMutex(_Inout_ PKGUARDED_MUTEX Mutex);
/// FALSE when somebody holds it. IRQL: at or below APC_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(APC_LEVEL)
NTKERNELAPI BOOLEAN KeTryToAcquireGuardedMutex(_Inout_ PKGUARDED_MUTEX Mutex);
/// IRQL: at or below APC_LEVEL.
_IRQL_requires_max_(APC_LEVEL) NTKERNELAPI VOID KeReleaseGuardedMutex(_Inout_ PKGUARDED_MUTEX Mutex);

/// A thread in a critical region must not end. IRQL: at or below APC_LEVEL.
_IRQL_requires_max_(APC_LEVEL) NTKERNELAPI VOID KeEnterCriticalRegion(VOID);
/// IRQL: at or below APC_LEVEL.
_IRQL_requires_max_(APC_LEVEL) NTKERNELAPI VOID KeLeaveCriticalRegion(VOID);

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
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI BOOLEAN
    KeSetTimer(_Inout_ PKTIMER Timer, _In_ LARGE_INTEGER DueTime, _In_opt_ PKDPC Dpc);
/// As KeSetTimer, then every Period milliseconds unless Period is 0. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI BOOLEAN
    KeSetTimerEx(_Inout_ PKTIMER Timer, _In_ LARGE_INTEGER DueTime, _In_ LONG Period, _In_opt_ PKDPC Dpc);
/// TRUE when the timer was set. A DPC it has queued already still runs. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI BOOLEAN KeCancelTimer(_Inout_ PKTIMER Timer);

/// As KeSetTimerEx; the run has no other timers to coalesce with, so the timer expires when it is due.
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI BOOLEAN
    KeSetCoalescableTimer(_Inout_ PKTIMER Timer, _In_ LARGE_INTEGER DueTime, _In_ ULONG Period,
                          _In_ ULONG TolerableDelay, _In_opt_ PKDPC Dpc);
/// TRUE while the timer is signalled. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI BOOLEAN KeReadStateTimer(_In_ PKTIMER Timer);

EXTERN_C_END
