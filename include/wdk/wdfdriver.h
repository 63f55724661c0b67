#pragma once
/// The framework driver object.
/// Source: Windows driver documentation (DDI, wdfdriver.h), "Creating a Framework Driver Object".
#include "wdfobject.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A device of the driver was found. A failure code: no device; what was created is deleted. IRQL: PASSIVE_LEVEL.
/// Source: EVT_WDF_DRIVER_DEVICE_ADD.
typedef NTSTATUS EVT_WDF_DRIVER_DEVICE_ADD(_In_ WDFDRIVER Driver, _Inout_ PWDFDEVICE_INIT DeviceInit);
typedef EVT_WDF_DRIVER_DEVICE_ADD* PFN_WDF_DRIVER_DEVICE_ADD;
/// Before the driver is unloaded; its devices are gone. IRQL: PASSIVE_LEVEL. Source: EVT_WDF_DRIVER_UNLOAD.
typedef VOID EVT_WDF_DRIVER_UNLOAD(_In_ WDFDRIVER Driver);
typedef EVT_WDF_DRIVER_UNLOAD* PFN_WDF_DRIVER_UNLOAD;

typedef enum _WDF_DRIVER_INIT_FLAGS {
  WdfDriverInitNonPnpDriver = 0x1,
  WdfDriverInitNoDispatchOverride = 0x2
} WDF_DRIVER_INIT_FLAGS;

typedef struct _WDF_DRIVER_CONFIG {
  ULONG Size;
  PFN_WDF_DRIVER_DEVICE_ADD EvtDriverDeviceAdd;
  PFN_WDF_DRIVER_UNLOAD EvtDriverUnload;
  ULONG DriverInitFlags;
  ULONG DriverPoolTag;
} WDF_DRIVER_CONFIG, *PWDF_DRIVER_CONFIG;

FORCEINLINE VOID WDF_DRIVER_CONFIG_INIT(_Out_ PWDF_DRIVER_CONFIG Config,
                                        _In_opt_ PFN_WDF_DRIVER_DEVICE_ADD EvtDriverDeviceAdd) {
  RtlZeroMemory(Config, sizeof(WDF_DRIVER_CONFIG));
  Config->Size = sizeof(WDF_DRIVER_CONFIG);
  Config->EvtDriverDeviceAdd = EvtDriverDeviceAdd;
}

NTSTATUS VmbsimWdfDriverCreate(const VOID* Module, PDRIVER_OBJECT DriverObject, PCUNICODE_STRING RegistryPath,
                               PWDF_OBJECT_ATTRIBUTES DriverAttributes, PWDF_DRIVER_CONFIG DriverConfig,
                               WDFDRIVER* Driver);
/// Once, in DriverEntry, before any other call of the framework. STATUS_INFO_LENGTH_MISMATCH for a wrong Size;
/// STATUS_DRIVER_INTERNAL_ERROR when it was called before. IRQL: PASSIVE_LEVEL. Source: WdfDriverCreate.
FORCEINLINE NTSTATUS WdfDriverCreate(_In_ PDRIVER_OBJECT DriverObject, _In_ PCUNICODE_STRING RegistryPath,
                                     _In_opt_ PWDF_OBJECT_ATTRIBUTES DriverAttributes,
                                     _In_ PWDF_DRIVER_CONFIG DriverConfig, _Out_opt_ WDFDRIVER* Driver) {
  return VmbsimWdfDriverCreate(&VmbsimWdfModule, DriverObject, RegistryPath, DriverAttributes, DriverConfig, Driver);
}

WDFDRIVER VmbsimWdfGetDriver(const VOID* Module);
/// The caller's driver. IRQL: any. Source: WdfGetDriver.
FORCEINLINE WDFDRIVER WdfGetDriver(VOID) { return VmbsimWdfGetDriver(&VmbsimWdfModule); }

/// IRQL: any. Source: WdfDriverWdmGetDriverObject.
PDRIVER_OBJECT WdfDriverWdmGetDriverObject(_In_ WDFDRIVER Driver);
/// IRQL: PASSIVE_LEVEL. Source: WdfDriverGetRegistryPath.
PWSTR WdfDriverGetRegistryPath(_In_ WDFDRIVER Driver);

#ifdef __cplusplus
}  // extern "C"
#endif
