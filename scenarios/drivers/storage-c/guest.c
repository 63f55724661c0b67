/*
 * The guest end of the storage channel: reads and writes of the layer above become packets whose data stays where it is.
 */
#include "storage.h"

typedef struct _STORAGE_CLIENT {
    VMBCHANNEL Channel;
    UINT64 LastNotice;
    BOOLEAN NoticeLost;
} STORAGE_CLIENT, *PSTORAGE_CLIENT;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(STORAGE_CLIENT, StorageClient)

/* What a packet carries inline must stay until it is complete, so it lies with the request. */
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(STORAGE_REQUEST, StorageRequest)

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_DEVICE_ADD StorageDeviceAdd;
static EVT_WDF_DEVICE_PREPARE_HARDWARE StoragePrepareHardware;
static EVT_WDF_DEVICE_RELEASE_HARDWARE StorageReleaseHardware;
static EVT_WDF_DEVICE_D0_ENTRY StorageD0Entry;
static EVT_WDF_DEVICE_D0_EXIT StorageD0Exit;
static EVT_WDF_IO_QUEUE_IO_READ StorageReadRequest;
static EVT_WDF_IO_QUEUE_IO_WRITE StorageWriteRequest;
static EVT_VMB_CHANNEL_PROCESS_PACKET StorageProcessNotice;
static EVT_VMB_PACKET_COMPLETION_ROUTINE StoragePacketDone;

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, StorageDeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}

static NTSTATUS
StorageDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG queue;
    WDFDEVICE device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Driver);

    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = StoragePrepareHardware;
    callbacks.EvtDeviceReleaseHardware = StorageReleaseHardware;
    callbacks.EvtDeviceD0Entry = StorageD0Entry;
    callbacks.EvtDeviceD0Exit = StorageD0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);

    /* The data is described to the host by its MDL: no copy. */
    WdfDeviceInitSetIoType(DeviceInit, WdfDeviceIoDirect);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, STORAGE_REQUEST);
    WdfDeviceInitSetRequestAttributes(DeviceInit, &attributes);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, STORAGE_CLIENT);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queue, WdfIoQueueDispatchParallel);
    queue.EvtIoRead = StorageReadRequest;
    queue.EvtIoWrite = StorageWriteRequest;
    return WdfIoQueueCreate(device, &queue, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}

static NTSTATUS
StoragePrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw, WDFCMRESLIST ResourcesTranslated)
{
    PSTORAGE_CLIENT client = StorageClient(Device);
    VMBCHANNEL channel;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(ResourcesRaw);
    UNREFERENCED_PARAMETER(ResourcesTranslated);

    status = VmbChannelAllocate(WdfDeviceWdmGetDeviceObject(Device), FALSE, &channel);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    VmbChannelSetPointer(channel, client);
    status = VmbChannelInitSetMaximumPacketSize(channel, sizeof(STORAGE_REQUEST));
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetMaximumExternalData(channel, STORAGE_MAXIMUM_TRANSFER, 1);
    }
    if (NT_SUCCESS(status)) {
        status = VmbClientChannelInitSetRingBufferPageCount(channel, STORAGE_RING_PAGES, STORAGE_RING_PAGES);
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetProcessPacketCallbacks(channel, StorageProcessNotice, NULL);
    }
    if (!NT_SUCCESS(status)) {
        VmbChannelCleanup(channel);
        return status;
    }

    client->Channel = channel;
    return STATUS_SUCCESS;
}

static NTSTATUS
StorageReleaseHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesTranslated)
{
    PSTORAGE_CLIENT client = StorageClient(Device);

    UNREFERENCED_PARAMETER(ResourcesTranslated);

    if (client->Channel != NULL) {
        VmbChannelCleanup(client->Channel);
        client->Channel = NULL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS
StorageD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    UNREFERENCED_PARAMETER(PreviousState);

    return VmbChannelEnable(StorageClient(Device)->Channel);
}

static NTSTATUS
StorageD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
    UNREFERENCED_PARAMETER(TargetState);

    VmbChannelDisable(StorageClient(Device)->Channel);
    return STATUS_SUCCESS;
}

