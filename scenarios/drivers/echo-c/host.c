/*
 * The host end of the echo channel: offers it, and answers every packet with the bytes that came in it.
 *
 * BREAK_... is defined by nobody but a test: README.md shows what the simulator says to each of these mistakes.
 */
#include "echo.h"

typedef struct _ECHO_SERVER {
    VMBCHANNEL Channel;
} ECHO_SERVER, *PECHO_SERVER;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(ECHO_SERVER, EchoServer)

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_DEVICE_ADD EchoDeviceAdd;
static EVT_WDF_DEVICE_PREPARE_HARDWARE EchoPrepareHardware;
static EVT_WDF_DEVICE_RELEASE_HARDWARE EchoReleaseHardware;
static EVT_WDF_DEVICE_D0_ENTRY EchoD0Entry;
static EVT_WDF_DEVICE_D0_EXIT EchoD0Exit;
static EVT_VMB_CHANNEL_PROCESS_PACKET EchoProcessPacket;

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, EchoDeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}

static NTSTATUS
EchoDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFDEVICE device;

    UNREFERENCED_PARAMETER(Driver);

    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = EchoPrepareHardware;
    callbacks.EvtDeviceReleaseHardware = EchoReleaseHardware;
    callbacks.EvtDeviceD0Entry = EchoD0Entry;
    callbacks.EvtDeviceD0Exit = EchoD0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, ECHO_SERVER);
    return WdfDeviceCreate(&DeviceInit, &attributes, &device);
}

static NTSTATUS
EchoPrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw, WDFCMRESLIST ResourcesTranslated)
{
    PECHO_SERVER server = EchoServer(Device);
    GUID instance = {0xe3a1c0de, 1, 1, {0, 0, 0, 0, 0, 0, 0, 0}};
    VMBCHANNEL channel;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(ResourcesRaw);
    UNREFERENCED_PARAMETER(ResourcesTranslated);

    status = VmbChannelAllocate(WdfDeviceWdmGetDeviceObject(Device), TRUE, &channel);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    status = VmbServerChannelInitSetTargetInterfaceId(channel, GUID_ECHO_CHANNEL_TYPE, instance);
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetMaximumPacketSize(channel, ECHO_MAXIMUM_MESSAGE);
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetProcessPacketCallbacks(channel, EchoProcessPacket, NULL);
    }
    if (!NT_SUCCESS(status)) {
        VmbChannelCleanup(channel);
        return status;
    }

    server->Channel = channel;
    return STATUS_SUCCESS;
}

static NTSTATUS
EchoReleaseHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesTranslated)
{
    PECHO_SERVER server = EchoServer(Device);

    UNREFERENCED_PARAMETER(ResourcesTranslated);

    if (server->Channel != NULL) {
        VmbChannelCleanup(server->Channel);
        server->Channel = NULL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS
EchoD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    PECHO_SERVER server = EchoServer(Device);
    NTSTATUS status;

    UNREFERENCED_PARAMETER(PreviousState);

    status = VmbChannelEnable(server->Channel);
    if (NT_SUCCESS(status)) {
        VmbChannelStart(server->Channel);
    }
    return status;
}

static NTSTATUS
EchoD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
    UNREFERENCED_PARAMETER(TargetState);

    VmbChannelDisable(EchoServer(Device)->Channel);
    return STATUS_SUCCESS;
}

/* IRQL <= DISPATCH_LEVEL */
static VOID
EchoProcessPacket(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
#ifdef BREAK_WAIT_IN_CALLBACK
    LARGE_INTEGER second;

    second.QuadPart = -10000000LL;
    KeDelayExecutionThread(KernelMode, FALSE, &second);
#endif
    UNREFERENCED_PARAMETER(Channel);
    UNREFERENCED_PARAMETER(Flags);

    VmbChannelPacketComplete(Packet, Buffer, BufferLength);
}
