/*
 * The guest end of the network channel. Who writes to the device sends a frame; who reads from it asks the other side for a frame
 * of that many bytes.
 *
 * BREAK_... is defined by nobody but a test: README.md shows what the simulator says to each of these mistakes.
 */
#include "network.h"

/* Percent of the ring to the host that are free: below the first the queue stops, above the second it wakes. */
#define NETWORK_STOP_PERCENT 10u
#define NETWORK_WAKE_PERCENT 20u

#define NETWORK_MAXIMUM_REQUESTS 256u /* under way */

/* Of the ring: a packet's descriptor and trailer; what describes external data, without its pages. */
#define NETWORK_PACKET_BYTES(Length) (16u + (((UINT32)(Length) + 7u) & ~7u) + 8u)
#define NETWORK_EXTERNAL_BYTES(Length) (16u + 8u * (UINT32)(BYTES_TO_PAGES(Length) + 1u))

typedef struct _NETWORK_CLIENT {
    WDFDEVICE Device;
    VMBCHANNEL Channel;
    WDFQUEUE Frames;

    PUCHAR SendBuffer;
    PUCHAR ReceiveBuffer;
    UINT32 SendGpadl;
    UINT32 ReceiveGpadl;

    KSPIN_LOCK Lock; /* guards what follows */
    UINT32 FreeSections[NETWORK_SEND_SECTIONS];
    UINT32 FreeSectionCount;
    UINT32 BytesInRing; /* of packets that are not complete: KMCL does not show the ring */
    UINT32 PacketsInRing;
    struct _NETWORK_REQUEST *Requests[NETWORK_MAXIMUM_REQUESTS]; /* under way, by cookie */
    UINT32 FreeCookies[NETWORK_MAXIMUM_REQUESTS];
    UINT32 FreeCookieCount;
    BOOLEAN Stopped;
    BOOLEAN Ready;
    BOOLEAN Sending; /* somebody takes requests from the queue */
    BOOLEAN Again;   /* and must look there once more */
} NETWORK_CLIENT, *PNETWORK_CLIENT;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(NETWORK_CLIENT, NetworkClient)

/* A request under way. */
typedef struct _NETWORK_REQUEST {
    NETWORK_FRAME_TO_HOST Message;
    UINT32 RingBytes;
    LONG Awaited; /* the answer to the packet, the frame that answers the frame */
    NTSTATUS Status;
    ULONG_PTR Information;
    WDFREQUEST Request;
} NETWORK_REQUEST, *PNETWORK_REQUEST;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(NETWORK_REQUEST, NetworkRequest)

DRIVER_INITIALIZE DriverEntry;
static EVT_WDF_DRIVER_DEVICE_ADD NetworkDeviceAdd;
static EVT_WDF_DEVICE_PREPARE_HARDWARE NetworkPrepareHardware;
static EVT_WDF_DEVICE_RELEASE_HARDWARE NetworkReleaseHardware;
static EVT_WDF_DEVICE_D0_ENTRY NetworkD0Entry;
static EVT_WDF_DEVICE_D0_EXIT NetworkD0Exit;
static EVT_WDF_IO_QUEUE_STATE NetworkFramesWait;
static EVT_VMB_CHANNEL_OPENED NetworkOpened;
static EVT_VMB_CHANNEL_POST_STARTED NetworkPostStarted;
static EVT_VMB_CHANNEL_SUSPEND NetworkSuspend;
static EVT_VMB_CHANNEL_CLOSED NetworkClosed;
static EVT_VMB_CHANNEL_PROCESS_PACKET NetworkProcessPacket;
static EVT_VMB_PACKET_COMPLETION_ROUTINE NetworkPacketDone;

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
    WDF_IO_QUEUE_CONFIG queue;
    PNETWORK_CLIENT client;
    WDFDEVICE device;
    NTSTATUS status;
    UINT32 i;

    UNREFERENCED_PARAMETER(Driver);

    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = NetworkPrepareHardware;
    callbacks.EvtDeviceReleaseHardware = NetworkReleaseHardware;
    callbacks.EvtDeviceD0Entry = NetworkD0Entry;
    callbacks.EvtDeviceD0Exit = NetworkD0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);
    WdfDeviceInitSetIoType(DeviceInit, WdfDeviceIoDirect);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, NETWORK_REQUEST);
    WdfDeviceInitSetRequestAttributes(DeviceInit, &attributes);

    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, NETWORK_CLIENT);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    client = NetworkClient(device);
    client->Device = device;
    KeInitializeSpinLock(&client->Lock);
    for (i = 0; i < NETWORK_MAXIMUM_REQUESTS; i++) {
        client->FreeCookies[i] = NETWORK_MAXIMUM_REQUESTS - 1 - i;
    }
    client->FreeCookieCount = NETWORK_MAXIMUM_REQUESTS;

    /* Frames wait here while the queue is stopped, where they need no packet and can be cancelled. */
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queue, WdfIoQueueDispatchManual);
    status = WdfIoQueueCreate(device, &queue, WDF_NO_OBJECT_ATTRIBUTES, &client->Frames);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return WdfIoQueueReadyNotify(client->Frames, NetworkFramesWait, client);
}