/* IRQL <= DISPATCH_LEVEL */
static VOID
StorageSend(WDFQUEUE Queue, WDFREQUEST Request, STORAGE_OPERATION Operation, PMDL Mdl, size_t Length)
{
    PSTORAGE_CLIENT client = StorageClient(WdfIoQueueGetDevice(Queue));
    PSTORAGE_REQUEST message = StorageRequest(Request);
    WDF_REQUEST_PARAMETERS parameters;
    VMBPACKET packet;
    NTSTATUS status;

    if (Length > STORAGE_MAXIMUM_TRANSFER) {
        WdfRequestComplete(Request, STATUS_INVALID_BUFFER_SIZE);
        return;
    }
    if (client->NoticeLost) {
        WdfRequestComplete(Request, STATUS_DATA_ERROR);
        return;
    }

    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(Request, &parameters);
    message->Operation = (UINT32)Operation;
    message->Length = (UINT32)Length;
    message->Offset = (UINT64)(Operation == StorageRead ? parameters.Parameters.Read.DeviceOffset
                                                        : parameters.Parameters.Write.DeviceOffset);

    packet = VmbPacketAllocate(client->Channel);
    if (packet == NULL) {
        WdfRequestComplete(Request, STATUS_INSUFFICIENT_RESOURCES);
        return;
    }

    VmbPacketSetPointer(packet, Request);
    VmbPacketSetCompletionRoutine(packet, StoragePacketDone);

    status = VmbPacketSendWithExternalMdl(packet,
                                          message,
                                          sizeof(*message),
                                          Mdl,
                                          0,
                                          (UINT32)Length,
                                          VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
    if (!NT_SUCCESS(status)) {
        VmbPacketFree(packet);
        WdfRequestComplete(Request, status);
    }
}

static VOID
StorageReadRequest(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PMDL mdl;
    NTSTATUS status;

    status = WdfRequestRetrieveOutputWdmMdl(Request, &mdl);
    if (!NT_SUCCESS(status)) {
        WdfRequestComplete(Request, status);
        return;
    }
    StorageSend(Queue, Request, StorageRead, mdl, Length);
}

static VOID
StorageWriteRequest(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PMDL mdl;
    NTSTATUS status;

    status = WdfRequestRetrieveInputWdmMdl(Request, &mdl);
    if (!NT_SUCCESS(status)) {
        WdfRequestComplete(Request, status);
        return;
    }
    StorageSend(Queue, Request, StorageWrite, mdl, Length);
}

/* IRQL <= DISPATCH_LEVEL */
static VOID
StoragePacketDone(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer, UINT32 BufferLength)
{
    WDFREQUEST request = (WDFREQUEST)VmbPacketGetPointer(Packet);
    STORAGE_ANSWER answer = {STATUS_UNSUCCESSFUL, 0};

    if (NT_SUCCESS(Status) && BufferLength >= sizeof(answer)) {
        RtlCopyMemory(&answer, Buffer, sizeof(answer));
        Status = answer.Status;
    }

    VmbPacketFree(Packet);
    WdfRequestCompleteWithInformation(request, Status, NT_SUCCESS(Status) ? answer.Length : 0);
}

/*
 * A notice that is missing, or comes twice, is an error of every request from now on. IRQL <= DISPATCH_LEVEL
 */
static VOID
StorageProcessNotice(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
    PSTORAGE_CLIENT client = (PSTORAGE_CLIENT)VmbChannelGetPointer(Channel);
    STORAGE_NOTICE notice;

    UNREFERENCED_PARAMETER(Flags);

    if (BufferLength >= sizeof(notice)) {
        RtlCopyMemory(&notice, Buffer, sizeof(notice));
        if (notice.Number != client->LastNotice + 1) {
            client->NoticeLost = TRUE;
        }
        client->LastNotice = notice.Number;
    }
    VmbChannelPacketComplete(Packet, NULL, 0);
}
