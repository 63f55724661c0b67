#pragma once
/// What keeps an object alive while it is used: remove locks and rundown protection.
/// Source: WDK, "Using Remove Locks" and "Run-Down Protection"; the wdm.h page of each function.
#include "waiting.h"

EXTERN_C_START

/// Opaque to drivers.
typedef struct _IO_REMOVE_LOCK {
  BOOLEAN Removed;
  LONG IoCount;
  KEVENT RemoveEvent;
  ULONG AllocateTag;
} IO_REMOVE_LOCK, *PIO_REMOVE_LOCK;

/// IRQL: PASSIVE_LEVEL.
_IRQL_requires_max_(PASSIVE_LEVEL) NTKERNELAPI VOID
    IoInitializeRemoveLockEx(_Out_ PIO_REMOVE_LOCK Lock, _In_ ULONG AllocateTag, _In_ ULONG MaxLockedMinutes,
                             _In_ ULONG HighWatermark, _In_ ULONG RemlockSize);
/// STATUS_DELETE_PENDING when IoReleaseRemoveLockAndWait was called. IRQL: at or below DISPATCH_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL)
NTKERNELAPI NTSTATUS IoAcquireRemoveLockEx(_Inout_ PIO_REMOVE_LOCK RemoveLock, _In_opt_ PVOID Tag, _In_z_ PCSTR File,
                                           _In_ ULONG Line, _In_ ULONG RemlockSize);
/// Once for every successful acquire. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    IoReleaseRemoveLockEx(_Inout_ PIO_REMOVE_LOCK RemoveLock, _In_opt_ PVOID Tag, _In_ ULONG RemlockSize);
/// Releases the caller's own acquire, refuses every later one, and returns when all others are released.
/// IRQL: PASSIVE_LEVEL.
_IRQL_requires_max_(PASSIVE_LEVEL) NTKERNELAPI VOID
    IoReleaseRemoveLockAndWaitEx(_Inout_ PIO_REMOVE_LOCK RemoveLock, _In_opt_ PVOID Tag, _In_ ULONG RemlockSize);
#define IoInitializeRemoveLock(Lock, AllocateTag, MaxLockedMinutes, HighWatermark) \
  IoInitializeRemoveLockEx((Lock), (AllocateTag), (MaxLockedMinutes), (HighWatermark), sizeof(IO_REMOVE_LOCK))
#define IoAcquireRemoveLock(RemoveLock, Tag) \
  IoAcquireRemoveLockEx((RemoveLock), (Tag), __FILE__, __LINE__, sizeof(IO_REMOVE_LOCK))
#define IoReleaseRemoveLock(RemoveLock, Tag) IoReleaseRemoveLockEx((RemoveLock), (Tag), sizeof(IO_REMOVE_LOCK))
#define IoReleaseRemoveLockAndWait(RemoveLock, Tag) \
  IoReleaseRemoveLockAndWaitEx((RemoveLock), (Tag), sizeof(IO_REMOVE_LOCK))

/// Opaque to drivers.
typedef struct _EX_RUNDOWN_REF {
  __extension__ union {
    ULONG_PTR Count;
    PVOID Ptr;
  };
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;

/// IRQL: any.
NTKERNELAPI VOID ExInitializeRundownProtection(_Out_ PEX_RUNDOWN_REF RunRef);
/// FALSE when the rundown has begun. IRQL: at or below DISPATCH_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL)
NTKERNELAPI BOOLEAN ExAcquireRundownProtection(_Inout_ PEX_RUNDOWN_REF RunRef);
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL)
NTKERNELAPI BOOLEAN ExAcquireRundownProtectionEx(_Inout_ PEX_RUNDOWN_REF RunRef, _In_ ULONG Count);
/// Once for every successful acquire. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID ExReleaseRundownProtection(_Inout_ PEX_RUNDOWN_REF RunRef);
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    ExReleaseRundownProtectionEx(_Inout_ PEX_RUNDOWN_REF RunRef, _In_ ULONG Count);
/// Refuses every later acquire, and returns when all are released. IRQL: at or below APC_LEVEL.
_IRQL_requires_max_(APC_LEVEL) NTKERNELAPI VOID ExWaitForRundownProtectionRelease(_Inout_ PEX_RUNDOWN_REF RunRef);
/// The wait was over; the object may be reinitialised or freed. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID ExRundownCompleted(_Out_ PEX_RUNDOWN_REF RunRef);
/// After ExRundownCompleted: acquires are granted again. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID ExReInitializeRundownProtection(_Out_ PEX_RUNDOWN_REF RunRef);

EXTERN_C_END
