#pragma once
// All that the documents name of KMCL, once: whatever must be there for every function, callback, flag or status is made from
// these lists.
// Sources: Windows driver documentation, vmbuskernelmodeclientlibapi.h: the FN_VMB_... and EVT_VMB_... pages (what is taken and
// returned), KMCL_CLIENT_INTERFACE_V1 and KMCL_SERVER_ONLY_METHODS (which table, in which order), the header (flags);
// [MS-ERREF] 2.3 (statuses).

// The functions of the client table in its order: X(function, its type's name after FN_VMB_, the type).
#define KMCL_CLIENT_FUNCTIONS(X)                                                                                      \
  X(VmbChannelAllocate, CHANNEL_ALLOCATE, NTSTATUS(PDEVICE_OBJECT, BOOLEAN, VMBCHANNEL*))                             \
  X(VmbChannelCleanup, CHANNEL_CLEANUP, void(VMBCHANNEL))                                                             \
  X(VmbChannelCreateGpadlFromBuffer, CHANNEL_CREATE_GPADL_FROM_BUFFER, NTSTATUS(VMBCHANNEL, UINT32, PVOID, UINT32, PUINT32)) \
  X(VmbChannelCreateGpadlFromMdl, CHANNEL_CREATE_GPADL_FROM_MDL, NTSTATUS(VMBCHANNEL, UINT32, PMDL, UINT32, UINT32, PUINT32)) \
  X(VmbChannelDeleteGpadl, CHANNEL_DELETE_GPADL, void(VMBCHANNEL, UINT32))                                            \
  X(VmbChannelDisable, CHANNEL_DISABLE, void(VMBCHANNEL))                                                             \
  X(VmbChannelEnable, CHANNEL_ENABLE, NTSTATUS(VMBCHANNEL))                                                           \
  X(VmbChannelGetInterfaceInstance, CHANNEL_GET_INTERFACE_INSTANCE, void(VMBCHANNEL, LPGUID))                         \
  X(VmbChannelGetMmioSpace, CHANNEL_GET_MMIO_SPACE, void(VMBCHANNEL, UINT64*, UINT64*))                               \
  X(VmbChannelGetPointer, CHANNEL_GET_POINTER, PVOID(VMBCHANNEL))                                                     \
  X(VmbChannelInitSetClientContextSize, CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE, NTSTATUS(VMBCHANNEL, UINT32))           \
  X(VmbChannelInitSetFlags, CHANNEL_INIT_SET_FLAGS, NTSTATUS(VMBCHANNEL, UINT32))                                     \
  X(VmbChannelInitSetFriendlyName, CHANNEL_INIT_SET_FRIENDLY_NAME, NTSTATUS(VMBCHANNEL, PCUNICODE_STRING))            \
  X(VmbChannelInitSetMaximumExternalData, CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA, NTSTATUS(VMBCHANNEL, UINT32, UINT32)) \
  X(VmbChannelInitSetMaximumPacketSize, CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE, NTSTATUS(VMBCHANNEL, UINT32))           \
  X(VmbChannelInitSetProcessPacketCallbacks, CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS, NTSTATUS(VMBCHANNEL, PFN_VMB_CHANNEL_PROCESS_PACKET, PFN_VMB_CHANNEL_PROCESSING_COMPLETE)) \
  X(VmbChannelInitSetStateChangeCallbacks, CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS, NTSTATUS(VMBCHANNEL, PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)) \
  X(VmbChannelPacketComplete, CHANNEL_PACKET_COMPLETE, void(VMBPACKETCOMPLETION, PVOID, UINT32))                      \
  X(VmbChannelPacketDeferToPassive, CHANNEL_PACKET_DEFER_TO_PASSIVE, void(VMBPACKETCOMPLETION))                       \
  X(VmbChannelPacketFail, CHANNEL_PACKET_FAIL, void(VMBPACKETCOMPLETION))                                             \
  X(VmbChannelPacketGetExternalData, CHANNEL_PACKET_GET_EXTERNAL_DATA, NTSTATUS(VMBPACKETCOMPLETION, UINT32, PMDL*))  \
  X(VmbChannelPause, CHANNEL_PAUSE, void(VMBCHANNEL))                                                                 \
  X(VmbChannelSendSynchronousRequest, CHANNEL_SEND_SYNCHRONOUS_REQUEST, NTSTATUS(VMBCHANNEL, PVOID, UINT32, PMDL, UINT32, PVOID, PUINT32, PLARGE_INTEGER)) \
  X(VmbChannelSetIncomingProcessingAtPassive, CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE, void(VMBCHANNEL, BOOLEAN))  \
  X(VmbChannelSetInterruptLatency, CHANNEL_SET_INTERRUPT_LATENCY, NTSTATUS(VMBCHANNEL, UINT16, PUINT16))              \
  X(VmbChannelSetPointer, CHANNEL_SET_POINTER, void(VMBCHANNEL, PVOID))                                               \
  X(VmbChannelSetTransactionQuota, CHANNEL_SET_TRANSACTION_QUOTA, void(VMBCHANNEL, UINT32))                           \
  X(VmbChannelSizeofPacket, CHANNEL_SIZEOF_PACKET, UINT32(VMBCHANNEL))                                                \
  X(VmbChannelStart, CHANNEL_START, void(VMBCHANNEL))                                                                 \
  X(VmbClientChannelInitSetRingBufferPageCount, CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT, NTSTATUS(VMBCHANNEL, UINT32, UINT32)) \
  X(VmbClientChannelInitSetTargetPnp, CLIENT_CHANNEL_INIT_SET_TARGET_PNP, NTSTATUS(VMBCHANNEL, LPCGUID, LPCGUID, PFN_VMB_CHANNEL_PNP_FAILURE)) \
  X(VmbPacketAllocate, PACKET_ALLOCATE, VMBPACKET(VMBCHANNEL))                                                        \
  X(VmbPacketFree, PACKET_FREE, void(VMBPACKET))                                                                      \
  X(VmbPacketGetChannel, PACKET_GET_CHANNEL, VMBCHANNEL(VMBPACKET))                                                   \
  X(VmbPacketGetPointer, PACKET_GET_POINTER, PVOID(VMBPACKET))                                                        \
  X(VmbPacketInitialize, PACKET_INITIALIZE, NTSTATUS(VMBCHANNEL, VMBPACKET, UINT32))                                  \
  X(VmbPacketSend, PACKET_SEND, NTSTATUS(VMBPACKET, PVOID, UINT32, PMDL, UINT32))                                     \
  X(VmbPacketSendWithExternalMdl, PACKET_SEND_WITH_EXTERNAL_MDL, NTSTATUS(VMBPACKET, PVOID, UINT32, PMDL, UINT32, UINT32, UINT32)) \
  X(VmbPacketSendWithExternalPfns, PACKET_SEND_WITH_EXTERNAL_PFNS, NTSTATUS(VMBPACKET, PVOID, UINT32, PPFN_NUMBER, UINT32, UINT32)) \
  X(VmbPacketSetCompletionRoutine, PACKET_SET_COMPLETION_ROUTINE, void(VMBPACKET, PFN_VMB_PACKET_COMPLETION_ROUTINE)) \
  X(VmbPacketSetPointer, PACKET_SET_POINTER, void(VMBPACKET, PVOID))

