#pragma once
/// Timers as framework objects. Source: Windows driver documentation (DDI, wdftimer.h), "Using Timers".
#include "wdfobject.h"

#ifdef __cplusplus
extern "C" {
#endif

/// IRQL: DISPATCH_LEVEL; PASSIVE_LEVEL when the timer's execution level is passive. Source: EVT_WDF_TIMER.
typedef VOID EVT_WDF_TIMER(_In_ WDFTIMER Timer);
typedef EVT_WDF_TIMER* PFN_WDF_TIMER;

/// Period and TolerableDelay in milliseconds; Period 0: once. A timer of passive execution level has no period.
typedef struct _WDF_TIMER_CONFIG {
  ULONG Size;
  PFN_WDF_TIMER EvtTimerFunc;
  ULONG Period;
  BOOLEAN AutomaticSerialization;
  ULONG TolerableDelay;
  BOOLEAN UseHighResolutionTimer;
} WDF_TIMER_CONFIG, *PWDF_TIMER_CONFIG;

FORCEINLINE VOID WDF_TIMER_CONFIG_INIT(_Out_ PWDF_TIMER_CONFIG Config, _In_ PFN_WDF_TIMER EvtTimerFunc) {
  RtlZeroMemory(Config, sizeof(WDF_TIMER_CONFIG));
  Config->Size = sizeof(WDF_TIMER_CONFIG);
  Config->EvtTimerFunc = EvtTimerFunc;
  Config->AutomaticSerialization = TRUE;
}
FORCEINLINE VOID WDF_TIMER_CONFIG_INIT_PERIODIC(_Out_ PWDF_TIMER_CONFIG Config, _In_ PFN_WDF_TIMER EvtTimerFunc,
                                                _In_ LONG Period) {
  WDF_TIMER_CONFIG_INIT(Config, EvtTimerFunc);
  Config->Period = (ULONG)Period;
}

// Times as WdfTimerStart and WdfWaitLockAcquire take them, in units of 100 ns: relative ones are negative.
#define WDF_TIMEOUT_TO_SEC ((LONGLONG)10000000)
#define WDF_TIMEOUT_TO_MS ((LONGLONG)10000)
#define WDF_TIMEOUT_TO_US ((LONGLONG)10)
FORCEINLINE LONGLONG WDF_REL_TIMEOUT_IN_SEC(_In_ ULONGLONG Time) { return -(LONGLONG)Time * WDF_TIMEOUT_TO_SEC; }
FORCEINLINE LONGLONG WDF_REL_TIMEOUT_IN_MS(_In_ ULONGLONG Time) { return -(LONGLONG)Time * WDF_TIMEOUT_TO_MS; }
FORCEINLINE LONGLONG WDF_REL_TIMEOUT_IN_US(_In_ ULONGLONG Time) { return -(LONGLONG)Time * WDF_TIMEOUT_TO_US; }
FORCEINLINE LONGLONG WDF_ABS_TIMEOUT_IN_SEC(_In_ ULONGLONG Time) { return (LONGLONG)Time * WDF_TIMEOUT_TO_SEC; }
FORCEINLINE LONGLONG WDF_ABS_TIMEOUT_IN_MS(_In_ ULONGLONG Time) { return (LONGLONG)Time * WDF_TIMEOUT_TO_MS; }
FORCEINLINE LONGLONG WDF_ABS_TIMEOUT_IN_US(_In_ ULONGLONG Time) { return (LONGLONG)Time * WDF_TIMEOUT_TO_US; }

/// Attributes name a parent: a device or what has one above it. IRQL: at or below DISPATCH_LEVEL. Source: WdfTimerCreate.
_Must_inspect_result_ NTSTATUS WdfTimerCreate(_In_ PWDF_TIMER_CONFIG Config, _In_ PWDF_OBJECT_ATTRIBUTES Attributes,
                                              _Out_ WDFTIMER* Timer);
/// TRUE when the timer was set already; it is then set anew. IRQL: at or below DISPATCH_LEVEL. Source: WdfTimerStart.
BOOLEAN WdfTimerStart(_In_ WDFTIMER Timer, _In_ LONGLONG DueTime);
/// TRUE when the timer was set. With Wait, returns after a callback that is queued or runs has returned.
/// IRQL: PASSIVE_LEVEL with Wait, else at or below DISPATCH_LEVEL. Source: WdfTimerStop.
BOOLEAN WdfTimerStop(_In_ WDFTIMER Timer, _In_ BOOLEAN Wait);
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfTimerGetParentObject.
WDFOBJECT WdfTimerGetParentObject(_In_ WDFTIMER Timer);

#ifdef __cplusplus
}  // extern "C"
#endif
