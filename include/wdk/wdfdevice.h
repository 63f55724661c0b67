#pragma once
/// Framework device objects: creation in EvtDriverDeviceAdd, the Plug and Play and power callbacks, interfaces of others.
///
/// A device that starts: PrepareHardware, D0Entry, D0EntryPostInterruptsEnabled, power-managed queues on, SelfManagedIoInit.
/// Source: Windows driver documentation (DDI, wdfdevice.h, wdffdo.h, wdfiotarget.h, wdfresource.h), "PnP and Power
/// Management Scenarios".
#include "wdfobject.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef ULONG DEVICE_TYPE;
#define FILE_DEVICE_CONTROLLER 0x00000004
#define FILE_DEVICE_DISK 0x00000007
#define FILE_DEVICE_NETWORK 0x00000012
#define FILE_DEVICE_UNKNOWN 0x00000022
#define FILE_DEVICE_BUS_EXTENDER 0x0000002a
#define FILE_DEVICE_SECURE_OPEN 0x00000100

typedef enum _WDF_DEVICE_IO_TYPE {
  WdfDeviceIoUndefined = 0,
  WdfDeviceIoNeither = 1,
  WdfDeviceIoBuffered = 2,
  WdfDeviceIoDirect = 3,
  WdfDeviceIoBufferedOrDirect = 4,
  WdfDeviceIoMaximum = 5
} WDF_DEVICE_IO_TYPE;

typedef enum _WDF_POWER_DEVICE_STATE {
  WdfPowerDeviceInvalid = 0,
  WdfPowerDeviceD0 = 1,
  WdfPowerDeviceD1 = 2,
  WdfPowerDeviceD2 = 3,
  WdfPowerDeviceD3 = 4,
  WdfPowerDeviceD3Final = 5,
  WdfPowerDevicePrepareForHibernation = 6,
  WdfPowerDeviceMaximum = 7
} WDF_POWER_DEVICE_STATE,
    *PWDF_POWER_DEVICE_STATE;

typedef enum _WDF_DEVICE_FAILED_ACTION {
  WdfDeviceFailedUndefined = 0,
  WdfDeviceFailedAttemptRestart = 1,
  WdfDeviceFailedNoRestart = 2
} WDF_DEVICE_FAILED_ACTION;

// --- Plug and Play and power callbacks: PASSIVE_LEVEL, one at a time for a device, but for SurpriseRemoval -----------

/// Makes the device accessible. ReleaseHardware follows a failure as well. Source: EVT_WDF_DEVICE_PREPARE_HARDWARE.
typedef NTSTATUS EVT_WDF_DEVICE_PREPARE_HARDWARE(_In_ WDFDEVICE Device, _In_ WDFCMRESLIST ResourcesRaw,
                                                 _In_ WDFCMRESLIST ResourcesTranslated);
typedef EVT_WDF_DEVICE_PREPARE_HARDWARE* PFN_WDF_DEVICE_PREPARE_HARDWARE;
/// The device is off or gone. Source: EVT_WDF_DEVICE_RELEASE_HARDWARE.
typedef NTSTATUS EVT_WDF_DEVICE_RELEASE_HARDWARE(_In_ WDFDEVICE Device, _In_ WDFCMRESLIST ResourcesTranslated);
typedef EVT_WDF_DEVICE_RELEASE_HARDWARE* PFN_WDF_DEVICE_RELEASE_HARDWARE;
/// The device is in D0, its interrupts are off. No D0Exit follows a failure. Source: EVT_WDF_DEVICE_D0_ENTRY.
typedef NTSTATUS EVT_WDF_DEVICE_D0_ENTRY(_In_ WDFDEVICE Device, _In_ WDF_POWER_DEVICE_STATE PreviousState);
typedef EVT_WDF_DEVICE_D0_ENTRY* PFN_WDF_DEVICE_D0_ENTRY;
/// Source: EVT_WDF_DEVICE_D0_ENTRY_POST_INTERRUPTS_ENABLED.
typedef NTSTATUS EVT_WDF_DEVICE_D0_ENTRY_POST_INTERRUPTS_ENABLED(_In_ WDFDEVICE Device,
                                                                 _In_ WDF_POWER_DEVICE_STATE PreviousState);