// The functions that only a server's table adds, in its order.
#define KMCL_SERVER_FUNCTIONS(X)                                                                                      \
  X(VmbChannelMapGpadl, CHANNEL_MAP_GPADL, NTSTATUS(VMBCHANNEL, UINT32, UINT32, PMDL*))                               \
  X(VmbChannelRestoreFromBuffer, CHANNEL_RESTORE_FROM_BUFFER, NTSTATUS(VMBCHANNEL, PVOID, ULONG))                     \
  X(VmbChannelSaveBegin, CHANNEL_SAVE_BEGIN, NTSTATUS(VMBCHANNEL))                                                    \
  X(VmbChannelSaveContinue, CHANNEL_SAVE_CONTINUE, NTSTATUS(VMBCHANNEL, PVOID, ULONG, PULONG, PULONG))                \
  X(VmbChannelSaveEnd, CHANNEL_SAVE_END, void(VMBCHANNEL))                                                            \
  X(VmbChannelUnmapGpadl, CHANNEL_UNMAP_GPADL, void(VMBCHANNEL, UINT32))                                              \
  X(VmbConvertVmbusHandleToKernelHandle, CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE, NTSTATUS(HANDLE, PHANDLE))            \
  X(VmbPacketRestore, PACKET_RESTORE, NTSTATUS(VMBPACKET, PVOID, ULONG))                                              \
  X(VmbServerChannelInitSetFlags, SERVER_CHANNEL_INIT_SET_FLAGS, NTSTATUS(VMBCHANNEL, UINT32))                        \
  X(VmbServerChannelInitSetMmioMegabytes, SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES, NTSTATUS(VMBCHANNEL, UINT16, UINT16)) \
  X(VmbServerChannelInitSetSaveRestorePacketCallbacks, SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS, NTSTATUS(VMBCHANNEL, PFN_VMB_CHANNEL_SAVE_PACKET, PFN_VMB_CHANNEL_RESTORE_PACKET)) \
  X(VmbServerChannelInitSetTargetInterfaceId, SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID, NTSTATUS(VMBCHANNEL, GUID, GUID)) \
  X(VmbServerChannelInitSetTargetVtl, SERVER_CHANNEL_INIT_SET_TARGET_VTL, NTSTATUS(VMBCHANNEL, UINT8))                \
  X(VmbServerChannelInitSetVmbusHandle, SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE, NTSTATUS(VMBCHANNEL, HANDLE))

