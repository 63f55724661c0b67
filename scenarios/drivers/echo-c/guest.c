/*
 * The guest end of the echo channel. Who writes to the device sends a message, who reads from it sends a message of that
 * many bytes and gets the answer.
 *
 * BREAK_... is defined by nobody but a test: README.md shows what the simulator says to each of these mistakes.
 */
#include "echo.h"

typedef struct _ECHO_CLIENT {
    VMBCHANNEL Channel;
} ECHO_CLIENT, *PECHO_CLIENT;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(ECHO_CLIENT, EchoClient)

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_DEVICE_ADD EchoDeviceAdd;
static EVT_WDF_DEVICE_PREPARE_HARDWARE EchoPrepareHardware;
static EVT_WDF_DEVICE_RELEASE_HARDWARE EchoReleaseHardware;
static EVT_WDF_DEVICE_D0_ENTRY EchoD0Entry;
static EVT_WDF_DEVICE_D0_EXIT EchoD0Exit;
static EVT_WDF_IO_QUEUE_IO_READ EchoRead;
static EVT_WDF_IO_QUEUE_IO_WRITE EchoWrite;
static EVT_VMB_PACKET_COMPLETION_ROUTINE EchoPacketDone;

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
    WDF_IO_QUEUE_CONFIG queue;
    WDFDEVICE device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Driver);

    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = EchoPrepareHardware;
    callbacks.EvtDeviceReleaseHardware = EchoReleaseHardware;
    callbacks.EvtDeviceD0Entry = EchoD0Entry;
    callbacks.EvtDeviceD0Exit = EchoD0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, ECHO_CLIENT);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queue, WdfIoQueueDispatchParallel);
    queue.EvtIoRead = EchoRead;
    queue.EvtIoWrite = EchoWrite;
    return WdfIoQueueCreate(device, &queue, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}

static NTSTATUS
EchoPrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw, WDFCMRESLIST ResourcesTranslated)
{
    PECHO_CLIENT client = EchoClient(Device);
    VMBCHANNEL channel;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(ResourcesRaw);
    UNREFERENCED_PARAMETER(ResourcesTranslated);

    status = VmbChannelAllocate(WdfDeviceWdmGetDeviceObject(Device), FALSE, &channel);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    status = VmbChannelInitSetMaximumPacketSize(channel, ECHO_MAXIMUM_MESSAGE);
    if (NT_SUCCESS(status)) {
        status = VmbClientChannelInitSetRingBufferPageCount(channel, ECHO_RING_PAGES, ECHO_RING_PAGES);
    }
    if (!NT_SUCCESS(status)) {
        VmbChannelCleanup(channel);
        return status;
    }

    client->Channel = channel;
    return STATUS_SUCCESS;
}

static NTSTATUS
EchoReleaseHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesTranslated)
{
    PECHO_CLIENT client = EchoClient(Device);

    UNREFERENCED_PARAMETER(ResourcesTranslated);

    if (client->Channel != NULL) {
        VmbChannelCleanup(client->Channel);
        client->Channel = NULL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS
EchoD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    UNREFERENCED_PARAMETER(PreviousState);

    return VmbChannelEnable(EchoClient(Device)->Channel);
}

static NTSTATUS
EchoD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
    UNREFERENCED_PARAMETER(TargetState);

    VmbChannelDisable(EchoClient(Device)->Channel);
    return STATUS_SUCCESS;
}

/*
 * The request stays with its packet until the answer is there. IRQL <= DISPATCH_LEVEL
 */
static VOID
EchoSend(WDFQUEUE Queue, WDFREQUEST Request, PVOID Buffer, size_t Length)
{
    VMBCHANNEL channel = EchoClient(WdfIoQueueGetDevice(Queue))->Channel;
    VMBPACKET packet;
    NTSTATUS status;

    if (Length > ECHO_MAXIMUM_MESSAGE) {
        WdfRequestComplete(Request, STATUS_INVALID_BUFFER_SIZE);
        return;
    }

    packet = VmbPacketAllocate(channel);
    if (packet == NULL) {
        WdfRequestComplete(Request, STATUS_INSUFFICIENT_RESOURCES);
        return;
    }

    VmbPacketSetPointer(packet, Request);
    VmbPacketSetCompletionRoutine(packet, EchoPacketDone);

    status = VmbPacketSend(packet, Buffer, (UINT32)Length, NULL, VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
    if (!NT_SUCCESS(status)) {
        VmbPacketFree(packet);
        WdfRequestComplete(Request, status);
    }
}

static VOID
EchoWrite(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PVOID buffer;
    NTSTATUS status;

    status = WdfRequestRetrieveInputBuffer(Request, Length, &buffer, NULL);
    if (!NT_SUCCESS(status)) {
        WdfRequestComplete(Request, status);
        return;
    }
    EchoSend(Queue, Request, buffer, Length);
}

static VOID
EchoRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PVOID buffer;
    NTSTATUS status;

    status = WdfRequestRetrieveOutputBuffer(Request, Length, &buffer, NULL);
    if (!NT_SUCCESS(status)) {
        WdfRequestComplete(Request, status);
        return;
    }
    EchoSend(Queue, Request, buffer, Length);
}

/* IRQL <= DISPATCH_LEVEL */
static VOID
EchoPacketDone(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer, UINT32 BufferLength)
{
    WDFREQUEST request = (WDFREQUEST)VmbPacketGetPointer(Packet);
    WDF_REQUEST_PARAMETERS parameters;
    PVOID output;

    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(request, &parameters);

    if (NT_SUCCESS(Status) && parameters.Type == WdfRequestTypeRead) {
        Status = WdfRequestRetrieveOutputBuffer(request, BufferLength, &output, NULL);
        if (NT_SUCCESS(Status)) {
            RtlCopyMemory(output, Buffer, BufferLength);
        }
    }

#ifndef BREAK_LEAK_PACKET
    VmbPacketFree(Packet);
#else
    UNREFERENCED_PARAMETER(Packet);
#endif
    WdfRequestCompleteWithInformation(request, Status, NT_SUCCESS(Status) ? BufferLength : 0);
}
