/*
 * The host end of the network channel: every frame that asks for an answer gets one. Frames from the guest are taken where they
 * lie, frames to the guest are written into its receive buffer.
 */
#include "network.h"

typedef struct _NETWORK_SERVER {
    VMBCHANNEL Channel;

    UINT32 SendGpadl;
    UINT32 ReceiveGpadl;
    PUCHAR SendBuffer; /* the guest's, mapped */
    PUCHAR ReceiveBuffer;

    KSPIN_LOCK Lock; /* guards what follows */
    UINT32 FreeSections[NETWORK_RECEIVE_SECTIONS];
    UINT32 FreeSectionCount;
    LIST_ENTRY Waiting; /* answers for which there are not enough sections */
    BOOLEAN Suspended;
} NETWORK_SERVER, *PNETWORK_SERVER;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(NETWORK_SERVER, NetworkServer)

/* A frame to the guest. */
typedef struct _NETWORK_REPLY {
    LIST_ENTRY Entry;
    UINT32 Length;
    NETWORK_FRAME_TO_GUEST Message;
} NETWORK_REPLY, *PNETWORK_REPLY;

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_DEVICE_ADD NetworkDeviceAdd;
static EVT_WDF_DEVICE_PREPARE_HARDWARE NetworkPrepareHardware;
static EVT_WDF_DEVICE_RELEASE_HARDWARE NetworkReleaseHardware;
static EVT_WDF_DEVICE_D0_ENTRY NetworkD0Entry;
static EVT_WDF_DEVICE_D0_EXIT NetworkD0Exit;
static EVT_VMB_CHANNEL_STARTED NetworkStarted;
static EVT_VMB_CHANNEL_SUSPEND NetworkSuspend;
static EVT_VMB_CHANNEL_CLOSED NetworkClosed;
static EVT_VMB_CHANNEL_PROCESS_PACKET NetworkProcessPacket;
static EVT_VMB_PACKET_COMPLETION_ROUTINE NetworkReplyDone;

NTSTATUS
DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, NetworkDeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}

static NTSTATUS
NetworkDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDFDEVICE device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Driver);

    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = NetworkPrepareHardware;
    callbacks.EvtDeviceReleaseHardware = NetworkReleaseHardware;
    callbacks.EvtDeviceD0Entry = NetworkD0Entry;
    callbacks.EvtDeviceD0Exit = NetworkD0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, NETWORK_SERVER);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (NT_SUCCESS(status)) {
        KeInitializeSpinLock(&NetworkServer(device)->Lock);
        InitializeListHead(&NetworkServer(device)->Waiting);
    }
    return status;
}

static NTSTATUS
NetworkPrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw, WDFCMRESLIST ResourcesTranslated)
{
    PNETWORK_SERVER server = NetworkServer(Device);
    GUID instance = {0x4e7c0de0, 1, 1, {0, 0, 0, 0, 0, 0, 0, 0}};
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
    VMBCHANNEL channel;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(ResourcesRaw);
    UNREFERENCED_PARAMETER(ResourcesTranslated);

    status = VmbChannelAllocate(WdfDeviceWdmGetDeviceObject(Device), TRUE, &channel);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    VmbChannelSetPointer(channel, server);
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
    callbacks.EvtChannelStarted = NetworkStarted;
    callbacks.EvtChannelSuspend = NetworkSuspend;
    callbacks.EvtChannelClosed = NetworkClosed;

    status = VmbServerChannelInitSetTargetInterfaceId(channel, GUID_NETWORK_CHANNEL_TYPE, instance);
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetMaximumPacketSize(channel, sizeof(NETWORK_FRAME_TO_GUEST));
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetMaximumExternalData(channel, NETWORK_MAXIMUM_FRAME, 1);
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetStateChangeCallbacks(channel, &callbacks);
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetProcessPacketCallbacks(channel, NetworkProcessPacket, NULL);
    }
    if (!NT_SUCCESS(status)) {
        VmbChannelCleanup(channel);
        return status;
    }

    server->Channel = channel;
    return STATUS_SUCCESS;
}

