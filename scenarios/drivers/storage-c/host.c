/*
 * The host end of the storage channel: a disk in memory. Requests are answered later, short transfers from the DPC of a timer,
 * long ones from a work item; the worker process of the virtual machine may have the channel saved and restored.
 *
 * BREAK_... is defined by nobody but a test: README.md shows what the simulator says to each of these mistakes.
 */
#include "storage.h"

#define STORAGE_SERVICE_TIME (-500LL) /* 50 us, in units of 100 ns */
#define STORAGE_LONG_TRANSFER (32u * 1024)

typedef struct _STORAGE_SERVER {
    WDFDEVICE Device;
    VMBCHANNEL Channel;
    PUCHAR Disk;

    KSPIN_LOCK Lock; /* guards what follows */
    LIST_ENTRY Waiting;
    LIST_ENTRY Long;
    BOOLEAN TimerSet;
    BOOLEAN Suspended;
    UINT64 Completed;
    UINT64 Notices;

    KTIMER Timer;
    KDPC Dpc;
    WDFWORKITEM WorkItem;
} STORAGE_SERVER, *PSTORAGE_SERVER;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(STORAGE_SERVER, StorageServer)

/* One request under way. */
typedef struct _STORAGE_JOB {
    LIST_ENTRY Entry;
    VMBPACKETCOMPLETION Packet;
    STORAGE_REQUEST Request;
    PMDL Mdl;
} STORAGE_JOB, *PSTORAGE_JOB;

/* What the driver saves besides what KMCL saves. */
typedef struct _STORAGE_SAVED {
    UINT64 Completed;
    UINT64 Notices;
} STORAGE_SAVED, *PSTORAGE_SAVED;

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_DEVICE_ADD StorageDeviceAdd;
static EVT_WDF_DEVICE_PREPARE_HARDWARE StoragePrepareHardware;
static EVT_WDF_DEVICE_RELEASE_HARDWARE StorageReleaseHardware;
static EVT_WDF_DEVICE_D0_ENTRY StorageD0Entry;
static EVT_WDF_DEVICE_D0_EXIT StorageD0Exit;
static EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL StorageDeviceControl;
static EVT_WDF_WORKITEM StorageLongTransfers;
static KDEFERRED_ROUTINE StorageTimerExpired;
static EVT_VMB_CHANNEL_STARTED StorageStarted;
static EVT_VMB_CHANNEL_SUSPEND StorageSuspend;
static EVT_VMB_CHANNEL_PROCESS_PACKET StorageProcessPacket;
static EVT_VMB_PACKET_COMPLETION_ROUTINE StorageNoticeDone;
static EVT_VMB_CHANNEL_SAVE_PACKET StorageSavePacket;
static EVT_VMB_CHANNEL_RESTORE_PACKET StorageRestorePacket;

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
    WDF_WORKITEM_CONFIG workItem;
    WDF_IO_QUEUE_CONFIG queue;
    PSTORAGE_SERVER server;
    WDFDEVICE device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Driver);

    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = StoragePrepareHardware;
    callbacks.EvtDeviceReleaseHardware = StorageReleaseHardware;
    callbacks.EvtDeviceD0Entry = StorageD0Entry;
    callbacks.EvtDeviceD0Exit = StorageD0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, STORAGE_SERVER);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    server = StorageServer(device);
    server->Device = device;
    KeInitializeSpinLock(&server->Lock);
    InitializeListHead(&server->Waiting);
    InitializeListHead(&server->Long);
    KeInitializeTimer(&server->Timer);
    KeInitializeDpc(&server->Dpc, StorageTimerExpired, server);

    WDF_WORKITEM_CONFIG_INIT(&workItem, StorageLongTransfers);
    workItem.AutomaticSerialization = FALSE;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = device;
    status = WdfWorkItemCreate(&workItem, &attributes, &server->WorkItem);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    /* Pausing and disabling a channel block, so device controls are wanted at PASSIVE_LEVEL. */
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queue, WdfIoQueueDispatchSequential);
    queue.EvtIoDeviceControl = StorageDeviceControl;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ExecutionLevel = WdfExecutionLevelPassive;
    return WdfIoQueueCreate(device, &queue, &attributes, WDF_NO_HANDLE);
}