// The callbacks: X(its type's name after EVT_VMB_, the name that drivers and tests give it, the type).
#define KMCL_CALLBACKS(X)                                                                                             \
  X(CHANNEL_OPENED, EvtChannelOpened, NTSTATUS(VMBCHANNEL))                                                           \
  X(CHANNEL_CLOSED, EvtChannelClosed, void(VMBCHANNEL))                                                               \
  X(CHANNEL_SUSPEND, EvtChannelSuspend, void(VMBCHANNEL))                                                             \
  X(CHANNEL_STARTED, EvtChannelStarted, void(VMBCHANNEL))                                                             \
  X(CHANNEL_POST_STARTED, EvtChannelPostStarted, void(VMBCHANNEL))                                                    \
  X(CHANNEL_PROCESS_PACKET, EvtVmbChannelProcessPacket, void(VMBCHANNEL, VMBPACKETCOMPLETION, PVOID, UINT32, UINT32)) \
  X(CHANNEL_PROCESSING_COMPLETE, EvtVmbChannelProcessingComplete, void(VMBCHANNEL, UINT32))                           \
  X(PACKET_COMPLETION_ROUTINE, EvtVmbPacketCompletionRoutine, void(VMBPACKET, NTSTATUS, PVOID, UINT32))               \
  X(CHANNEL_SAVE_PACKET, EvtVmbChannelSavePacket, NTSTATUS(VMBCHANNEL, VMBPACKET, PVOID, UINT32, PUINT32))            \
  X(CHANNEL_RESTORE_PACKET, EvtVmbChannelRestorePacket, NTSTATUS(VMBCHANNEL, PVOID, UINT32, PVOID, UINT32))           \
  X(CHANNEL_PNP_FAILURE, EvtChannelPnpFailure, void(VMBCHANNEL, NTSTATUS))

// The flags, masks and other numbers of the header.
#define KMCL_VALUES(X)                                                                                                \
  X(VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION, 0x1)                                                               \
  X(VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH, 0x2)                                                                  \
  X(VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER, 0x4)                                                                      \
  X(VMBUS_CHANNEL_FORMAT_FLAGS, 0x7)                                                                                  \
  X(VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY, 0x1)                                                                          \
  X(VMBUS_CHANNEL_GPADL_FLAGS, 0x1)                                                                                   \
  X(VMBUS_CHANNEL_INIT_FLAG_IS_PIPE, 0x1)                                                                             \
  X(VMBUS_CHANNEL_INIT_FLAGS, 0x1)                                                                                    \
  X(VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER, 0x1)                                                               \
  X(VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE, 0x2)                                                   \
  X(VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE, 0x4)                                                                \
  X(VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL, 0x8)                                                            \
  X(VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER, 0x10)                                                        \
  X(VMBUS_SERVER_CHANNEL_INIT_FLAGS, 0x1F)                                                                            \
  X(VMBUS_SERVER_CHANNEL_INIT_MAXIMUM_OFFER_DATA, 120)                                                                \
  X(VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA, 0x1)                                                             \
  X(VMBUS_CHANNEL_PROCESS_PACKET_FLAGS, 0x1)                                                                          \
  X(VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY, 0x1)                                                           \
  X(VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS, 0x1)                                                                    \
  X(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION, 1)

// The statuses that KMCL functions return or hand to a completion routine.
#define KMCL_STATUSES(X)                                                                                              \
  X(STATUS_SUCCESS, 0x00000000)                                                                                       \
  X(STATUS_TIMEOUT, 0x00000102)                                                                                       \
  X(STATUS_PENDING, 0x00000103)                                                                                       \
  X(STATUS_BUFFER_OVERFLOW, 0x80000005)                                                                               \
  X(STATUS_INVALID_PARAMETER, 0xC000000D)                                                                             \
  X(STATUS_MORE_PROCESSING_REQUIRED, 0xC0000016)                                                                      \
  X(STATUS_BUFFER_TOO_SMALL, 0xC0000023)                                                                              \
  X(STATUS_INSUFFICIENT_RESOURCES, 0xC000009A)                                                                        \
  X(STATUS_DEVICE_NOT_CONNECTED, 0xC000009D)                                                                          \
  X(STATUS_INVALID_PARAMETER_1, 0xC00000EF)                                                                           \
  X(STATUS_INVALID_PARAMETER_2, 0xC00000F0)                                                                           \
  X(STATUS_INVALID_PARAMETER_3, 0xC00000F1)                                                                           \
  X(STATUS_CANCELLED, 0xC0000120)                                                                                     \
  X(STATUS_INVALID_DEVICE_STATE, 0xC0000184)                                                                          \
  X(STATUS_DEVICE_REMOVED, 0xC00002B6)