static NTSTATUS
NetworkReleaseHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesTranslated)
{
    PNETWORK_SERVER server = NetworkServer(Device);

    UNREFERENCED_PARAMETER(ResourcesTranslated);

    if (server->Channel != NULL) {
        VmbChannelCleanup(server->Channel);
        server->Channel = NULL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS
NetworkD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    PNETWORK_SERVER server = NetworkServer(Device);
    NTSTATUS status;

    UNREFERENCED_PARAMETER(PreviousState);

    status = VmbChannelEnable(server->Channel);
    if (NT_SUCCESS(status)) {
        VmbChannelStart(server->Channel);
    }
    return status;
}

static NTSTATUS
NetworkD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
    UNREFERENCED_PARAMETER(TargetState);

    VmbChannelDisable(NetworkServer(Device)->Channel);
    return STATUS_SUCCESS;
}

/* ---- The channel comes and goes: PASSIVE_LEVEL ---- */

static VOID
NetworkStarted(VMBCHANNEL Channel)
{
    ((PNETWORK_SERVER)VmbChannelGetPointer(Channel))->Suspended = FALSE;
}

/* From here on nothing may be sent: answers that wait for sections are dropped, as a network may drop frames. */
static VOID
NetworkSuspend(VMBCHANNEL Channel)
{
    PNETWORK_SERVER server = (PNETWORK_SERVER)VmbChannelGetPointer(Channel);
    PLIST_ENTRY entry;
    KIRQL irql;

    KeAcquireSpinLock(&server->Lock, &irql);
    server->Suspended = TRUE;
    while (!IsListEmpty(&server->Waiting)) {
        entry = RemoveHeadList(&server->Waiting);
        ExFreePoolWithTag(CONTAINING_RECORD(entry, NETWORK_REPLY, Entry), NETWORK_TAG);
    }
    KeReleaseSpinLock(&server->Lock, irql);
}

static VOID
NetworkUnmap(VMBCHANNEL Channel, PUINT32 Gpadl, PUCHAR *Buffer)
{
    if (*Gpadl != 0) {
        VmbChannelUnmapGpadl(Channel, *Gpadl);
    }
    *Gpadl = 0;
    *Buffer = NULL;
}

static VOID
NetworkClosed(VMBCHANNEL Channel)
{
    PNETWORK_SERVER server = (PNETWORK_SERVER)VmbChannelGetPointer(Channel);

    NetworkUnmap(Channel, &server->SendGpadl, &server->SendBuffer);
    NetworkUnmap(Channel, &server->ReceiveGpadl, &server->ReceiveBuffer);
    server->FreeSectionCount = 0;
}