static NTSTATUS
NetworkPrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw, WDFCMRESLIST ResourcesTranslated)
{
    PNETWORK_CLIENT client = NetworkClient(Device);
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
    VMBCHANNEL channel;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(ResourcesRaw);
    UNREFERENCED_PARAMETER(ResourcesTranslated);

    status = VmbChannelAllocate(WdfDeviceWdmGetDeviceObject(Device), FALSE, &channel);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    VmbChannelSetPointer(channel, client);
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
    callbacks.EvtChannelOpened = NetworkOpened;
    callbacks.EvtChannelPostStarted = NetworkPostStarted;
    callbacks.EvtChannelSuspend = NetworkSuspend;
    callbacks.EvtChannelClosed = NetworkClosed;

    status = VmbChannelInitSetMaximumPacketSize(channel, sizeof(NETWORK_FRAME_TO_HOST));
    if (NT_SUCCESS(status)) {
        status = VmbChannelInitSetMaximumExternalData(channel, NETWORK_MAXIMUM_FRAME, 1);
    }
    if (NT_SUCCESS(status)) {
        status = VmbClientChannelInitSetRingBufferPageCount(channel, NETWORK_RING_PAGES, NETWORK_RING_PAGES);
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

    client->Channel = channel;
    return STATUS_SUCCESS;
}

static NTSTATUS
NetworkReleaseHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesTranslated)
{
    PNETWORK_CLIENT client = NetworkClient(Device);

    UNREFERENCED_PARAMETER(ResourcesTranslated);

    if (client->Channel != NULL) {
        VmbChannelCleanup(client->Channel);
        client->Channel = NULL;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS
NetworkD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    UNREFERENCED_PARAMETER(PreviousState);

    return VmbChannelEnable(NetworkClient(Device)->Channel);
}

static NTSTATUS
NetworkD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
    UNREFERENCED_PARAMETER(TargetState);

    VmbChannelDisable(NetworkClient(Device)->Channel);
    return STATUS_SUCCESS;
}

/* ---- The channel comes and goes: PASSIVE_LEVEL ---- */

static VOID
NetworkFreeBuffers(PNETWORK_CLIENT Client, VMBCHANNEL Channel)
{
#ifndef BREAK_KEEP_GPADL
    if (Client->SendGpadl != 0) {
        VmbChannelDeleteGpadl(Channel, Client->SendGpadl);
    }
#endif
    if (Client->ReceiveGpadl != 0) {
        VmbChannelDeleteGpadl(Channel, Client->ReceiveGpadl);
    }
    if (Client->SendBuffer != NULL) {
        ExFreePoolWithTag(Client->SendBuffer, NETWORK_TAG);
    }
    if (Client->ReceiveBuffer != NULL) {
        ExFreePoolWithTag(Client->ReceiveBuffer, NETWORK_TAG);
    }
    Client->SendGpadl = Client->ReceiveGpadl = 0;
    Client->SendBuffer = Client->ReceiveBuffer = NULL;
}