typedef EVT_WDF_DEVICE_D0_ENTRY_POST_INTERRUPTS_ENABLED* PFN_WDF_DEVICE_D0_ENTRY_POST_INTERRUPTS_ENABLED;
/// The device leaves D0. Source: EVT_WDF_DEVICE_D0_EXIT.
typedef NTSTATUS EVT_WDF_DEVICE_D0_EXIT(_In_ WDFDEVICE Device, _In_ WDF_POWER_DEVICE_STATE TargetState);
typedef EVT_WDF_DEVICE_D0_EXIT* PFN_WDF_DEVICE_D0_EXIT;
/// Source: EVT_WDF_DEVICE_D0_EXIT_PRE_INTERRUPTS_DISABLED.
typedef NTSTATUS EVT_WDF_DEVICE_D0_EXIT_PRE_INTERRUPTS_DISABLED(_In_ WDFDEVICE Device,
                                                                _In_ WDF_POWER_DEVICE_STATE TargetState);
typedef EVT_WDF_DEVICE_D0_EXIT_PRE_INTERRUPTS_DISABLED* PFN_WDF_DEVICE_D0_EXIT_PRE_INTERRUPTS_DISABLED;
/// Once in a device's life, when it has started. Source: EVT_WDF_DEVICE_SELF_MANAGED_IO_INIT.
typedef NTSTATUS EVT_WDF_DEVICE_SELF_MANAGED_IO_INIT(_In_ WDFDEVICE Device);
typedef EVT_WDF_DEVICE_SELF_MANAGED_IO_INIT* PFN_WDF_DEVICE_SELF_MANAGED_IO_INIT;
/// Before the device leaves D0. Source: EVT_WDF_DEVICE_SELF_MANAGED_IO_SUSPEND.
typedef NTSTATUS EVT_WDF_DEVICE_SELF_MANAGED_IO_SUSPEND(_In_ WDFDEVICE Device);
typedef EVT_WDF_DEVICE_SELF_MANAGED_IO_SUSPEND* PFN_WDF_DEVICE_SELF_MANAGED_IO_SUSPEND;
/// After the device has returned to D0. Source: EVT_WDF_DEVICE_SELF_MANAGED_IO_RESTART.
typedef NTSTATUS EVT_WDF_DEVICE_SELF_MANAGED_IO_RESTART(_In_ WDFDEVICE Device);
typedef EVT_WDF_DEVICE_SELF_MANAGED_IO_RESTART* PFN_WDF_DEVICE_SELF_MANAGED_IO_RESTART;
/// The device was removed. Source: EVT_WDF_DEVICE_SELF_MANAGED_IO_FLUSH.
typedef VOID EVT_WDF_DEVICE_SELF_MANAGED_IO_FLUSH(_In_ WDFDEVICE Device);
typedef EVT_WDF_DEVICE_SELF_MANAGED_IO_FLUSH* PFN_WDF_DEVICE_SELF_MANAGED_IO_FLUSH;
/// Undoes Init, after Flush. Source: EVT_WDF_DEVICE_SELF_MANAGED_IO_CLEANUP.
typedef VOID EVT_WDF_DEVICE_SELF_MANAGED_IO_CLEANUP(_In_ WDFDEVICE Device);
typedef EVT_WDF_DEVICE_SELF_MANAGED_IO_CLEANUP* PFN_WDF_DEVICE_SELF_MANAGED_IO_CLEANUP;
/// A failure code vetoes an orderly removal. Source: EVT_WDF_DEVICE_QUERY_REMOVE.
typedef NTSTATUS EVT_WDF_DEVICE_QUERY_REMOVE(_In_ WDFDEVICE Device);
typedef EVT_WDF_DEVICE_QUERY_REMOVE* PFN_WDF_DEVICE_QUERY_REMOVE;
/// A failure code vetoes a stop. Source: EVT_WDF_DEVICE_QUERY_STOP.
typedef NTSTATUS EVT_WDF_DEVICE_QUERY_STOP(_In_ WDFDEVICE Device);
typedef EVT_WDF_DEVICE_QUERY_STOP* PFN_WDF_DEVICE_QUERY_STOP;
/// The device is gone; may run beside any of the others. Source: EVT_WDF_DEVICE_SURPRISE_REMOVAL.
typedef VOID EVT_WDF_DEVICE_SURPRISE_REMOVAL(_In_ WDFDEVICE Device);
typedef EVT_WDF_DEVICE_SURPRISE_REMOVAL* PFN_WDF_DEVICE_SURPRISE_REMOVAL;