/* ---- The channel ---- */

static NTSTATUS
StorageOfferChannel(PSTORAGE_SERVER Server)
{
    GUID instance = {0x57a0c0de, 1, 1, {0, 0, 0, 0, 0, 0, 0, 0}};
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
    VMBCHANNEL channel;
    NTSTATUS status;

    status = VmbChannelAllocate(WdfDeviceWdmGetDeviceObject(Server->Device), TRUE, &channel);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    VmbChannelSetPointer(channel, Server);
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
    callbacks.EvtChannelStarted = StorageStarted;
    callbacks.EvtChannelSuspend = StorageSuspend;

    status = VmbServerChannelInitSetTargetInterfaceId(channel, GUID_STORAGE_CHANNEL_TYPE, instance);
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetMaximumPacketSize(channel, sizeof(STORAGE_NOTICE));
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetMaximumExternalData(channel, STORAGE_MAXIMUM_TRANSFER, 1);
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetStateChangeCallbacks(channel, &callbacks);
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetProcessPacketCallbacks(channel, StorageProcessPacket, NULL);
    }
    if (NT_SUCCESS(status)) {
        status = VmbServerChannelInitSetSaveRestorePacketCallbacks(channel, StorageSavePacket, StorageRestorePacket);
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelEnable(channel);
    }
    if (!NT_SUCCESS(status)) {
        VmbChannelCleanup(channel);
        return status;
    }

    Server->Channel = channel;
    return STATUS_SUCCESS;
}

static VOID
StorageRevokeChannel(PSTORAGE_SERVER Server)
{
    if (Server->Channel != NULL) {
        VmbChannelDisable(Server->Channel);
        VmbChannelCleanup(Server->Channel);
        Server->Channel = NULL;
    }
}

static NTSTATUS
StoragePrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw, WDFCMRESLIST ResourcesTranslated)
{
    PSTORAGE_SERVER server = StorageServer(Device);

    UNREFERENCED_PARAMETER(ResourcesRaw);
    UNREFERENCED_PARAMETER(ResourcesTranslated);

    server->Disk = (PUCHAR)ExAllocatePool2(POOL_FLAG_NON_PAGED, STORAGE_DISK_BYTES, STORAGE_TAG);
    return server->Disk != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS
StorageReleaseHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesTranslated)
{
    PSTORAGE_SERVER server = StorageServer(Device);

    UNREFERENCED_PARAMETER(ResourcesTranslated);

    if (server->Disk != NULL) {
        ExFreePoolWithTag(server->Disk, STORAGE_TAG);
        server->Disk = NULL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS
StorageD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    PSTORAGE_SERVER server = StorageServer(Device);
    NTSTATUS status;

    UNREFERENCED_PARAMETER(PreviousState);

    status = StorageOfferChannel(server);
    if (NT_SUCCESS(status)) {
        VmbChannelStart(server->Channel);
    }
    return status;
}

static NTSTATUS
StorageD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
    PSTORAGE_SERVER server = StorageServer(Device);

    UNREFERENCED_PARAMETER(TargetState);

    StorageRevokeChannel(server);
    WdfWorkItemFlush(server->WorkItem);
    return STATUS_SUCCESS;
}

static VOID
StorageStarted(VMBCHANNEL Channel)
{
    ((PSTORAGE_SERVER)VmbChannelGetPointer(Channel))->Suspended = FALSE;
}

/* From here on nothing may be sent. What was delivered is answered by the timer and the work item; KMCL waits for it. */
static VOID
StorageSuspend(VMBCHANNEL Channel)
{
    ((PSTORAGE_SERVER)VmbChannelGetPointer(Channel))->Suspended = TRUE;
}

/* ---- Notices to the guest ---- */

static VOID
StorageNoticeDone(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer, UINT32 BufferLength)
{
    PSTORAGE_NOTICE notice = (PSTORAGE_NOTICE)VmbPacketGetPointer(Packet);

    UNREFERENCED_PARAMETER(Status);
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(BufferLength);

    ExFreePoolWithTag(notice, STORAGE_TAG);
    VmbPacketFree(Packet);
}

