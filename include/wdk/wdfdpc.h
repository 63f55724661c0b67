#pragma once
/// Deferred procedure calls as framework objects.
/// Source: Windows driver documentation (DDI, wdfdpc.h), "Servicing an Interrupt", "Synchronizing Interrupt Code".
#include "wdfobject.h"

#ifdef __cplusplus
extern "C" {
#endif

/// IRQL: DISPATCH_LEVEL. Source: EVT_WDF_DPC.
typedef VOID EVT_WDF_DPC(_In_ WDFDPC Dpc);
typedef EVT_WDF_DPC* PFN_WDF_DPC;

/// AutomaticSerialization: the callback takes the lock of its device's synchronization scope.
typedef struct _WDF_DPC_CONFIG {
  ULONG Size;
  PFN_WDF_DPC EvtDpcFunc;
  BOOLEAN AutomaticSerialization;
} WDF_DPC_CONFIG, *PWDF_DPC_CONFIG;

FORCEINLINE VOID WDF_DPC_CONFIG_INIT(_Out_ PWDF_DPC_CONFIG Config, _In_ PFN_WDF_DPC EvtDpcFunc) {
  RtlZeroMemory(Config, sizeof(WDF_DPC_CONFIG));
  Config->Size = sizeof(WDF_DPC_CONFIG);
  Config->EvtDpcFunc = EvtDpcFunc;
  Config->AutomaticSerialization = TRUE;
}

/// Attributes name a parent: a device or what has one above it. IRQL: at or below DISPATCH_LEVEL. Source: WdfDpcCreate.
_Must_inspect_result_ NTSTATUS WdfDpcCreate(_In_ PWDF_DPC_CONFIG Config, _In_ PWDF_OBJECT_ATTRIBUTES Attributes,
                                            _Out_ WDFDPC* Dpc);
/// FALSE when it is queued already. IRQL: any. Source: WdfDpcEnqueue.
BOOLEAN WdfDpcEnqueue(_In_ WDFDPC Dpc);
/// TRUE when it was queued. With Wait, returns after a callback that runs has returned.
/// IRQL: PASSIVE_LEVEL with Wait, else any. Source: WdfDpcCancel.
BOOLEAN WdfDpcCancel(_In_ WDFDPC Dpc, _In_ BOOLEAN Wait);
/// IRQL: any. Source: WdfDpcGetParentObject.
WDFOBJECT WdfDpcGetParentObject(_In_ WDFDPC Dpc);
/// IRQL: any. Source: WdfDpcWdmGetDpc.
PKDPC WdfDpcWdmGetDpc(_In_ WDFDPC Dpc);

#ifdef __cplusplus
}  // extern "C"
#endif