static NTSTATUS
NetworkOpened(VMBCHANNEL Channel)
{
    PNETWORK_CLIENT client = (PNETWORK_CLIENT)VmbChannelGetPointer(Channel);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    client->SendBuffer = (PUCHAR)ExAllocatePool2(POOL_FLAG_NON_PAGED, NETWORK_SEND_BUFFER_BYTES, NETWORK_TAG);
    client->ReceiveBuffer = (PUCHAR)ExAllocatePool2(POOL_FLAG_NON_PAGED, NETWORK_RECEIVE_BUFFER_BYTES, NETWORK_TAG);
    if (client->SendBuffer != NULL && client->ReceiveBuffer != NULL) {
        status = VmbChannelCreateGpadlFromBuffer(
            Channel, 0, client->SendBuffer, NETWORK_SEND_BUFFER_BYTES, &client->SendGpadl);
    }
    if (NT_SUCCESS(status)) {
        status = VmbChannelCreateGpadlFromBuffer(
            Channel, 0, client->ReceiveBuffer, NETWORK_RECEIVE_BUFFER_BYTES, &client->ReceiveGpadl);
    }
    if (!NT_SUCCESS(status)) {
        NetworkFreeBuffers(client, Channel);
    }
    return status;
}

/* The first callback in which one may wait for an answer: the queue that brings it runs. */
static VOID
NetworkPostStarted(VMBCHANNEL Channel)
{
    PNETWORK_CLIENT client = (PNETWORK_CLIENT)VmbChannelGetPointer(Channel);
    NETWORK_INITIALIZE initialize = {NetworkInitialize, NETWORK_VERSION, client->SendGpadl, client->ReceiveGpadl};
    NETWORK_ANSWER answer = {STATUS_UNSUCCESSFUL, 0};
    UINT32 size = sizeof(answer);
    NTSTATUS status;
    KIRQL irql;
    UINT32 i;

    status = VmbChannelSendSynchronousRequest(Channel,
                                              &initialize,
                                              sizeof(initialize),
                                              NULL,
                                              VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
                                              &answer,
                                              &size,
                                              NULL);
    if (!NT_SUCCESS(status) || size < sizeof(answer) || !NT_SUCCESS(answer.Status)) {
        WdfDeviceSetFailed(client->Device, WdfDeviceFailedNoRestart);
        return;
    }

    KeAcquireSpinLock(&client->Lock, &irql);
    for (i = 0; i < NETWORK_SEND_SECTIONS; i++) {
        client->FreeSections[i] = NETWORK_SEND_SECTIONS - 1 - i;
    }
    client->FreeSectionCount = NETWORK_SEND_SECTIONS;
    client->Ready = TRUE;
    KeReleaseSpinLock(&client->Lock, irql);

    NetworkFramesWait(client->Frames, client);
}

static VOID
NetworkSuspend(VMBCHANNEL Channel)
{
    PNETWORK_CLIENT client = (PNETWORK_CLIENT)VmbChannelGetPointer(Channel);
    KIRQL irql;

    KeAcquireSpinLock(&client->Lock, &irql);
    client->Ready = FALSE;
    KeReleaseSpinLock(&client->Lock, irql);
}

static VOID
NetworkClosed(VMBCHANNEL Channel)
{
    NetworkFreeBuffers((PNETWORK_CLIENT)VmbChannelGetPointer(Channel), Channel);
}

/* ---- Frames to the host: IRQL <= DISPATCH_LEVEL ---- */

/* Under the lock. */
static UINT32
NetworkFreePercent(PNETWORK_CLIENT Client)
{
    UINT32 ring = NETWORK_RING_PAGES * PAGE_SIZE;
    UINT32 used = Client->BytesInRing < ring ? Client->BytesInRing : ring;

    return (ring - used) * 100u / ring;
}

/* The request is over when its packet is answered and the frame it asked for is there. */
static VOID
NetworkPartOver(PNETWORK_CLIENT Client, PNETWORK_REQUEST Context)
{
    KIRQL irql;

    if (InterlockedDecrement(&Context->Awaited) != 0) {
        return;
    }

    KeAcquireSpinLock(&Client->Lock, &irql);
    Client->Requests[Context->Message.Cookie] = NULL;
    Client->FreeCookies[Client->FreeCookieCount++] = (UINT32)Context->Message.Cookie;
    KeReleaseSpinLock(&Client->Lock, irql);

    WdfRequestCompleteWithInformation(
        Context->Request, Context->Status, NT_SUCCESS(Context->Status) ? Context->Information : 0);
}

