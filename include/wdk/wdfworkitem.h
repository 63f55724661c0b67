#pragma once
/// Work items as framework objects. Source: Windows driver documentation (DDI, wdfworkitem.h), "Using Framework Work Items".
#include "wdfobject.h"

#ifdef __cplusplus
extern "C" {
#endif

/// IRQL: PASSIVE_LEVEL, in a system thread. Source: EVT_WDF_WORKITEM.
typedef VOID EVT_WDF_WORKITEM(_In_ WDFWORKITEM WorkItem);
typedef EVT_WDF_WORKITEM* PFN_WDF_WORKITEM;

typedef struct _WDF_WORKITEM_CONFIG {
  ULONG Size;
  PFN_WDF_WORKITEM EvtWorkItemFunc;
  BOOLEAN AutomaticSerialization;
} WDF_WORKITEM_CONFIG, *PWDF_WORKITEM_CONFIG;

FORCEINLINE VOID WDF_WORKITEM_CONFIG_INIT(_Out_ PWDF_WORKITEM_CONFIG Config, _In_ PFN_WDF_WORKITEM EvtWorkItemFunc) {
  RtlZeroMemory(Config, sizeof(WDF_WORKITEM_CONFIG));
  Config->Size = sizeof(WDF_WORKITEM_CONFIG);
  Config->EvtWorkItemFunc = EvtWorkItemFunc;
  Config->AutomaticSerialization = TRUE;
}

/// Attributes name a parent: a device or what has one above it. IRQL: at or below DISPATCH_LEVEL.
/// Source: WdfWorkItemCreate.
_Must_inspect_result_ NTSTATUS WdfWorkItemCreate(_In_ PWDF_WORKITEM_CONFIG Config,
                                                 _In_ PWDF_OBJECT_ATTRIBUTES Attributes, _Out_ WDFWORKITEM* WorkItem);
/// Nothing when it is queued already. IRQL: at or below DISPATCH_LEVEL. Source: WdfWorkItemEnqueue.
VOID WdfWorkItemEnqueue(_In_ WDFWORKITEM WorkItem);
/// Returns when the callback has run, if it was queued or ran. IRQL: PASSIVE_LEVEL. Source: WdfWorkItemFlush.
VOID WdfWorkItemFlush(_In_ WDFWORKITEM WorkItem);
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfWorkItemGetParentObject.
WDFOBJECT WdfWorkItemGetParentObject(_In_ WDFWORKITEM WorkItem);

#ifdef __cplusplus
}  // extern "C"
#endif
