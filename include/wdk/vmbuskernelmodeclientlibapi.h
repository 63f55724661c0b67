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

/// Client only: finds the device through plug and play, now or when it is offered. A null InterfaceInstance takes any
/// instance of the type. The callback tells when the device was found and connecting to it failed; the channel is then
/// enabled and not open, until VmbChannelDisable.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP.
typedef NTSTATUS FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP(
    _In_ VMBCHANNEL Channel, _In_ LPCGUID InterfaceType, _In_opt_ LPCGUID InterfaceInstance,
    _In_opt_ PFN_VMB_CHANNEL_PNP_FAILURE PnpFailureCallback);
typedef FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP *PFN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP;
FN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP VmbClientChannelInitSetTargetPnp;

/// Server only: the GUIDs of the offer. One type with several instances is several devices of a kind.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID.
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID(_In_ VMBCHANNEL Channel, _In_ GUID InterfaceType,
                                                                    _In_ GUID InterfaceInstance);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID *PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID;
FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID VmbServerChannelInitSetTargetInterfaceId;

/// Server only: VMBUS_SERVER_CHANNEL_INIT_FLAG_... of the offer; an unknown bit gives STATUS_INVALID_PARAMETER_2.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS.
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS(_In_ VMBCHANNEL Channel, _In_ UINT32 Flags);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS *PFN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS;
FN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS VmbServerChannelInitSetFlags;

/// Server only: MMIO space of the guest that the device needs, and what it can use besides, in MiB. Both 0 give
/// STATUS_INVALID_PARAMETER. IRQL: PASSIVE_LEVEL. Source: FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES.
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES(_In_ VMBCHANNEL Channel, _In_ UINT16 MmioMegabytes,
                                                               _In_ UINT16 MmioMegabytesOptional);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES *PFN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES;
FN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES VmbServerChannelInitSetMmioMegabytes;

/// Server only: the offer is shown to clients of this virtual trust level only; one that does not exist gives
/// STATUS_INVALID_PARAMETER_2. IRQL: PASSIVE_LEVEL. Source: FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL.
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL(_In_ VMBCHANNEL Channel, _In_ UINT8 TargetVtl);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL *PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL;
FN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL VmbServerChannelInitSetTargetVtl;

/// Server only: what to call for every packet in use when the channel is saved, and for every one that is brought back.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS.
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS(
    _In_ VMBCHANNEL Channel, _In_ PFN_VMB_CHANNEL_SAVE_PACKET SavePacketCallback,
    _In_ PFN_VMB_CHANNEL_RESTORE_PACKET RestorePacketCallback);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS
    *PFN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS;
FN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS VmbServerChannelInitSetSaveRestorePacketCallbacks;

/// Server only: the guest that the channel is offered to, by the kernel handle of its VMBus.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE.
typedef NTSTATUS FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE(_In_ VMBCHANNEL Channel, _In_ HANDLE VmbusHandle);
typedef FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE *PFN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE;
FN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE VmbServerChannelInitSetVmbusHandle;

/// A kernel handle of the VMBus that the user-mode handle names; the caller closes it. In the context of the process
/// that opened the user-mode handle.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE.
typedef NTSTATUS FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE(_In_ HANDLE VmbusHandle, _Out_ PHANDLE KernelHandle);
typedef FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE *PFN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE;
FN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE VmbConvertVmbusHandleToKernelHandle;

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

/// Guest only, from EvtChannelOpened to EvtChannelClosed, both included: how long the host's interrupt may be delayed, in
/// units of 100 ns, so that several packets share one. *OriginalLatency receives the value before.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY.
typedef _Must_inspect_result_ NTSTATUS FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY(_In_ VMBCHANNEL Channel,
                                                                            _In_ UINT16 Latency,
                                                                            _Out_ PUINT16 OriginalLatency);
typedef FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY *PFN_VMB_CHANNEL_SET_INTERRUPT_LATENCY;
FN_VMB_CHANNEL_SET_INTERRUPT_LATENCY VmbChannelSetInterruptLatency;

/// Keeps one pointer of the driver's with the channel. IRQL: any. Source: FN_VMB_CHANNEL_SET_POINTER.
typedef VOID FASTCALL FN_VMB_CHANNEL_SET_POINTER(_In_ VMBCHANNEL Channel, _In_opt_ PVOID Pointer);
typedef FN_VMB_CHANNEL_SET_POINTER *PFN_VMB_CHANNEL_SET_POINTER;
FN_VMB_CHANNEL_SET_POINTER VmbChannelSetPointer;

