#include <initguid.h>

#include "models/kmcl/interface_tables.hpp"

namespace vmbsim::kmcl {

namespace {

// A table is a value: whoever holds one keeps nothing alive.
void reference(void*) {}
void dereference(void*) {}

/// The members that both tables begin with.
template <class Table>
void fill_client(Table& table, USHORT version) {
  table = {};
  table.Size = sizeof table;
  table.Version = version;
  table.InterfaceReference = reference;
  table.InterfaceDereference = dereference;
  table.VmbChannelAllocate = VmbChannelAllocate;
  table.VmbChannelCleanup = VmbChannelCleanup;
  table.VmbChannelCreateGpadlFromBuffer = VmbChannelCreateGpadlFromBuffer;
  table.VmbChannelCreateGpadlFromMdl = VmbChannelCreateGpadlFromMdl;
  table.VmbChannelDeleteGpadl = VmbChannelDeleteGpadl;
  table.VmbChannelDisable = VmbChannelDisable;
  table.VmbChannelEnable = VmbChannelEnable;
  table.VmbChannelGetInterfaceInstance = VmbChannelGetInterfaceInstance;
  table.VmbChannelGetMmioSpace = VmbChannelGetMmioSpace;
  table.VmbChannelGetPointer = VmbChannelGetPointer;
  table.VmbChannelInitSetClientContextSize = VmbChannelInitSetClientContextSize;
  table.VmbChannelInitSetFlags = VmbChannelInitSetFlags;
  table.VmbChannelInitSetFriendlyName = VmbChannelInitSetFriendlyName;
  table.VmbChannelInitSetMaximumExternalData = VmbChannelInitSetMaximumExternalData;
  table.VmbChannelInitSetMaximumPacketSize = VmbChannelInitSetMaximumPacketSize;
  table.VmbChannelInitSetProcessPacketCallbacks = VmbChannelInitSetProcessPacketCallbacks;
  table.VmbChannelInitSetStateChangeCallbacks = VmbChannelInitSetStateChangeCallbacks;
  table.VmbChannelPacketComplete = VmbChannelPacketComplete;
  table.VmbChannelPacketDeferToPassive = VmbChannelPacketDeferToPassive;
  table.VmbChannelPacketFail = VmbChannelPacketFail;
  table.VmbChannelPacketGetExternalData = VmbChannelPacketGetExternalData;
  table.VmbChannelPause = VmbChannelPause;
  table.VmbChannelSendSynchronousRequest = VmbChannelSendSynchronousRequest;
  table.VmbChannelSetIncomingProcessingAtPassive = VmbChannelSetIncomingProcessingAtPassive;
  table.VmbChannelSetInterruptLatency = VmbChannelSetInterruptLatency;
  table.VmbChannelSetPointer = VmbChannelSetPointer;
  table.VmbChannelSetTransactionQuota = VmbChannelSetTransactionQuota;
  table.VmbChannelSizeofPacket = VmbChannelSizeofPacket;
  table.VmbChannelStart = VmbChannelStart;
  table.VmbClientChannelInitSetRingBufferPageCount = VmbClientChannelInitSetRingBufferPageCount;
  table.VmbClientChannelInitSetTargetPnp = VmbClientChannelInitSetTargetPnp;
  table.VmbPacketAllocate = VmbPacketAllocate;
  table.VmbPacketFree = VmbPacketFree;
  table.VmbPacketGetChannel = VmbPacketGetChannel;
  table.VmbPacketGetPointer = VmbPacketGetPointer;
  table.VmbPacketInitialize = VmbPacketInitialize;
  table.VmbPacketSend = VmbPacketSend;
  table.VmbPacketSendWithExternalMdl = VmbPacketSendWithExternalMdl;
  table.VmbPacketSendWithExternalPfns = VmbPacketSendWithExternalPfns;
  table.VmbPacketSetCompletionRoutine = VmbPacketSetCompletionRoutine;
  table.VmbPacketSetPointer = VmbPacketSetPointer;
}

void fill_server(KMCL_SERVER_INTERFACE_V1& table) {
  table.VmbChannelMapGpadl = VmbChannelMapGpadl;
  table.VmbChannelRestoreFromBuffer = VmbChannelRestoreFromBuffer;
  table.VmbChannelSaveBegin = VmbChannelSaveBegin;
  table.VmbChannelSaveContinue = VmbChannelSaveContinue;
  table.VmbChannelSaveEnd = VmbChannelSaveEnd;
  table.VmbChannelUnmapGpadl = VmbChannelUnmapGpadl;
  table.VmbConvertVmbusHandleToKernelHandle = VmbConvertVmbusHandleToKernelHandle;
  table.VmbPacketRestore = VmbPacketRestore;
  table.VmbServerChannelInitSetFlags = VmbServerChannelInitSetFlags;
  table.VmbServerChannelInitSetMmioMegabytes = VmbServerChannelInitSetMmioMegabytes;
  table.VmbServerChannelInitSetSaveRestorePacketCallbacks = VmbServerChannelInitSetSaveRestorePacketCallbacks;
  table.VmbServerChannelInitSetTargetInterfaceId = VmbServerChannelInitSetTargetInterfaceId;
  table.VmbServerChannelInitSetTargetVtl = VmbServerChannelInitSetTargetVtl;
  table.VmbServerChannelInitSetVmbusHandle = VmbServerChannelInitSetVmbusHandle;
}

}  // namespace

NTSTATUS query_interface(const GUID& type, INTERFACE& table, USHORT size, USHORT version) {
  if (IsEqualGUID(type, KMCL_CLIENT_INTERFACE_TYPE)) {
    if (size != sizeof(KMCL_CLIENT_INTERFACE_V1) || version != KMCL_CLIENT_INTERFACE_VERSION_V1)
      return STATUS_INVALID_PARAMETER;
    fill_client(reinterpret_cast<KMCL_CLIENT_INTERFACE_V1&>(table), version);
    return STATUS_SUCCESS;
  }
  if (!IsEqualGUID(type, KMCL_SERVER_INTERFACE_TYPE)) return STATUS_NOT_SUPPORTED;
  if (size != sizeof(KMCL_SERVER_INTERFACE_V1) || version != KMCL_SERVER_INTERFACE_VERSION_V1)
    return STATUS_INVALID_PARAMETER;
  auto& server = reinterpret_cast<KMCL_SERVER_INTERFACE_V1&>(table);
  fill_client(server, version);
  fill_server(server);
  return STATUS_SUCCESS;
}

}  // namespace vmbsim::kmcl
