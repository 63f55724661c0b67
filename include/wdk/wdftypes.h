#pragma once
/// Handles of framework objects, and what the framework's headers share.
/// Source: Windows driver documentation (DDI, wdftypes.h), "Summary of Framework Objects".
#include "wdfstatus.h"
#include "wdm.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Any framework object; every handle below converts to it.
typedef HANDLE WDFOBJECT, *PWDFOBJECT;
typedef PVOID WDFCONTEXT;

DECLARE_HANDLE(WDFDRIVER);
DECLARE_HANDLE(WDFDEVICE);
DECLARE_HANDLE(WDFQUEUE);
DECLARE_HANDLE(WDFREQUEST);
DECLARE_HANDLE(WDFIOTARGET);
DECLARE_HANDLE(WDFCMRESLIST);
DECLARE_HANDLE(WDFMEMORY);
DECLARE_HANDLE(WDFLOOKASIDE);
DECLARE_HANDLE(WDFSTRING);
DECLARE_HANDLE(WDFCOLLECTION);
DECLARE_HANDLE(WDFSPINLOCK);
DECLARE_HANDLE(WDFWAITLOCK);
DECLARE_HANDLE(WDFDPC);
DECLARE_HANDLE(WDFTIMER);
DECLARE_HANDLE(WDFWORKITEM);

/// What EvtDriverDeviceAdd configures before WdfDeviceCreate.
typedef struct WDFDEVICE_INIT* PWDFDEVICE_INIT;

typedef enum _WDF_TRI_STATE { WdfFalse = FALSE, WdfTrue = TRUE, WdfUseDefault = 2 } WDF_TRI_STATE, *PWDF_TRI_STATE;

#define WDF_NO_OBJECT_ATTRIBUTES NULL
#define WDF_NO_EVENT_CALLBACK NULL
#define WDF_NO_HANDLE NULL
#define WDF_NO_CONTEXT NULL
#define WDF_NO_SEND_OPTIONS NULL

/// Belongs to vmbsim: every driver library has its own, so that a call without a handle finds the driver that makes it.
extern const char VmbsimWdfModule __attribute__((weak, visibility("hidden")));
const char VmbsimWdfModule = 0;

#ifdef __cplusplus
}  // extern "C"
#endif