/* Answers one request; tells the guest of every so many. IRQL <= DISPATCH_LEVEL */
static VOID
StorageAnswer(PSTORAGE_SERVER Server, VMBPACKETCOMPLETION Packet, NTSTATUS Status, UINT32 Length)
{
    STORAGE_ANSWER answer = {Status, Length};
    PSTORAGE_NOTICE notice = NULL;
    VMBPACKET packet = NULL;
    VMBCHANNEL channel;
    KIRQL irql;

    KeAcquireSpinLock(&Server->Lock, &irql);
    channel = Server->Channel;
    Server->Completed += 1;
    if (Server->Completed % STORAGE_NOTICE_INTERVAL == 0 && !Server->Suspended) {
        notice = (PSTORAGE_NOTICE)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*notice), STORAGE_TAG);
        packet = notice != NULL ? VmbPacketAllocate(channel) : NULL;
        if (packet != NULL) {
            /* Sent under the lock, so that the numbers arrive in order. */
            notice->Number = ++Server->Notices;
            notice->Completed = Server->Completed;
            VmbPacketSetPointer(packet, notice);
            VmbPacketSetCompletionRoutine(packet, StorageNoticeDone);
            if (!NT_SUCCESS(VmbPacketSend(packet,
                                          notice,
                                          sizeof(*notice),
                                          NULL,
                                          VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION))) {
                VmbPacketFree(packet);
                packet = NULL;
                Server->Notices -= 1;
            }
        }
        if (packet == NULL && notice != NULL) {
            ExFreePoolWithTag(notice, STORAGE_TAG);
        }
    }
    KeReleaseSpinLock(&Server->Lock, irql);

    /* Last: when the channel is suspended this may be what KMCL waits for, and then the channel goes. */
    VmbChannelPacketComplete(Packet, &answer, sizeof(answer));
#ifdef BREAK_COMPLETE_TWICE
    VmbChannelPacketComplete(Packet, &answer, sizeof(answer));
#endif
}

/* ---- Requests ---- */

/* The guest is not trusted: the message is copied once and checked before it is used. IRQL <= DISPATCH_LEVEL */
static VOID
StorageProcessPacket(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
    PSTORAGE_SERVER server = (PSTORAGE_SERVER)VmbChannelGetPointer(Channel);
    LARGE_INTEGER due;
    STORAGE_REQUEST request;
    PSTORAGE_JOB job;
    NTSTATUS status;
    KIRQL irql;
    PMDL mdl;

    if (BufferLength < sizeof(request) || (Flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA) == 0) {
        StorageAnswer(server, Packet, STATUS_INVALID_PARAMETER, 0);
        return;
    }
    RtlCopyMemory(&request, Buffer, sizeof(request));

    /* STATUS_PENDING is a success code, but not this call's success: the packet comes again. */
    status = VmbChannelPacketGetExternalData(Packet, 0, &mdl);
    if (status == STATUS_PENDING) {
        return;
    }
    if (status == STATUS_SUCCESS &&
        ((request.Operation != StorageRead && request.Operation != StorageWrite) ||
         MmGetMdlByteCount(mdl) < request.Length || request.Length > STORAGE_DISK_BYTES)) {
        status = STATUS_INVALID_PARAMETER;
    }
    job = status == STATUS_SUCCESS ? (PSTORAGE_JOB)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*job), STORAGE_TAG)
                                   : NULL;
    if (job == NULL) {
        StorageAnswer(server, Packet, status == STATUS_SUCCESS ? STATUS_INSUFFICIENT_RESOURCES : status, 0);
        return;
    }
    job->Packet = Packet;
    job->Request = request;
    job->Mdl = mdl;

    KeAcquireSpinLock(&server->Lock, &irql);
    InsertTailList(&server->Waiting, &job->Entry);
    if (!server->TimerSet) {
        server->TimerSet = TRUE;
        due.QuadPart = STORAGE_SERVICE_TIME;
        KeSetTimer(&server->Timer, due, &server->Dpc);
    }
    KeReleaseSpinLock(&server->Lock, irql);
}

