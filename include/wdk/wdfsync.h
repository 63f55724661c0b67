#pragma once
/// Locks as framework objects. Source: Windows driver documentation (DDI, wdfsync.h), "Using Framework Locks".
#include "wdfobject.h"

#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS VmbsimWdfSpinLockCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, WDFSPINLOCK* SpinLock);
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfSpinLockCreate.
FORCEINLINE NTSTATUS WdfSpinLockCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES SpinLockAttributes,
                                       _Out_ WDFSPINLOCK* SpinLock) {
  return VmbsimWdfSpinLockCreate(&VmbsimWdfModule, SpinLockAttributes, SpinLock);
}
/// Raises to DISPATCH_LEVEL. IRQL: at or below DISPATCH_LEVEL. Source: WdfSpinLockAcquire.
_IRQL_raises_(DISPATCH_LEVEL) VOID WdfSpinLockAcquire(_In_ WDFSPINLOCK SpinLock);
/// Returns to the level before. IRQL: DISPATCH_LEVEL. Source: WdfSpinLockRelease.
VOID WdfSpinLockRelease(_In_ WDFSPINLOCK SpinLock);

NTSTATUS VmbsimWdfWaitLockCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, WDFWAITLOCK* Lock);
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfWaitLockCreate.
FORCEINLINE NTSTATUS WdfWaitLockCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES LockAttributes, _Out_ WDFWAITLOCK* Lock) {
  return VmbsimWdfWaitLockCreate(&VmbsimWdfModule, LockAttributes, Lock);
}
/// Timeout in units of 100 ns, as for KeWaitForSingleObject; NULL waits for ever. STATUS_TIMEOUT when it has passed.
/// IRQL: PASSIVE_LEVEL; at or below DISPATCH_LEVEL when *Timeout is 0. Source: WdfWaitLockAcquire.
NTSTATUS WdfWaitLockAcquire(_In_ WDFWAITLOCK Lock, _In_opt_ PLONGLONG Timeout);
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfWaitLockRelease.
VOID WdfWaitLockRelease(_In_ WDFWAITLOCK Lock);

#ifdef __cplusplus
}  // extern "C"
#endif