static NTSTATUS
NetworkSendFrame(PNETWORK_CLIENT Client, WDFREQUEST Request)
{
    PNETWORK_REQUEST context = NetworkRequest(Request);
    WDF_REQUEST_PARAMETERS parameters;
    BOOLEAN reads;
    VMBPACKET packet;
    NTSTATUS status;
    size_t length;
    KIRQL irql;
    PMDL mdl;
    PVOID data;

    WDF_REQUEST_PARAMETERS_INIT(&parameters);
    WdfRequestGetParameters(Request, &parameters);
    reads = parameters.Type == WdfRequestTypeRead;
    length = reads ? parameters.Parameters.Read.Length : parameters.Parameters.Write.Length;
    if (length > NETWORK_MAXIMUM_FRAME) {
        return STATUS_INVALID_BUFFER_SIZE;
    }
    status = reads ? WdfRequestRetrieveOutputWdmMdl(Request, &mdl) : WdfRequestRetrieveInputWdmMdl(Request, &mdl);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    context->Request = Request;
    context->Status = STATUS_SUCCESS;
    context->Information = length;
    context->Awaited = reads ? 2 : 1;
    context->Message.Type = NetworkFrameToHost;
    context->Message.Section = NETWORK_NO_SECTION;
    context->Message.FrameBytes = reads ? 64 : (UINT32)length;
    context->Message.ReplyBytes = reads ? (UINT32)length : 0;

    packet = VmbPacketAllocate(Client->Channel);
    if (packet == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    VmbPacketSetPointer(packet, context);
    VmbPacketSetCompletionRoutine(packet, NetworkPacketDone);

    KeAcquireSpinLock(&Client->Lock, &irql);
    context->Message.Cookie = Client->FreeCookies[--Client->FreeCookieCount];
    Client->Requests[context->Message.Cookie] = context;
    if (context->Message.FrameBytes <= NETWORK_SEND_SECTION_BYTES && Client->FreeSectionCount != 0) {
        context->Message.Section = Client->FreeSections[--Client->FreeSectionCount];
    }
    context->RingBytes = NETWORK_PACKET_BYTES(sizeof(context->Message));
    if (context->Message.Section == NETWORK_NO_SECTION) {
        context->RingBytes += NETWORK_EXTERNAL_BYTES(context->Message.FrameBytes);
    }
    Client->BytesInRing += context->RingBytes;
    Client->PacketsInRing += 1;
    if (NetworkFreePercent(Client) < NETWORK_STOP_PERCENT) {
        Client->Stopped = TRUE;
    }
    KeReleaseSpinLock(&Client->Lock, irql);

    if (context->Message.Section != NETWORK_NO_SECTION) {
        if (!reads) {
            data = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoWrite);
            if (data != NULL) {
                RtlCopyMemory(
                    Client->SendBuffer + context->Message.Section * NETWORK_SEND_SECTION_BYTES, data, length);
            }
        }
        status = VmbPacketSend(packet,
                               &context->Message,
                               sizeof(context->Message),
                               NULL,
                               VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
    } else {
        /* A frame that asks for another one has no bytes of its own that matter: the first of the buffer do. */
        context->Message.FrameBytes = context->Message.FrameBytes < length ? context->Message.FrameBytes : (UINT32)length;
        status = VmbPacketSendWithExternalMdl(packet,
                                              &context->Message,
                                              sizeof(context->Message),
                                              mdl,
                                              0,
                                              context->Message.FrameBytes,
#ifndef BREAK_NO_WAIT
                                              VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#else
                                              0
#endif
        );
    }
    if (!NT_SUCCESS(status)) {
        /* KMCL did not take it, so its routine will not run; the frame fails as if it had. */
        context->Awaited = 1;
        NetworkPacketDone(packet, status, NULL, 0);
    }
    return STATUS_SUCCESS;
}

/*
 * Sends what waits, until there is nothing left or the ring has too little room. One at a time, so that frames keep their order;
 * who comes while another one is at it has that one look again, or a frame that came in between would be forgotten.
 */
static VOID
NetworkFramesWait(WDFQUEUE Queue, WDFCONTEXT Context)
{
    PNETWORK_CLIENT client = (PNETWORK_CLIENT)Context;
    WDFREQUEST request;
    NTSTATUS status;
    BOOLEAN again;
    KIRQL irql;

    for (;;) {
        KeAcquireSpinLock(&client->Lock, &irql);
        if (!client->Ready || client->Stopped || client->FreeCookieCount == 0 || client->Sending) {
            client->Again = TRUE;
            KeReleaseSpinLock(&client->Lock, irql);
            return;
        }
        client->Sending = TRUE;
        client->Again = FALSE;
        KeReleaseSpinLock(&client->Lock, irql);

        status = WdfIoQueueRetrieveNextRequest(Queue, &request);
        again = NT_SUCCESS(status);
        if (again) {
            status = NetworkSendFrame(client, request);
            if (!NT_SUCCESS(status)) {
                WdfRequestComplete(request, status);
            }
        }

        KeAcquireSpinLock(&client->Lock, &irql);
        client->Sending = FALSE;
        again = again || client->Again;
        KeReleaseSpinLock(&client->Lock, irql);
        if (!again) {
            return;
        }
    }
}

/*
 * The host has the frame. The last packet wakes the queue whatever the ring looks like: there would be nobody else to do it.
 */
static VOID
NetworkPacketDone(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer, UINT32 BufferLength)
{
    PNETWORK_REQUEST context = (PNETWORK_REQUEST)VmbPacketGetPointer(Packet);
    PNETWORK_CLIENT client = (PNETWORK_CLIENT)VmbChannelGetPointer(VmbPacketGetChannel(Packet));
    NETWORK_ANSWER answer = {STATUS_UNSUCCESSFUL, 0};
    KIRQL irql;

    if (NT_SUCCESS(Status) && BufferLength >= sizeof(answer)) {
        RtlCopyMemory(&answer, Buffer, sizeof(answer));
        Status = answer.Status;
    }
    if (!NT_SUCCESS(Status)) {
        context->Status = Status;
        if (context->Message.ReplyBytes != 0) {
            context->Awaited = 1; /* no frame will come */
        }
    }

    KeAcquireSpinLock(&client->Lock, &irql);
    if (context->Message.Section != NETWORK_NO_SECTION) {
        client->FreeSections[client->FreeSectionCount++] = context->Message.Section;
    }
    client->BytesInRing -= context->RingBytes;
    client->PacketsInRing -= 1;
    if (client->PacketsInRing == 0 || NetworkFreePercent(client) > NETWORK_WAKE_PERCENT) {
        client->Stopped = FALSE;
    }
    KeReleaseSpinLock(&client->Lock, irql);

    VmbPacketFree(Packet);
    NetworkPartOver(client, context);
    NetworkFramesWait(client->Frames, client);
}

/* ---- Frames to the guest: IRQL <= DISPATCH_LEVEL ---- */

static VOID
NetworkProcessPacket(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet, PVOID Buffer, UINT32 BufferLength, UINT32 Flags)
{
    PNETWORK_CLIENT client = (PNETWORK_CLIENT)VmbChannelGetPointer(Channel);
    PNETWORK_FRAME_TO_GUEST frame = (PNETWORK_FRAME_TO_GUEST)Buffer;
    NETWORK_ANSWER answer = {STATUS_SUCCESS, 0};
    PNETWORK_REQUEST context = NULL;
    size_t length = 0;
    PVOID output;
    KIRQL irql;
    UINT32 i;

    UNREFERENCED_PARAMETER(Flags);

    if (BufferLength >= FIELD_OFFSET(NETWORK_FRAME_TO_GUEST, Ranges) && frame->Type == NetworkFrameToGuest &&
        frame->Cookie < NETWORK_MAXIMUM_REQUESTS) {
        KeAcquireSpinLock(&client->Lock, &irql);
        context = client->Requests[frame->Cookie];
        KeReleaseSpinLock(&client->Lock, irql);
    }
    if (context == NULL) {
        answer.Status = STATUS_INVALID_PARAMETER;
        VmbChannelPacketComplete(Packet, &answer, sizeof(answer));
        return;
    }

    /* The host is trusted with what it writes into the guest's memory, so with the ranges as well. */
    if (NT_SUCCESS(WdfRequestRetrieveOutputBuffer(context->Request, context->Message.ReplyBytes, &output, NULL))) {
        for (i = 0; i < frame->RangeCount; i++) {
            RtlCopyMemory((PUCHAR)output + length,
                          client->ReceiveBuffer + frame->Ranges[i].ByteOffset,
                          frame->Ranges[i].ByteCount);
            length += frame->Ranges[i].ByteCount;
        }
    }

    /* The receive completion: the host has its sections back. */
#ifndef BREAK_KEEP_SECTIONS
    VmbChannelPacketComplete(Packet, &answer, sizeof(answer));
#endif
    NetworkPartOver(client, context);
    NetworkFramesWait(client->Frames, client);
}