/* Moves the data and answers. IRQL <= DISPATCH_LEVEL */
static VOID
StorageTransfer(PSTORAGE_SERVER Server, PSTORAGE_JOB Job)
{
    VMBPACKETCOMPLETION packet = Job->Packet;
    UINT32 length = Job->Request.Length;
    PUCHAR place = Server->Disk + Job->Request.Offset % (STORAGE_DISK_BYTES - length + 1);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    PVOID data;

    data = MmGetSystemAddressForMdlSafe(Job->Mdl, NormalPagePriority);
    if (data != NULL) {
        if (Job->Request.Operation == StorageRead) {
            RtlCopyMemory(data, place, length);
        } else {
            RtlCopyMemory(place, data, length);
        }
        MmUnmapLockedPages(data, Job->Mdl);
        status = STATUS_SUCCESS;
    }
    ExFreePoolWithTag(Job, STORAGE_TAG);
    StorageAnswer(Server, packet, status, NT_SUCCESS(status) ? length : 0);
}

/* All that waited when the timer was set is done; what came later is done with it. IRQL DISPATCH_LEVEL */
static VOID
StorageTimerExpired(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PSTORAGE_SERVER server = (PSTORAGE_SERVER)Context;
    LIST_ENTRY done;
    PSTORAGE_JOB job;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);

    InitializeListHead(&done);
    KeAcquireSpinLockAtDpcLevel(&server->Lock);
    server->TimerSet = FALSE;
    while (!IsListEmpty(&server->Waiting)) {
        job = CONTAINING_RECORD(RemoveHeadList(&server->Waiting), STORAGE_JOB, Entry);
        InsertTailList(job->Request.Length >= STORAGE_LONG_TRANSFER ? &server->Long : &done, &job->Entry);
    }
    if (!IsListEmpty(&server->Long)) {
        WdfWorkItemEnqueue(server->WorkItem);
    }
    KeReleaseSpinLockFromDpcLevel(&server->Lock);

    while (!IsListEmpty(&done)) {
        StorageTransfer(server, CONTAINING_RECORD(RemoveHeadList(&done), STORAGE_JOB, Entry));
    }
#ifdef BREAK_WAIT_IN_DPC
    WdfWorkItemFlush(server->WorkItem);
#endif
}

/* A long copy would hold a DPC for too long. IRQL PASSIVE_LEVEL */
static VOID
StorageLongTransfers(WDFWORKITEM WorkItem)
{
    PSTORAGE_SERVER server = StorageServer(WdfWorkItemGetParentObject(WorkItem));
    PLIST_ENTRY entry;
    KIRQL irql;

    for (;;) {
        KeAcquireSpinLock(&server->Lock, &irql);
        entry = IsListEmpty(&server->Long) ? NULL : RemoveHeadList(&server->Long);
        KeReleaseSpinLock(&server->Lock, irql);
        if (entry == NULL) {
            return;
        }
        StorageTransfer(server, CONTAINING_RECORD(entry, STORAGE_JOB, Entry));
    }
}

/* ---- Saving and restoring ---- */