typedef struct _WDF_PNPPOWER_EVENT_CALLBACKS {
  ULONG Size;
  PFN_WDF_DEVICE_D0_ENTRY EvtDeviceD0Entry;
  PFN_WDF_DEVICE_D0_ENTRY_POST_INTERRUPTS_ENABLED EvtDeviceD0EntryPostInterruptsEnabled;
  PFN_WDF_DEVICE_D0_EXIT EvtDeviceD0Exit;
  PFN_WDF_DEVICE_D0_EXIT_PRE_INTERRUPTS_DISABLED EvtDeviceD0ExitPreInterruptsDisabled;
  PFN_WDF_DEVICE_PREPARE_HARDWARE EvtDevicePrepareHardware;
  PFN_WDF_DEVICE_RELEASE_HARDWARE EvtDeviceReleaseHardware;
  PFN_WDF_DEVICE_SELF_MANAGED_IO_CLEANUP EvtDeviceSelfManagedIoCleanup;
  PFN_WDF_DEVICE_SELF_MANAGED_IO_FLUSH EvtDeviceSelfManagedIoFlush;
  PFN_WDF_DEVICE_SELF_MANAGED_IO_INIT EvtDeviceSelfManagedIoInit;
  PFN_WDF_DEVICE_SELF_MANAGED_IO_SUSPEND EvtDeviceSelfManagedIoSuspend;
  PFN_WDF_DEVICE_SELF_MANAGED_IO_RESTART EvtDeviceSelfManagedIoRestart;
  PFN_WDF_DEVICE_SURPRISE_REMOVAL EvtDeviceSurpriseRemoval;
  PFN_WDF_DEVICE_QUERY_REMOVE EvtDeviceQueryRemove;
  PFN_WDF_DEVICE_QUERY_STOP EvtDeviceQueryStop;
} WDF_PNPPOWER_EVENT_CALLBACKS, *PWDF_PNPPOWER_EVENT_CALLBACKS;

FORCEINLINE VOID WDF_PNPPOWER_EVENT_CALLBACKS_INIT(_Out_ PWDF_PNPPOWER_EVENT_CALLBACKS Callbacks) {
  RtlZeroMemory(Callbacks, sizeof(WDF_PNPPOWER_EVENT_CALLBACKS));
  Callbacks->Size = sizeof(WDF_PNPPOWER_EVENT_CALLBACKS);
}

// --- Before WdfDeviceCreate; IRQL: at or below DISPATCH_LEVEL --------------------------------------------------------

VOID WdfDeviceInitSetPnpPowerEventCallbacks(_In_ PWDFDEVICE_INIT DeviceInit,
                                            _In_ PWDF_PNPPOWER_EVENT_CALLBACKS PnpPowerEventCallbacks);
VOID WdfDeviceInitSetDeviceType(_In_ PWDFDEVICE_INIT DeviceInit, _In_ DEVICE_TYPE DeviceType);
VOID WdfDeviceInitSetCharacteristics(_In_ PWDFDEVICE_INIT DeviceInit, _In_ ULONG DeviceCharacteristics,
                                     _In_ BOOLEAN OrInValues);
/// How the buffers of reads and writes are reached; buffered unless set. Source: WdfDeviceInitSetIoType.
VOID WdfDeviceInitSetIoType(_In_ PWDFDEVICE_INIT DeviceInit, _In_ WDF_DEVICE_IO_TYPE IoType);
VOID WdfDeviceInitSetExclusive(_In_ PWDFDEVICE_INIT DeviceInit, _In_ BOOLEAN IsExclusive);
VOID WdfDeviceInitSetPowerPolicyOwnership(_In_ PWDFDEVICE_INIT DeviceInit, _In_ BOOLEAN IsPowerPolicyOwner);
VOID WdfDeviceInitSetPowerPageable(_In_ PWDFDEVICE_INIT DeviceInit);
VOID WdfDeviceInitSetPowerNotPageable(_In_ PWDFDEVICE_INIT DeviceInit);
/// Attributes of every request object the framework makes for the device. Source: WdfDeviceInitSetRequestAttributes.
VOID WdfDeviceInitSetRequestAttributes(_In_ PWDFDEVICE_INIT DeviceInit, _In_ PWDF_OBJECT_ATTRIBUTES RequestAttributes);
/// A filter: its queues are not power managed unless they say so. Source: WdfFdoInitSetFilter.
VOID WdfFdoInitSetFilter(_In_ PWDFDEVICE_INIT DeviceInit);
/// The device that is being added. Source: WdfFdoInitWdmGetPhysicalDevice.
PDEVICE_OBJECT WdfFdoInitWdmGetPhysicalDevice(_In_ PWDFDEVICE_INIT DeviceInit);

// --- The device ------------------------------------------------------------------------------------------------------