static NTSTATUS
NetworkMap(VMBCHANNEL Channel, UINT32 Gpadl, UINT32 Length, PUINT32 Mapped, PUCHAR *Buffer)
{
    NTSTATUS status;
    PMDL mdl;

    status = VmbChannelMapGpadl(Channel, 0, Gpadl, &mdl);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    *Mapped = Gpadl;
    if (MmGetMdlByteCount(mdl) >= Length) {
        *Buffer = (PUCHAR)MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    }
    return *Buffer != NULL ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* The guest's version and buffers. */
static NTSTATUS
NetworkInitializeServer(VMBCHANNEL Channel, PNETWORK_SERVER Server, const NETWORK_INITIALIZE *Initialize)
{
    NTSTATUS status;
    UINT32 i;

    if (Initialize->Version != NETWORK_VERSION) {
        return STATUS_NOT_SUPPORTED;
    }
    if (Server->SendGpadl != 0 || Server->ReceiveGpadl != 0) {
        return STATUS_INVALID_DEVICE_STATE;
    }

    status = NetworkMap(
        Channel, Initialize->SendBuffer, NETWORK_SEND_BUFFER_BYTES, &Server->SendGpadl, &Server->SendBuffer);
    if (NT_SUCCESS(status)) {
        status = NetworkMap(Channel,
                            Initialize->ReceiveBuffer,
                            NETWORK_RECEIVE_BUFFER_BYTES,
                            &Server->ReceiveGpadl,
                            &Server->ReceiveBuffer);
    }
    if (!NT_SUCCESS(status)) {
        NetworkUnmap(Channel, &Server->SendGpadl, &Server->SendBuffer);
        NetworkUnmap(Channel, &Server->ReceiveGpadl, &Server->ReceiveBuffer);
        return status;
    }

    for (i = 0; i < NETWORK_RECEIVE_SECTIONS; i++) {
        Server->FreeSections[i] = NETWORK_RECEIVE_SECTIONS - 1 - i;
    }
    Server->FreeSectionCount = NETWORK_RECEIVE_SECTIONS;
    return STATUS_SUCCESS;
}

/* ---- Frames: IRQL <= DISPATCH_LEVEL ---- */

/* Sends the answers that wait, in order, as long as there are sections. */
static VOID
NetworkSendReplies(PNETWORK_SERVER Server)
{
    PNETWORK_REPLY reply;
    PNETWORK_RANGE range;
    VMBPACKET packet;
    UINT32 count;
    KIRQL irql;
    UINT32 i;

    KeAcquireSpinLock(&Server->Lock, &irql);
    while (!IsListEmpty(&Server->Waiting)) {
        reply = CONTAINING_RECORD(Server->Waiting.Flink, NETWORK_REPLY, Entry);
        count = (reply->Length + NETWORK_RECEIVE_SECTION_BYTES - 1) / NETWORK_RECEIVE_SECTION_BYTES;
        if (Server->FreeSectionCount < count) {
            break;
        }
        packet = VmbPacketAllocate(Server->Channel);
        if (packet == NULL) {
            break;
        }
        RemoveEntryList(&reply->Entry);

        for (i = 0; i < count; i++) {
            range = &reply->Message.Ranges[i];
            range->ByteOffset = Server->FreeSections[--Server->FreeSectionCount] * NETWORK_RECEIVE_SECTION_BYTES;
            range->ByteCount = min(reply->Length - i * NETWORK_RECEIVE_SECTION_BYTES, NETWORK_RECEIVE_SECTION_BYTES);
            RtlFillMemory(Server->ReceiveBuffer + range->ByteOffset, range->ByteCount, (UCHAR)i);
        }
        reply->Message.RangeCount = count;
        VmbPacketSetPointer(packet, reply);
        VmbPacketSetCompletionRoutine(packet, NetworkReplyDone);
        if (!NT_SUCCESS(VmbPacketSend(packet,
                                      &reply->Message,
                                      (UINT32)(FIELD_OFFSET(NETWORK_FRAME_TO_GUEST, Ranges) + count * sizeof(*range)),
                                      NULL,
                                      VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION))) {
            for (i = count; i > 0; i--) {
                Server->FreeSections[Server->FreeSectionCount++] =
                    reply->Message.Ranges[i - 1].ByteOffset / NETWORK_RECEIVE_SECTION_BYTES;
            }
            VmbPacketFree(packet);
            ExFreePoolWithTag(reply, NETWORK_TAG);
        }
    }
    KeReleaseSpinLock(&Server->Lock, irql);
}

/* The guest is done with the frame: its sections are free. */
static VOID
NetworkReplyDone(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer, UINT32 BufferLength)
{
    PNETWORK_REPLY reply = (PNETWORK_REPLY)VmbPacketGetPointer(Packet);
    PNETWORK_SERVER server = (PNETWORK_SERVER)VmbChannelGetPointer(VmbPacketGetChannel(Packet));
    KIRQL irql;
    UINT32 i;

    UNREFERENCED_PARAMETER(Status);
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(BufferLength);

    KeAcquireSpinLock(&server->Lock, &irql);
    for (i = reply->Message.RangeCount; i > 0; i--) {
        server->FreeSections[server->FreeSectionCount++] =
            reply->Message.Ranges[i - 1].ByteOffset / NETWORK_RECEIVE_SECTION_BYTES;
    }
    KeReleaseSpinLock(&server->Lock, irql);

    ExFreePoolWithTag(reply, NETWORK_TAG);
    VmbPacketFree(Packet);
    NetworkSendReplies(server);
}

/* Looks at the frame where it lies. */
static NTSTATUS
NetworkTakeFrame(PNETWORK_SERVER Server, VMBPACKETCOMPLETION Packet, const NETWORK_FRAME_TO_HOST *Frame, UINT32 Flags)
{
    BOOLEAN external = (Flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA) != 0;
    NTSTATUS status;
    PMDL mdl;

    if (Server->SendBuffer == NULL || external != (Frame->Section == NETWORK_NO_SECTION) ||
        Frame->ReplyBytes > NETWORK_MAXIMUM_FRAME) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!external) {
        return Frame->Section < NETWORK_SEND_SECTIONS && Frame->FrameBytes <= NETWORK_SEND_SECTION_BYTES
                   ? STATUS_SUCCESS
                   : STATUS_INVALID_PARAMETER;
    }
    status = VmbChannelPacketGetExternalData(Packet, VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY, &mdl);
    if (status == STATUS_SUCCESS && MmGetMdlByteCount(mdl) < Frame->FrameBytes) {
        status = STATUS_INVALID_PARAMETER;
    }
    return status;
}