/* Called with no room first, to ask how much is wanted; then with as much. */
static NTSTATUS
StorageSavePacket(VMBCHANNEL Channel, VMBPACKET Packet, PVOID SaveBuf, UINT32 SaveBufSize, PUINT32 BytesNeeded)
{
    PSTORAGE_NOTICE notice = (PSTORAGE_NOTICE)VmbPacketGetPointer(Packet);

    UNREFERENCED_PARAMETER(Channel);

    if (SaveBufSize < sizeof(*notice)) {
#ifndef BREAK_SAVE_WITHOUT_SIZE
        *BytesNeeded = sizeof(*notice);
#else
        UNREFERENCED_PARAMETER(BytesNeeded);
#endif
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(SaveBuf, notice, sizeof(*notice));
    return STATUS_SUCCESS;
}

static NTSTATUS
StorageRestorePacket(VMBCHANNEL Channel, PVOID LibBuf, UINT32 LibBufSize, PVOID SaveBuf, UINT32 SaveBufSize)
{
    PSTORAGE_NOTICE notice;
    VMBPACKET packet;
    NTSTATUS status;

    if (SaveBufSize < sizeof(*notice)) {
        return STATUS_INVALID_PARAMETER;
    }

    notice = (PSTORAGE_NOTICE)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*notice), STORAGE_TAG);
    if (notice == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    packet = VmbPacketAllocate(Channel);
    if (packet == NULL) {
        ExFreePoolWithTag(notice, STORAGE_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }

    RtlCopyMemory(notice, SaveBuf, sizeof(*notice));
    VmbPacketSetPointer(packet, notice);
    VmbPacketSetCompletionRoutine(packet, StorageNoticeDone);

    status = VmbPacketRestore(packet, LibBuf, LibBufSize);
    if (!NT_SUCCESS(status)) {
        VmbPacketFree(packet);
        ExFreePoolWithTag(notice, STORAGE_TAG);
    }
    return status;
}

/* Pauses the channel, saves it and drops it. On failure it goes on. IRQL PASSIVE_LEVEL */
static NTSTATUS
StorageSave(PSTORAGE_SERVER Server, PUCHAR Buffer, size_t Length, size_t *Saved)
{
    STORAGE_SAVED saved;
    NTSTATUS status;
    ULONG filled = 0;
    ULONG required = 0;

    if (Server->Channel == NULL || Length < sizeof(saved)) {
        return STATUS_INVALID_DEVICE_STATE;
    }

    VmbChannelPause(Server->Channel);
    status = VmbChannelSaveBegin(Server->Channel);
    if (NT_SUCCESS(status)) {
        status = VmbChannelSaveContinue(Server->Channel,
                                        Buffer + sizeof(saved),
                                        (ULONG)(Length - sizeof(saved)),
                                        &filled,
                                        &required);
        VmbChannelSaveEnd(Server->Channel);
    }
    if (!NT_SUCCESS(status)) {
        VmbChannelStart(Server->Channel);
        return status;
    }

    saved.Completed = Server->Completed;
    saved.Notices = Server->Notices;
    RtlCopyMemory(Buffer, &saved, sizeof(saved));
    *Saved = sizeof(saved) + filled;

    StorageRevokeChannel(Server);
    return STATUS_SUCCESS;
}

/* IRQL PASSIVE_LEVEL */
static NTSTATUS
StorageRestore(PSTORAGE_SERVER Server, PUCHAR Buffer, size_t Length)
{
    STORAGE_SAVED saved;
    NTSTATUS status;

    if (Server->Channel != NULL || Length < sizeof(saved)) {
        return STATUS_INVALID_DEVICE_STATE;
    }

    RtlCopyMemory(&saved, Buffer, sizeof(saved));
    Server->Completed = saved.Completed;
    Server->Notices = saved.Notices;

    status = StorageOfferChannel(Server);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    /* STATUS_MORE_PROCESSING_REQUIRED means that there is more than was saved here, so it is a failure like others. */
    status = VmbChannelRestoreFromBuffer(Server->Channel, Buffer + sizeof(saved), (ULONG)(Length - sizeof(saved)));
    if (!NT_SUCCESS(status)) {
        StorageRevokeChannel(Server);
        return status;
    }
    VmbChannelStart(Server->Channel);
    return STATUS_SUCCESS;
}

static VOID
StorageDeviceControl(WDFQUEUE Queue,
                     WDFREQUEST Request,
                     size_t OutputBufferLength,
                     size_t InputBufferLength,
                     ULONG IoControlCode)
{
    PSTORAGE_SERVER server = StorageServer(WdfIoQueueGetDevice(Queue));
    size_t length = 0;
    size_t saved = 0;
    PVOID buffer;
    NTSTATUS status;

    switch (IoControlCode) {
    case IOCTL_STORAGE_SAVE:
        status = WdfRequestRetrieveOutputBuffer(Request, OutputBufferLength, &buffer, &length);
        if (NT_SUCCESS(status)) {
            status = StorageSave(server, (PUCHAR)buffer, length, &saved);
        }
        break;
    case IOCTL_STORAGE_RESTORE:
        status = WdfRequestRetrieveInputBuffer(Request, InputBufferLength, &buffer, &length);
        if (NT_SUCCESS(status)) {
            status = StorageRestore(server, (PUCHAR)buffer, length);
        }
        break;
    default:
        status = STATUS_INVALID_DEVICE_REQUEST;
        break;
    }

    WdfRequestCompleteWithInformation(Request, status, saved);
}
