#pragma once
/// The VMBus Kernel Mode Client Library (KMCL): how a driver speaks over a VMBus channel, at either end of it.
///
/// A server endpoint offers a channel, a client endpoint opens the offer; both send packets and complete those that
/// they receive. For every function Vmb... there is its type FN_VMB_... and the pointer to it PFN_VMB_....
/// Each comment names the page of the Windows driver documentation (DDI, vmbuskernelmodeclientlibapi.h) it rests on.
/// "IRQL" gives the levels of a call or of a callback; where the page gives none they follow from what the function
/// does: what may wait needs PASSIVE_LEVEL, what belongs to a packet may be called up to DISPATCH_LEVEL.
#include "wdm.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- Handles ---------------------------------------------------------------------------------------------------------

/// A channel, as one endpoint sees it: an incoming ring, an outgoing ring, and their signals.
DECLARE_HANDLE(VMBCHANNEL);
/// A packet object: the sender's side of a transaction.
DECLARE_HANDLE(VMBPACKET);
/// A completion context: the receiver's side of one delivered packet. Dead after VmbChannelPacketComplete.
DECLARE_HANDLE(VMBPACKETCOMPLETION);

// --- Flags -----------------------------------------------------------------------------------------------------------

// Sending a packet.
/// The transaction lasts until the opposite endpoint's completion packet arrives.
#define VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION 0x1
/// With VmbPacketSendWithExternalMdl: MdlLength holds even beyond the MDL's ByteCount, up to the end of its last page;
/// only the first MDL of a chain is used.
#define VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH 0x2
/// The inline buffer is pageable; it is copied before the level rises.
#define VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER 0x4
#define VMBUS_CHANNEL_FORMAT_FLAGS 0x7

// Creating and mapping a GPADL.
/// A hint that nobody will write to the buffer.
#define VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY 0x1
#define VMBUS_CHANNEL_GPADL_FLAGS 0x1

// VmbChannelInitSetFlags.
/// The channel works in pipe mode.
#define VMBUS_CHANNEL_INIT_FLAG_IS_PIPE 0x1
#define VMBUS_CHANNEL_INIT_FLAGS 0x1

// A server's offer.
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER 0x1
/// The guest publishes a device interface with the GUID of the channel's type.
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE 0x2
/// Offered in pipe mode: reads and writes of a file handle are packets.
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE 0x4
/// After a save and restore of the virtual machine the channel is offered anew.
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL 0x8
/// The channel provides sockets.
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER 0x10
#define VMBUS_SERVER_CHANNEL_INIT_FLAGS 0x1F
/// Most bytes of extra data in an offer.
#define VMBUS_SERVER_CHANNEL_INIT_MAXIMUM_OFFER_DATA 120

// What EvtVmbChannelProcessPacket is told.
/// The packet refers to external data; VmbChannelPacketGetExternalData gives it.
#define VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA 0x1
#define VMBUS_CHANNEL_PROCESS_PACKET_FLAGS 0x1

// VmbChannelPacketGetExternalData.
/// The receiver only reads the data.
#define VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY 0x1
#define VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS 0x1

// --- Callbacks: the channel changes its state ------------------------------------------------------------------------