/* The guest is not trusted: a message is copied once and checked before it is used. */
static VOID
NetworkProcessPacket(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
    PNETWORK_SERVER server = (PNETWORK_SERVER)VmbChannelGetPointer(Channel);
    NETWORK_ANSWER answer = {STATUS_INVALID_PARAMETER, 0};
    NETWORK_INITIALIZE initialize;
    NETWORK_FRAME_TO_HOST frame;
    PNETWORK_REPLY reply = NULL;
    UINT32 type = 0;
    KIRQL irql;

    if (BufferLength >= sizeof(type)) {
        RtlCopyMemory(&type, Buffer, sizeof(type));
    }

    if (type == NetworkInitialize && BufferLength >= sizeof(initialize)) {
#ifndef BREAK_MAP_IN_DPC
        /* Mapping a GPADL needs PASSIVE_LEVEL: the packet comes again there. */
        if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
            VmbChannelPacketDeferToPassive(Packet);
            return;
        }
#endif
        RtlCopyMemory(&initialize, Buffer, sizeof(initialize));
        answer.Status = NetworkInitializeServer(Channel, server, &initialize);
        VmbChannelPacketComplete(Packet, &answer, sizeof(answer));
        return;
    }

    if (type == NetworkFrameToHost && BufferLength >= sizeof(frame)) {
        RtlCopyMemory(&frame, Buffer, sizeof(frame));
        answer.Status = NetworkTakeFrame(server, Packet, &frame, Flags);
        if (answer.Status == STATUS_PENDING) {
            return;
        }
        if (answer.Status == STATUS_SUCCESS && frame.ReplyBytes != 0) {
            reply = (PNETWORK_REPLY)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*reply), NETWORK_TAG);
            if (reply == NULL) {
                answer.Status = STATUS_INSUFFICIENT_RESOURCES;
            } else {
                reply->Length = frame.ReplyBytes;
                reply->Message.Type = NetworkFrameToGuest;
                reply->Message.Cookie = frame.Cookie;
            }
        }
    }

    if (reply != NULL) {
        KeAcquireSpinLock(&server->Lock, &irql);
        if (!server->Suspended) {
            InsertTailList(&server->Waiting, &reply->Entry);
            reply = NULL;
        }
        KeReleaseSpinLock(&server->Lock, irql);
        if (reply != NULL) {
            ExFreePoolWithTag(reply, NETWORK_TAG);
        }
    }
    VmbChannelPacketComplete(Packet, &answer, sizeof(answer));
    NetworkSendReplies(server);
}
