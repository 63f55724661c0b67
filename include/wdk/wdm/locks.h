#pragma once
/// Spin locks, plain and queued.
/// Source: WDK, "Introduction to Spin Locks" and "Queued Spin Locks"; the wdm.h page of each function.
#include "irql.h"

EXTERN_C_START

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
_Must_inspect_result_ _IRQL_requires_(DISPATCH_LEVEL)
NTKERNELAPI BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(_Inout_ PKSPIN_LOCK SpinLock);
/// TRUE when the lock is free. IRQL: any.
NTKERNELAPI BOOLEAN KeTestSpinLock(_In_ PKSPIN_LOCK SpinLock);

/// For code that a threaded DPC runs, at DISPATCH_LEVEL or at PASSIVE_LEVEL: raises when it must; the release restores.
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI KIRQL KeAcquireSpinLockForDpc(_Inout_ PKSPIN_LOCK SpinLock);
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID
    KeReleaseSpinLockForDpc(_Inout_ PKSPIN_LOCK SpinLock, _In_ KIRQL OldIrql);

typedef struct _KSPIN_LOCK_QUEUE {
  struct _KSPIN_LOCK_QUEUE *volatile Next;
  PKSPIN_LOCK volatile Lock;
} KSPIN_LOCK_QUEUE, *PKSPIN_LOCK_QUEUE;

/// The place of one acquire in the queue of a lock; lives on the acquirer's stack until the release. Opaque to drivers.
typedef struct _KLOCK_QUEUE_HANDLE {
  KSPIN_LOCK_QUEUE LockQueue;
  KIRQL OldIrql;
} KLOCK_QUEUE_HANDLE, *PKLOCK_QUEUE_HANDLE;

// Processors get a queued lock in the order in which they asked, even one that serves an interrupt meanwhile.

/// Raises to DISPATCH_LEVEL. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    KeAcquireInStackQueuedSpinLock(_Inout_ PKSPIN_LOCK SpinLock, _Out_ PKLOCK_QUEUE_HANDLE LockHandle);
/// Restores the level before the acquire. IRQL: DISPATCH_LEVEL.
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID KeReleaseInStackQueuedSpinLock(_In_ PKLOCK_QUEUE_HANDLE LockHandle);
/// IRQL: DISPATCH_LEVEL or above.
_IRQL_requires_min_(DISPATCH_LEVEL) NTKERNELAPI VOID
    KeAcquireInStackQueuedSpinLockAtDpcLevel(_Inout_ PKSPIN_LOCK SpinLock, _Out_ PKLOCK_QUEUE_HANDLE LockHandle);
/// IRQL: DISPATCH_LEVEL or above.
_IRQL_requires_min_(DISPATCH_LEVEL) NTKERNELAPI VOID
    KeReleaseInStackQueuedSpinLockFromDpcLevel(_In_ PKLOCK_QUEUE_HANDLE LockHandle);
/// As KeAcquireSpinLockForDpc. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    KeAcquireInStackQueuedSpinLockForDpc(_Inout_ PKSPIN_LOCK SpinLock, _Out_ PKLOCK_QUEUE_HANDLE LockHandle);
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID
    KeReleaseInStackQueuedSpinLockForDpc(_In_ PKLOCK_QUEUE_HANDLE LockHandle);

EXTERN_C_END