/// The channel opens. GPADLs may be created from here on. A failure code rolls the channel back: no traffic.
/// First of a round: Opened, Started, incoming packets on, PostStarted; then Suspend, the drain, Closed.
/// IRQL: PASSIVE_LEVEL. Source: EVT_VMB_CHANNEL_OPENED.
typedef _Function_class_(EVT_VMB_CHANNEL_OPENED) NTSTATUS EVT_VMB_CHANNEL_OPENED(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_OPENED *PFN_VMB_CHANNEL_OPENED;

/// The channel has closed, after Suspend and the drain. Every GPADL is deleted before this returns. A server may be
/// opened again, a client needs another VmbChannelEnable.
/// IRQL: PASSIVE_LEVEL. Source: EVT_VMB_CHANNEL_CLOSED.
typedef _Function_class_(EVT_VMB_CHANNEL_CLOSED) VOID EVT_VMB_CHANNEL_CLOSED(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_CLOSED *PFN_VMB_CHANNEL_CLOSED;

/// The channel is paused or closing. No packet callback runs from here until the next Started. The driver stops
/// sending and completes, now or later, every packet it was given: KMCL waits for that. A server also retires its own
/// transactions, for the guest may never answer.
/// IRQL: PASSIVE_LEVEL. Source: EVT_VMB_CHANNEL_SUSPEND.
typedef _Function_class_(EVT_VMB_CHANNEL_SUSPEND) VOID EVT_VMB_CHANNEL_SUSPEND(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_SUSPEND *PFN_VMB_CHANNEL_SUSPEND;

/// The channel is configured and no packet has been delivered yet. Sending is allowed; waiting for an answer is not,
/// for incoming packets are still held back.
/// IRQL: PASSIVE_LEVEL. Source: EVT_VMB_CHANNEL_STARTED.
typedef _Function_class_(EVT_VMB_CHANNEL_STARTED) VOID EVT_VMB_CHANNEL_STARTED(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_STARTED *PFN_VMB_CHANNEL_STARTED;

/// Incoming packets have been switched on; packet callbacks may already run. The place to agree on a protocol version.
/// IRQL: PASSIVE_LEVEL. Source: EVT_VMB_CHANNEL_POST_STARTED.
typedef _Function_class_(EVT_VMB_CHANNEL_POST_STARTED) VOID EVT_VMB_CHANNEL_POST_STARTED(_In_ VMBCHANNEL Channel);
typedef EVT_VMB_CHANNEL_POST_STARTED *PFN_VMB_CHANNEL_POST_STARTED;

#define VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION 1

/// The five state callbacks; a null one means that the driver does not care.
/// Source: VMB_CHANNEL_STATE_CHANGE_CALLBACKS.
typedef struct _VMB_CHANNEL_STATE_CHANGE_CALLBACKS {
  ULONG Version;  ///< 1
  ULONG Size;     ///< of this structure, in bytes
  PFN_VMB_CHANNEL_OPENED EvtChannelOpened;
  PFN_VMB_CHANNEL_CLOSED EvtChannelClosed;
  PFN_VMB_CHANNEL_SUSPEND EvtChannelSuspend;
  PFN_VMB_CHANNEL_STARTED EvtChannelStarted;
  PFN_VMB_CHANNEL_POST_STARTED EvtChannelPostStarted;
} VMB_CHANNEL_STATE_CHANGE_CALLBACKS, *PVMB_CHANNEL_STATE_CHANGE_CALLBACKS;

/// Zeroes the structure and fills in Version and Size; call it before setting members. IRQL: any.
/// Source: VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT.
FORCEINLINE VOID VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(_Out_ PVMB_CHANNEL_STATE_CHANGE_CALLBACKS Callbacks) {
  RtlZeroMemory(Callbacks, sizeof(*Callbacks));
  Callbacks->Version = VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION;
  Callbacks->Size = (ULONG)sizeof(*Callbacks);
}

// --- Callbacks: packets ----------------------------------------------------------------------------------------------

/// A packet has arrived. Buffer is the sender's inline data, without headers, and lives until the packet is completed;
/// Flags is 0 or VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA. Each invocation is answered, here or later, by
/// exactly one VmbChannelPacketComplete, unless the packet was deferred or failed, or its external data is pending.
/// IRQL: at or below DISPATCH_LEVEL; PASSIVE_LEVEL where the channel requires it or the packet was deferred.
/// Source: EVT_VMB_CHANNEL_PROCESS_PACKET.
typedef _Function_class_(EVT_VMB_CHANNEL_PROCESS_PACKET) VOID
    EVT_VMB_CHANNEL_PROCESS_PACKET(_In_ VMBCHANNEL Channel, _In_ VMBPACKETCOMPLETION Packet,
                                   _In_reads_bytes_(BufferLength) PVOID Buffer, _In_ UINT32 BufferLength,
                                   _In_ UINT32 Flags);
typedef EVT_VMB_CHANNEL_PROCESS_PACKET *PFN_VMB_CHANNEL_PROCESS_PACKET;

/// A batch of packets has been delivered and delivery is about to pause, for example on an empty ring.
/// PacketsProcessed is the size of the batch.
/// IRQL: as EvtVmbChannelProcessPacket. Source: EVT_VMB_CHANNEL_PROCESSING_COMPLETE.
typedef _Function_class_(EVT_VMB_CHANNEL_PROCESSING_COMPLETE) VOID
    EVT_VMB_CHANNEL_PROCESSING_COMPLETE(_In_ VMBCHANNEL Channel, _In_ UINT32 PacketsProcessed);
typedef EVT_VMB_CHANNEL_PROCESSING_COMPLETE *PFN_VMB_CHANNEL_PROCESSING_COMPLETE;

/// The packet's transaction is over: answered, with the answer in Buffer for the time of this call, or, when it was
/// sent without WAIT_FOR_COMPLETION, written into the ring. The packet may then be freed or sent again, also from here.
/// IRQL: at or below DISPATCH_LEVEL. Source: EVT_VMB_PACKET_COMPLETION_ROUTINE.
typedef _Function_class_(EVT_VMB_PACKET_COMPLETION_ROUTINE) VOID
    EVT_VMB_PACKET_COMPLETION_ROUTINE(_In_ VMBPACKET Packet, _In_ NTSTATUS Status,
                                      _In_reads_bytes_opt_(BufferLength) PVOID Buffer, _In_ UINT32 BufferLength);
typedef EVT_VMB_PACKET_COMPLETION_ROUTINE *PFN_VMB_PACKET_COMPLETION_ROUTINE;

// --- Callbacks: saving, restoring, plug and play ---------------------------------------------------------------------

/// Saves the driver's own state of one packet in use. Called with SaveBufSize 0 first: success says that there is
/// nothing to save, failure sets *BytesNeeded and brings a second call with that much room.
/// IRQL: PASSIVE_LEVEL. Source: EVT_VMB_CHANNEL_SAVE_PACKET.
typedef _Function_class_(EVT_VMB_CHANNEL_SAVE_PACKET) NTSTATUS
    EVT_VMB_CHANNEL_SAVE_PACKET(_In_ VMBCHANNEL Channel, _In_ VMBPACKET Packet,
                                _Out_writes_bytes_to_(SaveBufSize, *BytesNeeded) PVOID SaveBuf,
                                _In_ UINT32 SaveBufSize, _Out_ PUINT32 BytesNeeded);
typedef EVT_VMB_CHANNEL_SAVE_PACKET *PFN_VMB_CHANNEL_SAVE_PACKET;

/// Brings one saved packet back: LibBuf is KMCL's part, SaveBuf the driver's.
/// IRQL: PASSIVE_LEVEL. Source: EVT_VMB_CHANNEL_RESTORE_PACKET.
typedef _Function_class_(EVT_VMB_CHANNEL_RESTORE_PACKET) NTSTATUS
    EVT_VMB_CHANNEL_RESTORE_PACKET(_In_ VMBCHANNEL Channel, _In_reads_bytes_(LibBufSize) PVOID LibBuf,
                                   _In_ UINT32 LibBufSize, _In_reads_bytes_(SaveBufSize) PVOID SaveBuf,
                                   _In_ UINT32 SaveBufSize);
typedef EVT_VMB_CHANNEL_RESTORE_PACKET *PFN_VMB_CHANNEL_RESTORE_PACKET;

/// The client's device was found, but connecting to it failed.
/// IRQL: PASSIVE_LEVEL. Source: EVT_VMB_CHANNEL_PNP_FAILURE.
typedef _Function_class_(EVT_VMB_CHANNEL_PNP_FAILURE) VOID
    EVT_VMB_CHANNEL_PNP_FAILURE(_In_ VMBCHANNEL Channel, _In_ NTSTATUS FailureStatus);
typedef EVT_VMB_CHANNEL_PNP_FAILURE *PFN_VMB_CHANNEL_PNP_FAILURE;

// --- The channel -----------------------------------------------------------------------------------------------------

/// Makes a disabled channel with default parameters; IsServer TRUE makes the endpoint that offers. It is released with
/// VmbChannelCleanup. IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_ALLOCATE.
typedef _IRQL_requires_(PASSIVE_LEVEL) NTSTATUS
    FN_VMB_CHANNEL_ALLOCATE(_In_ PDEVICE_OBJECT ParentDeviceObject, _In_ BOOLEAN IsServer, _Out_ VMBCHANNEL *Channel);
typedef FN_VMB_CHANNEL_ALLOCATE *PFN_VMB_CHANNEL_ALLOCATE;
FN_VMB_CHANNEL_ALLOCATE VmbChannelAllocate;

/// Disposes of a disabled channel; the handle is dead afterwards. IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_CLEANUP.
typedef VOID FN_VMB_CHANNEL_CLEANUP(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_CLEANUP *PFN_VMB_CHANNEL_CLEANUP;
FN_VMB_CHANNEL_CLEANUP VmbChannelCleanup;

/// Offers the channel (server) or takes up its offer now or when it comes (client). Only on a disabled channel. Does
/// not wait for the other side: EvtChannelOpened tells. A client is active from here on, a server needs
/// VmbChannelStart.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_ENABLE.
typedef _Must_inspect_result_ NTSTATUS FN_VMB_CHANNEL_ENABLE(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_ENABLE *PFN_VMB_CHANNEL_ENABLE;
FN_VMB_CHANNEL_ENABLE VmbChannelEnable;

/// Revokes the offer (server) or closes (client); returns when the channel is suspended, drained and closed. Not from a
/// callback of the channel. IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_DISABLE.
typedef VOID FN_VMB_CHANNEL_DISABLE(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_DISABLE *PFN_VMB_CHANNEL_DISABLE;
FN_VMB_CHANNEL_DISABLE VmbChannelDisable;

/// Ends the pause; on an open channel Started and PostStarted follow. Between Enable and Disable, not in a state
/// callback. IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_START.
typedef VOID FN_VMB_CHANNEL_START(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_START *PFN_VMB_CHANNEL_START;
FN_VMB_CHANNEL_START VmbChannelStart;

/// Begins a pause; on an active channel returns when Suspend was called and every delivered packet is completed. On a
/// disabled channel it says that the channel shall come up paused. Not in a callback of the channel.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_PAUSE.
typedef VOID FN_VMB_CHANNEL_PAUSE(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_PAUSE *PFN_VMB_CHANNEL_PAUSE;
FN_VMB_CHANNEL_PAUSE VmbChannelPause;

// --- The channel's parameters: between Allocate and Enable, else STATUS_INVALID_PARAMETER_1 --------------------------

/// The most bytes of inline data in a packet that is sent; 0 gives STATUS_INVALID_PARAMETER_2.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE.
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE(_In_ VMBCHANNEL Channel, _In_ UINT32 PacketSize);
typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE *PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE;
FN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE VmbChannelInitSetMaximumPacketSize;

/// The most bytes of external data per packet, and the most MDLs in a chain; 0 gives STATUS_INVALID_PARAMETER_2 or _3.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA.
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA(_In_ VMBCHANNEL Channel, _In_ UINT32 DataSize,
                                                               _In_ UINT32 ChainLength);
typedef FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA *PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA;
FN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA VmbChannelInitSetMaximumExternalData;

/// Bytes of the driver's own that KMCL keeps with every incoming packet.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE.
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE(_In_ VMBCHANNEL Channel, _In_ UINT32 ContextSize);
typedef FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE *PFN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE;
FN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE VmbChannelInitSetClientContextSize;

/// What to call for every packet, and, if not null, at the end of every batch.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS.
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS(
    _In_ VMBCHANNEL Channel, _In_ PFN_VMB_CHANNEL_PROCESS_PACKET ProcessPacketCallback,
    _In_opt_ PFN_VMB_CHANNEL_PROCESSING_COMPLETE ProcessingCompleteCallback);
typedef FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS *PFN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS;
FN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS VmbChannelInitSetProcessPacketCallbacks;

/// A wrong Version or Size gives STATUS_INVALID_PARAMETER_2.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS.
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS(
    _In_ VMBCHANNEL Channel, _In_ PVMB_CHANNEL_STATE_CHANGE_CALLBACKS StateChangeCallbacks);
typedef FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS *PFN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS;
FN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS VmbChannelInitSetStateChangeCallbacks;

/// A short name for people. IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME.
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME(_In_ VMBCHANNEL Channel, _In_ PCUNICODE_STRING Name);
typedef FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME *PFN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME;
FN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME VmbChannelInitSetFriendlyName;

/// VMBUS_CHANNEL_INIT_FLAG_...; an unknown bit gives STATUS_INVALID_PARAMETER_2.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_INIT_SET_FLAGS.
typedef NTSTATUS FN_VMB_CHANNEL_INIT_SET_FLAGS(_In_ VMBCHANNEL Channel, _In_ UINT32 Flags);
typedef FN_VMB_CHANNEL_INIT_SET_FLAGS *PFN_VMB_CHANNEL_INIT_SET_FLAGS;
FN_VMB_CHANNEL_INIT_SET_FLAGS VmbChannelInitSetFlags;

/// Client only: the guest gives the memory of both rings. Pages of 4 KiB.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT.
typedef NTSTATUS FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT(_In_ VMBCHANNEL Channel,
                                                                       _In_ UINT32 IncomingPageCount,
                                                                       _In_ UINT32 OutgoingPageCount);
typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT *PFN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT;
FN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT VmbClientChannelInitSetRingBufferPageCount;

/// Server only: the GUIDs of the offer. One type with several instances is several devices of a kind.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID.
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID(_In_ VMBCHANNEL Channel, _In_ GUID InterfaceType,
                                                                    _In_ GUID InterfaceInstance);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID *PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID;
FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID VmbServerChannelInitSetTargetInterfaceId;

// --- The channel's run-time settings ---------------------------------------------------------------------------------

/// TRUE: packet callbacks run at PASSIVE_LEVEL only. FALSE: at DISPATCH_LEVEL or below, as KMCL likes.
/// IRQL: at or below DISPATCH_LEVEL. Source: FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE.
typedef VOID FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE(_In_ VMBCHANNEL Channel, _In_ BOOLEAN RequirePassive);
typedef FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE *PFN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE;
FN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE VmbChannelSetIncomingProcessingAtPassive;

/// The most packets that are delivered and not yet completed; greater than 0. At the quota delivery stops, and only a
/// completion restarts it: raising the quota alone does not.
/// IRQL: at or below DISPATCH_LEVEL. Source: FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA.
typedef VOID FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA(_In_ VMBCHANNEL Channel, _In_ UINT32 Quota);
typedef FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA *PFN_VMB_CHANNEL_SET_TRANSACTION_QUOTA;
FN_VMB_CHANNEL_SET_TRANSACTION_QUOTA VmbChannelSetTransactionQuota;

/// Keeps one pointer of the driver's with the channel. IRQL: any. Source: FN_VMB_CHANNEL_SET_POINTER.
typedef VOID FASTCALL FN_VMB_CHANNEL_SET_POINTER(_In_ VMBCHANNEL Channel, _In_opt_ PVOID Pointer);
typedef FN_VMB_CHANNEL_SET_POINTER *PFN_VMB_CHANNEL_SET_POINTER;
FN_VMB_CHANNEL_SET_POINTER VmbChannelSetPointer;

/// The pointer that VmbChannelSetPointer kept. IRQL: any. Source: FN_VMB_CHANNEL_GET_POINTER.
typedef PVOID FASTCALL FN_VMB_CHANNEL_GET_POINTER(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_GET_POINTER *PFN_VMB_CHANNEL_GET_POINTER;
FN_VMB_CHANNEL_GET_POINTER VmbChannelGetPointer;

/// Bytes that VmbPacketInitialize needs, once the maximum sizes are set.
/// IRQL: any. Source: FN_VMB_CHANNEL_SIZEOF_PACKET.
typedef UINT32 FN_VMB_CHANNEL_SIZEOF_PACKET(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SIZEOF_PACKET *PFN_VMB_CHANNEL_SIZEOF_PACKET;
FN_VMB_CHANNEL_SIZEOF_PACKET VmbChannelSizeofPacket;

// --- Packets that arrived --------------------------------------------------------------------------------------------

/// Ends a packet, from its callback or any time later: drops its mappings and buffers and, if the sender waits for it,
/// sends BufSize bytes as the answer. IRQL: at or below DISPATCH_LEVEL. Source: FN_VMB_CHANNEL_PACKET_COMPLETE.
typedef VOID FN_VMB_CHANNEL_PACKET_COMPLETE(_In_ VMBPACKETCOMPLETION PacketCompletionContext,
                                            _In_reads_bytes_opt_(BufSize) PVOID PacketCompletionBuffer,
                                            _In_ UINT32 BufSize);
typedef FN_VMB_CHANNEL_PACKET_COMPLETE *PFN_VMB_CHANNEL_PACKET_COMPLETE;
FN_VMB_CHANNEL_PACKET_COMPLETE VmbChannelPacketComplete;

/// The MDL chain of the packet's external data: locked already, not mapped; it dies with the packet and is not the
/// driver's to free. Flags is 0 or VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY. Only inside the packet callback.
/// STATUS_PENDING, which NT_SUCCESS accepts, gives no MDL: return from the callback, it is invoked again when ready.
/// IRQL: at or below DISPATCH_LEVEL. Source: FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA.
typedef _Success_(return == STATUS_SUCCESS) NTSTATUS
    FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA(_In_ VMBPACKETCOMPLETION PacketCompletionContext, _In_ UINT32 Flags,
                                            _Outptr_ PMDL *Mdl);
typedef FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA *PFN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA;
FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA VmbChannelPacketGetExternalData;

/// Gives the packet back: its callback is invoked for it again, at PASSIVE_LEVEL. Only inside the packet callback.
/// IRQL: at or below DISPATCH_LEVEL. Source: FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE.
typedef VOID FASTCALL FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE(_In_ VMBPACKETCOMPLETION PacketCompletionContext);
typedef FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE *PFN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE;
FN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE VmbChannelPacketDeferToPassive;

/// Fails a packet that is beyond repair and stops the incoming queue. Only inside the packet callback.
/// IRQL: at or below DISPATCH_LEVEL. Source: FN_VMB_CHANNEL_PACKET_FAIL.
typedef VOID FASTCALL FN_VMB_CHANNEL_PACKET_FAIL(_In_ VMBPACKETCOMPLETION PacketCompletionContext);
typedef FN_VMB_CHANNEL_PACKET_FAIL *PFN_VMB_CHANNEL_PACKET_FAIL;
FN_VMB_CHANNEL_PACKET_FAIL VmbChannelPacketFail;

// --- Packet objects --------------------------------------------------------------------------------------------------

/// A packet object with all that a transaction needs, or NULL. Unless it is given a completion routine it frees itself
/// when its transaction is over. IRQL: at or below DISPATCH_LEVEL. Source: FN_VMB_PACKET_ALLOCATE.
typedef VMBPACKET FN_VMB_PACKET_ALLOCATE(_In_ VMBCHANNEL Channel);
typedef FN_VMB_PACKET_ALLOCATE *PFN_VMB_PACKET_ALLOCATE;
FN_VMB_PACKET_ALLOCATE VmbPacketAllocate;

/// Makes a packet object in the driver's own memory of at least VmbChannelSizeofPacket bytes; too few give
/// STATUS_INVALID_PARAMETER_3. It needs a completion routine before it is sent, and is never given to VmbPacketFree.
/// IRQL: at or below DISPATCH_LEVEL. Source: FN_VMB_PACKET_INITIALIZE.
typedef NTSTATUS FN_VMB_PACKET_INITIALIZE(_In_ VMBCHANNEL Channel, _Out_writes_bytes_(ByteCount) VMBPACKET VmbPacket,
                                          _In_ UINT32 ByteCount);
typedef FN_VMB_PACKET_INITIALIZE *PFN_VMB_PACKET_INITIALIZE;
FN_VMB_PACKET_INITIALIZE VmbPacketInitialize;

/// Returns a packet from VmbPacketAllocate that was never sent or that has a completion routine of the driver's.
/// IRQL: at or below DISPATCH_LEVEL. Source: FN_VMB_PACKET_FREE.
typedef VOID FN_VMB_PACKET_FREE(_In_ VMBPACKET PacketObject);
typedef FN_VMB_PACKET_FREE *PFN_VMB_PACKET_FREE;
FN_VMB_PACKET_FREE VmbPacketFree;

/// Replaces the default, which frees the packet. IRQL: at or below DISPATCH_LEVEL.
/// Source: FN_VMB_PACKET_SET_COMPLETION_ROUTINE.
typedef VOID FN_VMB_PACKET_SET_COMPLETION_ROUTINE(_In_ VMBPACKET PacketObject,
                                                  _In_ PFN_VMB_PACKET_COMPLETION_ROUTINE CompletionRoutine);
typedef FN_VMB_PACKET_SET_COMPLETION_ROUTINE *PFN_VMB_PACKET_SET_COMPLETION_ROUTINE;
FN_VMB_PACKET_SET_COMPLETION_ROUTINE VmbPacketSetCompletionRoutine;

/// Keeps one pointer of the driver's with the packet. IRQL: any. Source: FN_VMB_PACKET_SET_POINTER.
typedef VOID FASTCALL FN_VMB_PACKET_SET_POINTER(_In_ VMBPACKET PacketObject, _In_opt_ PVOID Pointer);
typedef FN_VMB_PACKET_SET_POINTER *PFN_VMB_PACKET_SET_POINTER;
FN_VMB_PACKET_SET_POINTER VmbPacketSetPointer;

/// The pointer that VmbPacketSetPointer kept. IRQL: any. Source: FN_VMB_PACKET_GET_POINTER.
typedef PVOID FASTCALL FN_VMB_PACKET_GET_POINTER(_In_ VMBPACKET PacketObject);
typedef FN_VMB_PACKET_GET_POINTER *PFN_VMB_PACKET_GET_POINTER;
FN_VMB_PACKET_GET_POINTER VmbPacketGetPointer;

/// The channel of a packet, for a completion routine, which is not told. IRQL: any. Source: FN_VMB_PACKET_GET_CHANNEL.
typedef VMBCHANNEL FASTCALL FN_VMB_PACKET_GET_CHANNEL(_In_ VMBPACKET PacketObject);
typedef FN_VMB_PACKET_GET_CHANNEL *PFN_VMB_PACKET_GET_CHANNEL;
FN_VMB_PACKET_GET_CHANNEL VmbPacketGetChannel;

// --- Sending ---------------------------------------------------------------------------------------------------------
// A send never fails for lack of memory. When the ring is full or the channel not open, the packet waits in a queue.
// From the call until its completion routine runs the packet object is KMCL's. Flags are VMBUS_CHANNEL_FORMAT_FLAG_....
// External data goes from guest to host only.
// IRQL: at or below DISPATCH_LEVEL; with VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER at or below APC_LEVEL.

/// Sends Buffer and, if there is one, a description of the memory in ExternalDataMdl. Source: FN_VMB_PACKET_SEND.
typedef NTSTATUS FN_VMB_PACKET_SEND(_In_ __drv_aliasesMem VMBPACKET PacketObject,
                                    _In_reads_bytes_(BufferLength) PVOID Buffer, _In_ UINT32 BufferLength,
                                    _In_opt_ PMDL ExternalDataMdl, _In_ UINT32 Flags);
typedef FN_VMB_PACKET_SEND *PFN_VMB_PACKET_SEND;
FN_VMB_PACKET_SEND VmbPacketSend;

/// Sends Buffer and a description of MdlLength bytes (0: all) from MdlOffset of the chain. WAIT_FOR_COMPLETION must be
/// set. Source: FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL.
typedef NTSTATUS FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL(_In_ __drv_aliasesMem VMBPACKET PacketObject,
                                                      _In_reads_bytes_(BufferLength) PVOID Buffer,
                                                      _In_ UINT32 BufferLength, _In_ PMDL ExternalDataMdl,
                                                      _In_ UINT32 MdlOffset, _In_ UINT32 MdlLength, _In_ UINT32 Flags);
typedef FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL *PFN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL;
FN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL VmbPacketSendWithExternalMdl;

/// Sends Buffer and a description of PfnLength whole pages. WAIT_FOR_COMPLETION must be set.
/// Source: FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS.
typedef NTSTATUS FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS(_In_ __drv_aliasesMem VMBPACKET PacketObject,
                                                       _In_reads_bytes_(BufferLength) PVOID Buffer,
                                                       _In_ UINT32 BufferLength,
                                                       _In_reads_(PfnLength) PPFN_NUMBER ExternalDataPfns,
                                                       _In_ UINT32 PfnLength, _In_ UINT32 Flags);
typedef FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS *PFN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS;
FN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS VmbPacketSendWithExternalPfns;

#ifdef __cplusplus
}  // extern "C"
#endif