/// The pointer that VmbChannelSetPointer kept. IRQL: any. Source: FN_VMB_CHANNEL_GET_POINTER.
typedef PVOID FASTCALL FN_VMB_CHANNEL_GET_POINTER(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_GET_POINTER *PFN_VMB_CHANNEL_GET_POINTER;
FN_VMB_CHANNEL_GET_POINTER VmbChannelGetPointer;

/// The instance GUID of the channel. IRQL: any. Source: FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE.
typedef VOID FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE(_In_ VMBCHANNEL Channel, _Out_ LPGUID InterfaceInstance);
typedef FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE *PFN_VMB_CHANNEL_GET_INTERFACE_INSTANCE;
FN_VMB_CHANNEL_GET_INTERFACE_INSTANCE VmbChannelGetInterfaceInstance;

/// The MMIO space that VmbServerChannelInitSetMmioMegabytes reserved, in bytes; after EvtChannelOpened.
/// IRQL: PASSIVE_LEVEL. Source: FN_VMB_CHANNEL_GET_MMIO_SPACE.
typedef VOID FN_VMB_CHANNEL_GET_MMIO_SPACE(_In_ VMBCHANNEL Channel, _Out_ UINT64 *MmioAddress, _Out_ UINT64 *MmioSize);
typedef FN_VMB_CHANNEL_GET_MMIO_SPACE *PFN_VMB_CHANNEL_GET_MMIO_SPACE;
FN_VMB_CHANNEL_GET_MMIO_SPACE VmbChannelGetMmioSpace;

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

/// Server only: gives a packet from VmbPacketAllocate the state of a saved one; called in EvtVmbChannelRestorePacket with
/// its LibBuf and LibBufSize. IRQL: PASSIVE_LEVEL. Source: FN_VMB_PACKET_RESTORE.
typedef NTSTATUS FN_VMB_PACKET_RESTORE(_In_ VMBPACKET PacketObject, _In_reads_bytes_(BufferSize) PVOID Buffer,
                                       _In_ ULONG BufferSize);
typedef FN_VMB_PACKET_RESTORE *PFN_VMB_PACKET_RESTORE;
FN_VMB_PACKET_RESTORE VmbPacketRestore;

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

/// Sends without a packet object of the driver's and waits: for the answer with WAIT_FOR_COMPLETION, else until the
/// packet is in the ring. The answer goes to CompletionBuffer; *CompletionBufferSize is its size in bytes, a multiple of
/// 8, and receives the bytes written. Timeout as for KeWaitForSingleObject; 0 does not wait for room. The host may only
/// ask with a Timeout of 0 and without WAIT_FOR_COMPLETION. Not in EvtChannelStarted, where no answer can come.
/// STATUS_BUFFER_OVERFLOW: no room, and Timeout is 0. STATUS_CANCELLED: the time ran out. STATUS_DEVICE_REMOVED: the
/// channel shuts down. STATUS_BUFFER_TOO_SMALL: the answer is larger, and *CompletionBufferSize says by how much.
/// IRQL: PASSIVE_LEVEL where it may wait, else at or below DISPATCH_LEVEL.
/// Source: FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST; that the answer may be too small is a choice of the simulator's.
typedef NTSTATUS FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST(
    _In_ VMBCHANNEL Channel, _In_reads_bytes_(BufferSize) PVOID Buffer, _In_ UINT32 BufferSize,
    _In_opt_ PMDL ExternalDataMdl, _In_ UINT32 Flags,
    _Out_writes_bytes_to_opt_(*CompletionBufferSize, *CompletionBufferSize) PVOID CompletionBuffer,
    _Inout_opt_ PUINT32 CompletionBufferSize, _In_opt_ PLARGE_INTEGER Timeout);
typedef FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST *PFN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST;
FN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST VmbChannelSendSynchronousRequest;

// --- Shared memory ---------------------------------------------------------------------------------------------------
// The guest describes its memory to the host; a handle names the description. How the handle reaches the host's driver
// is up to the two drivers. Flags is 0 or VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY. IRQL: PASSIVE_LEVEL.

/// Client only, from EvtChannelOpened on: shares DataLengthWithinMdl bytes (0: to the end) from StartOffsetWithinMdl of
/// the chain. On return the host has confirmed it. Source: FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL.
typedef NTSTATUS FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL(_In_ VMBCHANNEL Channel, _In_ UINT32 Flags, _In_ PMDL Mdl,
                                                      _In_ UINT32 StartOffsetWithinMdl, _In_ UINT32 DataLengthWithinMdl,
                                                      _Out_ PUINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL *PFN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL;
FN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL VmbChannelCreateGpadlFromMdl;

/// The same for a buffer by its address; it stays locked as long as the GPADL lives.
/// Source: FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER.
typedef NTSTATUS FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER(_In_ VMBCHANNEL Channel, _In_ UINT32 Flags,
                                                         _In_reads_bytes_(ByteCount) PVOID Buffer,
                                                         _In_ UINT32 ByteCount, _Out_ PUINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER *PFN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER;
FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER VmbChannelCreateGpadlFromBuffer;

/// Takes the memory back, in EvtChannelClosed at the latest; waits while the host has it mapped.
/// Source: FN_VMB_CHANNEL_DELETE_GPADL.
typedef VOID FN_VMB_CHANNEL_DELETE_GPADL(_In_ VMBCHANNEL Channel, _In_ UINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_DELETE_GPADL *PFN_VMB_CHANNEL_DELETE_GPADL;
FN_VMB_CHANNEL_DELETE_GPADL VmbChannelDeleteGpadl;

/// Server only: the guest's memory as descriptor lists, locked and not mapped to an address. One mapping at a time.
/// Without READ_ONLY it fails for a GPADL that was made read-only. Source: FN_VMB_CHANNEL_MAP_GPADL.
typedef NTSTATUS FN_VMB_CHANNEL_MAP_GPADL(_In_ VMBCHANNEL Channel, _In_ UINT32 Flags, _In_ UINT32 GpadlHandle,
                                          _Outptr_ PMDL *Mdl);
typedef FN_VMB_CHANNEL_MAP_GPADL *PFN_VMB_CHANNEL_MAP_GPADL;
FN_VMB_CHANNEL_MAP_GPADL VmbChannelMapGpadl;

/// Server only: ends the mapping; its descriptor lists are dead afterwards. Source: FN_VMB_CHANNEL_UNMAP_GPADL.
typedef VOID FN_VMB_CHANNEL_UNMAP_GPADL(_In_ VMBCHANNEL Channel, _In_ UINT32 GpadlHandle);
typedef FN_VMB_CHANNEL_UNMAP_GPADL *PFN_VMB_CHANNEL_UNMAP_GPADL;
FN_VMB_CHANNEL_UNMAP_GPADL VmbChannelUnmapGpadl;

// --- Saving and restoring a server's channel -------------------------------------------------------------------------
// Begin, Continue until it answers STATUS_SUCCESS, End. IRQL: PASSIVE_LEVEL.

/// Server only. Source: FN_VMB_CHANNEL_SAVE_BEGIN.
typedef _Must_inspect_result_ NTSTATUS FN_VMB_CHANNEL_SAVE_BEGIN(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SAVE_BEGIN *PFN_VMB_CHANNEL_SAVE_BEGIN;
FN_VMB_CHANNEL_SAVE_BEGIN VmbChannelSaveBegin;

/// Server only: writes as many whole chunks as fit. STATUS_SUCCESS: all is saved. STATUS_BUFFER_OVERFLOW: there is more.
/// STATUS_BUFFER_TOO_SMALL: not one fitted. *BytesRequired is what the next call needs to get anywhere.
/// Source: FN_VMB_CHANNEL_SAVE_CONTINUE.
typedef _Must_inspect_result_ NTSTATUS FN_VMB_CHANNEL_SAVE_CONTINUE(
    _In_ VMBCHANNEL Channel, _Out_writes_bytes_to_(SaveBufferSize, *BytesFilled) PVOID SaveBuffer,
    _In_ ULONG SaveBufferSize, _Out_ PULONG BytesFilled, _Out_ PULONG BytesRequired);
typedef FN_VMB_CHANNEL_SAVE_CONTINUE *PFN_VMB_CHANNEL_SAVE_CONTINUE;
FN_VMB_CHANNEL_SAVE_CONTINUE VmbChannelSaveContinue;

/// Server only. Source: FN_VMB_CHANNEL_SAVE_END.
typedef VOID FN_VMB_CHANNEL_SAVE_END(_In_ VMBCHANNEL Channel);
typedef FN_VMB_CHANNEL_SAVE_END *PFN_VMB_CHANNEL_SAVE_END;
FN_VMB_CHANNEL_SAVE_END VmbChannelSaveEnd;

/// Server only: brings back whole chunks. STATUS_SUCCESS: all of them. STATUS_MORE_PROCESSING_REQUIRED, which NT_SUCCESS
/// refuses: these, and more were saved. Source: FN_VMB_CHANNEL_RESTORE_FROM_BUFFER.
typedef _Must_inspect_result_ NTSTATUS FN_VMB_CHANNEL_RESTORE_FROM_BUFFER(_In_ VMBCHANNEL Channel,
                                                                          _In_reads_bytes_(BufferSize) PVOID Buffer,
                                                                          _In_ ULONG BufferSize);
typedef FN_VMB_CHANNEL_RESTORE_FROM_BUFFER *PFN_VMB_CHANNEL_RESTORE_FROM_BUFFER;
FN_VMB_CHANNEL_RESTORE_FROM_BUFFER VmbChannelRestoreFromBuffer;

// --- Tables of the functions -----------------------------------------------------------------------------------------
// A driver may call through a table that WdfFdoQueryForInterface or WdfIoTargetQueryForInterface fills; the functions are
// the same. The members of INTERFACE are members of the table. Sources: KMCL_CLIENT_INTERFACE_V1,
// KMCL_SERVER_ONLY_METHODS, KMCL_SERVER_INTERFACE_V1. The values of the GUIDs and of the versions are not public: these
// are the simulator's own, so use them by name.

// {6f2b8d5a-31c7-4e0b-9a64-5c1e7d20f3b1}
DEFINE_GUID(KMCL_CLIENT_INTERFACE_TYPE, 0x6f2b8d5a, 0x31c7, 0x4e0b, 0x9a, 0x64, 0x5c, 0x1e, 0x7d, 0x20, 0xf3, 0xb1);
// {6f2b8d5a-31c7-4e0b-9a64-5c1e7d20f3b2}
DEFINE_GUID(KMCL_SERVER_INTERFACE_TYPE, 0x6f2b8d5a, 0x31c7, 0x4e0b, 0x9a, 0x64, 0x5c, 0x1e, 0x7d, 0x20, 0xf3, 0xb2);

#define KMCL_CLIENT_INTERFACE_VERSION_V1 1
#define KMCL_CLIENT_INTERFACE_VERSION_LATEST KMCL_CLIENT_INTERFACE_VERSION_V1
#define KMCL_SERVER_INTERFACE_VERSION_V1 1
#define KMCL_SERVER_INTERFACE_VERSION_LATEST KMCL_SERVER_INTERFACE_VERSION_V1

// The members of INTERFACE and of the tables, in their documented order: one list for the tables that hold them.
#define VMBSIM_INTERFACE_MEMBERS           \
  USHORT Size;                             \
  USHORT Version;                          \
  PVOID Context;                           \
  PINTERFACE_REFERENCE InterfaceReference; \
  PINTERFACE_DEREFERENCE InterfaceDereference;
#define VMBSIM_KMCL_CLIENT_MEMBERS                                                                   \
  PFN_VMB_CHANNEL_ALLOCATE VmbChannelAllocate;                                                       \
  PFN_VMB_CHANNEL_CLEANUP VmbChannelCleanup;                                                         \
  PFN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER VmbChannelCreateGpadlFromBuffer;                          \
  PFN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL VmbChannelCreateGpadlFromMdl;                                \
  PFN_VMB_CHANNEL_DELETE_GPADL VmbChannelDeleteGpadl;                                                \
  PFN_VMB_CHANNEL_DISABLE VmbChannelDisable;                                                         \
  PFN_VMB_CHANNEL_ENABLE VmbChannelEnable;                                                           \
  PFN_VMB_CHANNEL_GET_INTERFACE_INSTANCE VmbChannelGetInterfaceInstance;                             \
  PFN_VMB_CHANNEL_GET_MMIO_SPACE VmbChannelGetMmioSpace;                                             \
  PFN_VMB_CHANNEL_GET_POINTER VmbChannelGetPointer;                                                  \
  PFN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE VmbChannelInitSetClientContextSize;                   \
  PFN_VMB_CHANNEL_INIT_SET_FLAGS VmbChannelInitSetFlags;                                             \
  PFN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME VmbChannelInitSetFriendlyName;                              \
  PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA VmbChannelInitSetMaximumExternalData;               \
  PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE VmbChannelInitSetMaximumPacketSize;                   \
  PFN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS VmbChannelInitSetProcessPacketCallbacks;         \
  PFN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS VmbChannelInitSetStateChangeCallbacks;             \
  PFN_VMB_CHANNEL_PACKET_COMPLETE VmbChannelPacketComplete;                                          \
  PFN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE VmbChannelPacketDeferToPassive;                            \
  PFN_VMB_CHANNEL_PACKET_FAIL VmbChannelPacketFail;                                                  \
  PFN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA VmbChannelPacketGetExternalData;                          \
  PFN_VMB_CHANNEL_PAUSE VmbChannelPause;                                                             \
  PFN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST VmbChannelSendSynchronousRequest;                         \
  PFN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE VmbChannelSetIncomingProcessingAtPassive;       \
  PFN_VMB_CHANNEL_SET_INTERRUPT_LATENCY VmbChannelSetInterruptLatency;                               \
  PFN_VMB_CHANNEL_SET_POINTER VmbChannelSetPointer;                                                  \
  PFN_VMB_CHANNEL_SET_TRANSACTION_QUOTA VmbChannelSetTransactionQuota;                               \
  PFN_VMB_CHANNEL_SIZEOF_PACKET VmbChannelSizeofPacket;                                              \
  PFN_VMB_CHANNEL_START VmbChannelStart;                                                             \
  PFN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT VmbClientChannelInitSetRingBufferPageCount; \
  PFN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP VmbClientChannelInitSetTargetPnp;                       \
  PFN_VMB_PACKET_ALLOCATE VmbPacketAllocate;                                                         \
  PFN_VMB_PACKET_FREE VmbPacketFree;                                                                 \
  PFN_VMB_PACKET_GET_CHANNEL VmbPacketGetChannel;                                                    \
  PFN_VMB_PACKET_GET_POINTER VmbPacketGetPointer;                                                    \
  PFN_VMB_PACKET_INITIALIZE VmbPacketInitialize;                                                     \
  PFN_VMB_PACKET_SEND VmbPacketSend;                                                                 \
  PFN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL VmbPacketSendWithExternalMdl;                                \
  PFN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS VmbPacketSendWithExternalPfns;                              \
  PFN_VMB_PACKET_SET_COMPLETION_ROUTINE VmbPacketSetCompletionRoutine;                               \
  PFN_VMB_PACKET_SET_POINTER VmbPacketSetPointer;
#define VMBSIM_KMCL_SERVER_MEMBERS                                                                                 \
  PFN_VMB_CHANNEL_MAP_GPADL VmbChannelMapGpadl;                                                                    \
  PFN_VMB_CHANNEL_RESTORE_FROM_BUFFER VmbChannelRestoreFromBuffer;                                                 \
  PFN_VMB_CHANNEL_SAVE_BEGIN VmbChannelSaveBegin;                                                                  \
  PFN_VMB_CHANNEL_SAVE_CONTINUE VmbChannelSaveContinue;                                                            \
  PFN_VMB_CHANNEL_SAVE_END VmbChannelSaveEnd;                                                                      \
  PFN_VMB_CHANNEL_UNMAP_GPADL VmbChannelUnmapGpadl;                                                                \
  PFN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE VmbConvertVmbusHandleToKernelHandle;                               \
  PFN_VMB_PACKET_RESTORE VmbPacketRestore;                                                                         \
  PFN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS VmbServerChannelInitSetFlags;                                              \
  PFN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES VmbServerChannelInitSetMmioMegabytes;                             \
  PFN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS VmbServerChannelInitSetSaveRestorePacketCallbacks; \
  PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID VmbServerChannelInitSetTargetInterfaceId;                    \
  PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL VmbServerChannelInitSetTargetVtl;                                     \
  PFN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE VmbServerChannelInitSetVmbusHandle;

/// The 41 functions for either end of a channel. From Windows 10, version 1803.
typedef struct _KMCL_CLIENT_INTERFACE_V1 {
  VMBSIM_INTERFACE_MEMBERS
  VMBSIM_KMCL_CLIENT_MEMBERS
} KMCL_CLIENT_INTERFACE_V1, *PKMCL_CLIENT_INTERFACE_V1;

/// The 14 functions for servers only. From Windows 10, version 1809.
typedef struct _KMCL_SERVER_ONLY_METHODS {
  VMBSIM_KMCL_SERVER_MEMBERS
} KMCL_SERVER_ONLY_METHODS, *PKMCL_SERVER_ONLY_METHODS;

/// The client's table, then the server's functions; all are members of the structure itself.
typedef struct _KMCL_SERVER_INTERFACE_V1 {
  VMBSIM_INTERFACE_MEMBERS
  VMBSIM_KMCL_CLIENT_MEMBERS
  VMBSIM_KMCL_SERVER_MEMBERS
} KMCL_SERVER_INTERFACE_V1, *PKMCL_SERVER_INTERFACE_V1;

#undef VMBSIM_INTERFACE_MEMBERS
#undef VMBSIM_KMCL_CLIENT_MEMBERS
#undef VMBSIM_KMCL_SERVER_MEMBERS

#ifdef __cplusplus
}  // extern "C"
#endif