/// *DeviceInit is the framework's afterwards, and NULL. IRQL: PASSIVE_LEVEL. Source: WdfDeviceCreate.
_Must_inspect_result_ NTSTATUS WdfDeviceCreate(_Inout_ PWDFDEVICE_INIT* DeviceInit,
                                               _In_opt_ PWDF_OBJECT_ATTRIBUTES DeviceAttributes,
                                               _Out_ WDFDEVICE* Device);
/// What VmbChannelAllocate takes. IRQL: any. Source: WdfDeviceWdmGetDeviceObject.
PDEVICE_OBJECT WdfDeviceWdmGetDeviceObject(_In_ WDFDEVICE Device);
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfDeviceWdmGetPhysicalDevice.
PDEVICE_OBJECT WdfDeviceWdmGetPhysicalDevice(_In_ WDFDEVICE Device);
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfDeviceWdmGetAttachedDevice.
PDEVICE_OBJECT WdfDeviceWdmGetAttachedDevice(_In_ WDFDEVICE Device);
/// NULL when the device object is not the framework's. IRQL: at or below DISPATCH_LEVEL. Source:
/// WdfWdmDeviceGetWdfDeviceHandle.
WDFDEVICE WdfWdmDeviceGetWdfDeviceHandle(_In_ PDEVICE_OBJECT DeviceObject);
/// IRQL: any. Source: WdfDeviceGetDriver.
WDFDRIVER WdfDeviceGetDriver(_In_ WDFDEVICE Device);
/// The next lower driver. IRQL: at or below DISPATCH_LEVEL. Source: WdfDeviceGetIoTarget.
WDFIOTARGET WdfDeviceGetIoTarget(_In_ WDFDEVICE Device);
/// NULL when the driver created none. IRQL: at or below DISPATCH_LEVEL. Source: WdfDeviceGetDefaultQueue.
WDFQUEUE WdfDeviceGetDefaultQueue(_In_ WDFDEVICE Device);
/// IRQL: PASSIVE_LEVEL. Source: WdfDeviceCreateDeviceInterface.
_Must_inspect_result_ NTSTATUS WdfDeviceCreateDeviceInterface(_In_ WDFDEVICE Device,
                                                              _In_ const GUID* InterfaceClassGUID,
                                                              _In_opt_ PCUNICODE_STRING ReferenceString);
/// The device does not work: it is taken away as if it had been surprise-removed, and started anew when FailedAction says
/// so. IRQL: at or below DISPATCH_LEVEL. Source: WdfDeviceSetFailed.
VOID WdfDeviceSetFailed(_In_ WDFDEVICE Device, _In_ WDF_DEVICE_FAILED_ACTION FailedAction);
/// Takes the lock that callbacks of the object's synchronization scope hold: of a device or of a queue.
/// IRQL: at or below DISPATCH_LEVEL; PASSIVE_LEVEL when the execution level is passive. Source: WdfObjectAcquireLock.
VOID WdfObjectAcquireLock(_In_ WDFOBJECT Object);
/// Source: WdfObjectReleaseLock.
VOID WdfObjectReleaseLock(_In_ WDFOBJECT Object);

// --- Interfaces of other drivers of the stack ------------------------------------------------------------------------

/// Asks the drivers of the device's stack for an interface, whose reference is taken. STATUS_NOT_SUPPORTED when nobody has
/// it. IRQL: PASSIVE_LEVEL. Source: WdfFdoQueryForInterface.
_Must_inspect_result_ NTSTATUS WdfFdoQueryForInterface(_In_ WDFDEVICE Fdo, _In_ LPCGUID InterfaceType,
                                                       _Out_ PINTERFACE Interface, _In_ USHORT Size,
                                                       _In_ USHORT Version, _In_opt_ PVOID InterfaceSpecificData);
/// The same through an I/O target. IRQL: PASSIVE_LEVEL. Source: WdfIoTargetQueryForInterface.
_Must_inspect_result_ NTSTATUS WdfIoTargetQueryForInterface(_In_ WDFIOTARGET IoTarget, _In_ LPCGUID InterfaceType,
                                                            _Out_ PINTERFACE Interface, _In_ USHORT Size,
                                                            _In_ USHORT Version, _In_opt_ PVOID InterfaceSpecificData);
/// IRQL: any. Source: WdfIoTargetGetDevice.
WDFDEVICE WdfIoTargetGetDevice(_In_ WDFIOTARGET IoTarget);

/// 0: devices on VMBus have no hardware resources. IRQL: at or below DISPATCH_LEVEL. Source: WdfCmResourceListGetCount.
ULONG WdfCmResourceListGetCount(_In_ WDFCMRESLIST List);

#ifdef __cplusplus
}  // extern "C"
#endif
