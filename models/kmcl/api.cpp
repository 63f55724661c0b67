// The functions of vmbuskernelmodeclientlibapi.h: what a driver calls. Each finds its endpoint and hands over.
#include "vmbuskernelmodeclientlibapi.h"

#include <memory>
#include <string>

#include "models/kmcl/endpoint.hpp"

namespace {

using vmbsim::BugCheck;
using vmbsim::Irql;
using vmbsim::kmcl::Device;
using vmbsim::kmcl::Endpoint;
using vmbsim::kmcl::Packet;
using vmbsim::kmcl::Received;
using vmbsim::os::Partition;

/// The endpoint that a driver means; null after VmbChannelCleanup.
Endpoint* endpoint_of(VMBCHANNEL channel, const char* call) {
  Endpoint& endpoint = Endpoint::of(channel);
  if (!endpoint.cleaned_up()) return &endpoint;
  endpoint.misused("K04", call, "for a channel that was cleaned up");
  return nullptr;
}

[[gnu::cold]] Packet* no_packet(const char* call) {
  Partition::current().findings().add(
      "K76", BugCheck::none, {}, std::string(call) + " called for a packet that was freed, or never initialised", call);
  return nullptr;
}

/// The packet that a driver means; null when it was freed, or gone with the routine that frees it.
Packet* packet_of(VMBPACKET handle, const char* call) {
  Packet& packet = Packet::of(handle);
  return packet.handle() == handle ? &packet : no_packet(call);
}

/// The delivered packet that a driver means; null when it was completed or failed.
Received* received_of(VMBPACKETCOMPLETION handle, const char* call) {
  Received& received = Received::of(handle);
  if (received.handle() == handle) return &received;
  received.endpoint->misused("K51", call, "for a packet that is over");
  return nullptr;
}

/// The same as packet_of where the packet is not under way: then nothing of it may be touched, not even by a send that will be
/// refused.
Packet* idle_packet(VMBPACKET handle, const char* call) {
  Packet* packet = packet_of(handle, call);
  if (packet == nullptr || packet->state == Packet::State::idle) return packet;
  packet->endpoint->misused("K75", call, "for a packet that is under way");
  return nullptr;
}

/// A call that configures a channel, at one end only or at either: at PASSIVE_LEVEL and before the channel is enabled.
enum class For { either, server, client };
template <class Body>
NTSTATUS configure(VMBCHANNEL channel, const char* call, For which, const Body& body) {
  Endpoint* endpoint = endpoint_of(channel, call);
  if (endpoint == nullptr) return STATUS_INVALID_PARAMETER_1;
  if (!endpoint->partition().require_irql_at_most(Irql::passive, call, BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  if (!endpoint->disabled()) return STATUS_INVALID_PARAMETER_1;
  if (which != For::either && !(which == For::server ? endpoint->server_call(call) : endpoint->client_call(call)))
    return STATUS_INVALID_PARAMETER_1;
  return body(*endpoint);
}

/// Any other call for a channel, and what it answers when the channel is gone.
template <class Result, class Body>
Result with(VMBCHANNEL channel, const char* call, Result gone, const Body& body) {
  Endpoint* endpoint = endpoint_of(channel, call);
  return endpoint != nullptr ? body(*endpoint) : gone;
}

NTSTATUS send(Packet& packet, void* buffer, UINT32 length, UINT32 flags, const char* call) {
  packet.call = call;
  packet.buffer = static_cast<const std::byte*>(buffer);
  packet.length = length;
  packet.flags = flags;
  if (!packet.endpoint->partition().require_irql_at_most(Irql::dispatch, call, BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  return packet.endpoint->send(packet);
}

bool must_wait(const Packet& packet, UINT32 flags, const char* call) {
  if ((flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION) != 0) return true;
  packet.endpoint->report("K79", call,
                          std::string(call) + " needs WAIT_FOR_COMPLETION: external data is in use until then");
  return false;
}

}  // namespace

extern "C" {

// ---- Create, dispose, enable, disable ----

NTSTATUS VmbChannelAllocate(PDEVICE_OBJECT ParentDeviceObject, BOOLEAN IsServer, VMBCHANNEL* Channel) {
  Device& device = Device::of(*ParentDeviceObject);
  *Channel = nullptr;
  if (const Irql irql = vmbsim::hw::Processor::current()->irql(); irql != Irql::passive) {
    device.partition.findings().add("K01", BugCheck::irql_not_less_or_equal, device.name,
                                    std::string("VmbChannelAllocate called at ") + name_of(irql) + " level", __func__);
    return STATUS_INVALID_DEVICE_STATE;
  }
  auto endpoint = std::make_shared<Endpoint>(device, IsServer != FALSE);
  *Channel = endpoint->handle();
  device.channels.push_back(std::move(endpoint));
  return STATUS_SUCCESS;
}

VOID VmbChannelCleanup(VMBCHANNEL Channel) {
  Endpoint& endpoint = Endpoint::of(Channel);
  if (endpoint.cleaned_up()) return endpoint.misused("K02", __func__, "for a channel that was cleaned up");
  if (!endpoint.partition().require_irql_at_most(Irql::passive, __func__, BugCheck::irql_not_less_or_equal)) return;
  if (!endpoint.disabled()) return endpoint.misused("K03", __func__, "for a channel that is not disabled");
  endpoint.clean_up();
}

NTSTATUS VmbChannelEnable(VMBCHANNEL Channel) {
  Partition::visible(vmbsim::hw::Site::life_cycle, &Endpoint::of(Channel));
  return with(Channel, __func__, STATUS_INVALID_PARAMETER_1, [](Endpoint& e) { return e.enable(); });
}
VOID VmbChannelDisable(VMBCHANNEL Channel) {
  Partition::visible(vmbsim::hw::Site::life_cycle, &Endpoint::of(Channel));
  if (Endpoint* e = endpoint_of(Channel, __func__)) e->disable();
}
VOID VmbChannelStart(VMBCHANNEL Channel) {
  Partition::visible(vmbsim::hw::Site::life_cycle, &Endpoint::of(Channel));
  if (Endpoint* e = endpoint_of(Channel, __func__)) e->start();
}
VOID VmbChannelPause(VMBCHANNEL Channel) {
  Partition::visible(vmbsim::hw::Site::life_cycle, &Endpoint::of(Channel));
  if (Endpoint* e = endpoint_of(Channel, __func__)) e->pause();
}

// ---- Configuration ----

NTSTATUS VmbChannelInitSetMaximumPacketSize(VMBCHANNEL Channel, UINT32 PacketSize) {
  return configure(Channel, __func__, For::either, [&](Endpoint& e) { return e.set_maximum_packet_size(PacketSize); });
}
NTSTATUS VmbChannelInitSetMaximumExternalData(VMBCHANNEL Channel, UINT32 DataSize, UINT32 ChainLength) {
  return configure(Channel, __func__, For::either,
                   [&](Endpoint& e) { return e.set_maximum_external_data(DataSize, ChainLength); });
}
NTSTATUS VmbChannelInitSetClientContextSize(VMBCHANNEL Channel, UINT32 ContextSize) {
  return configure(Channel, __func__, For::either, [&](Endpoint& e) { return e.set_client_context_size(ContextSize); });
}
NTSTATUS VmbChannelInitSetProcessPacketCallbacks(VMBCHANNEL Channel,
                                                 PFN_VMB_CHANNEL_PROCESS_PACKET ProcessPacketCallback,
                                                 PFN_VMB_CHANNEL_PROCESSING_COMPLETE ProcessingCompleteCallback) {
  return configure(Channel, __func__, For::either, [&](Endpoint& e) {
    return e.set_process_packet_callbacks(ProcessPacketCallback, ProcessingCompleteCallback);
  });
}
NTSTATUS VmbChannelInitSetStateChangeCallbacks(VMBCHANNEL Channel,
                                               PVMB_CHANNEL_STATE_CHANGE_CALLBACKS StateChangeCallbacks) {
  return configure(Channel, __func__, For::either,
                   [&](Endpoint& e) { return e.set_state_change_callbacks(*StateChangeCallbacks); });
}
NTSTATUS VmbChannelInitSetFriendlyName(VMBCHANNEL Channel, PCUNICODE_STRING Name) {
  return configure(Channel, __func__, For::either, [&](Endpoint& e) { return e.set_friendly_name(*Name); });
}
NTSTATUS VmbChannelInitSetFlags(VMBCHANNEL Channel, UINT32 Flags) {
  return configure(Channel, __func__, For::either, [&](Endpoint& e) { return e.set_flags(Flags); });
}
NTSTATUS VmbClientChannelInitSetRingBufferPageCount(VMBCHANNEL Channel, UINT32 IncomingPageCount,
                                                    UINT32 OutgoingPageCount) {
  return configure(Channel, __func__, For::either,
                   [&](Endpoint& e) { return e.set_ring_pages(IncomingPageCount, OutgoingPageCount); });
}
NTSTATUS VmbServerChannelInitSetTargetInterfaceId(VMBCHANNEL Channel, GUID InterfaceType, GUID InterfaceInstance) {
  return configure(Channel, __func__, For::server,
                   [&](Endpoint& e) { return e.set_target_interface(InterfaceType, InterfaceInstance); });
}
NTSTATUS VmbClientChannelInitSetTargetPnp(VMBCHANNEL Channel, LPCGUID InterfaceType, LPCGUID InterfaceInstance,
                                          PFN_VMB_CHANNEL_PNP_FAILURE PnpFailureCallback) {
  return configure(Channel, __func__, For::client, [&](Endpoint& e) {
    return e.set_target_pnp(*InterfaceType, InterfaceInstance, PnpFailureCallback);
  });
}
NTSTATUS VmbServerChannelInitSetFlags(VMBCHANNEL Channel, UINT32 Flags) {
  return configure(Channel, __func__, For::server, [&](Endpoint& e) { return e.set_server_flags(Flags); });
}
NTSTATUS VmbServerChannelInitSetMmioMegabytes(VMBCHANNEL Channel, UINT16 MmioMegabytes, UINT16 MmioMegabytesOptional) {
  return configure(Channel, __func__, For::server,
                   [&](Endpoint& e) { return e.set_mmio_megabytes(MmioMegabytes, MmioMegabytesOptional); });
}
NTSTATUS VmbServerChannelInitSetTargetVtl(VMBCHANNEL Channel, UINT8 TargetVtl) {
  return configure(Channel, __func__, For::server, [&](Endpoint& e) { return e.set_target_vtl(TargetVtl); });
}
NTSTATUS VmbServerChannelInitSetVmbusHandle(VMBCHANNEL Channel, HANDLE VmbusHandle) {
  return configure(Channel, __func__, For::server, [&](Endpoint& e) { return e.set_vmbus_handle(VmbusHandle); });
}

// ---- Run-time settings ----

VOID VmbChannelSetIncomingProcessingAtPassive(VMBCHANNEL Channel, BOOLEAN RequirePassive) {
  if (Endpoint* e = endpoint_of(Channel, __func__)) e->require_passive(RequirePassive != FALSE);
}
VOID VmbChannelSetTransactionQuota(VMBCHANNEL Channel, UINT32 Quota) {
  Endpoint* endpoint = endpoint_of(Channel, __func__);
  if (endpoint == nullptr) return;
  if (Quota == 0) return endpoint->misused("K26", __func__, "with a quota of 0");
  endpoint->set_quota(Quota);
}
VOID FASTCALL VmbChannelSetPointer(VMBCHANNEL Channel, PVOID Pointer) {
  if (Endpoint* e = endpoint_of(Channel, __func__)) e->set_pointer(Pointer);
}
PVOID FASTCALL VmbChannelGetPointer(VMBCHANNEL Channel) {
  return with(Channel, __func__, PVOID{}, [](Endpoint& e) { return e.pointer(); });
}
NTSTATUS VmbChannelSetInterruptLatency(VMBCHANNEL Channel, UINT16 Latency, PUINT16 OriginalLatency) {
  return with(Channel, __func__, STATUS_INVALID_PARAMETER_1,
              [&](Endpoint& e) { return e.set_interrupt_latency(Latency, *OriginalLatency); });
}
VOID VmbChannelGetInterfaceInstance(VMBCHANNEL Channel, LPGUID InterfaceInstance) {
  *InterfaceInstance = with(Channel, __func__, GUID{}, [](Endpoint& e) { return e.interface_instance(); });
}
VOID VmbChannelGetMmioSpace(VMBCHANNEL Channel, UINT64* MmioAddress, UINT64* MmioSize) {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  if (Endpoint* e = endpoint_of(Channel, __func__)) e->mmio_space(address, size);
  *MmioAddress = address;
  *MmioSize = size;
}
UINT32 VmbChannelSizeofPacket(VMBCHANNEL Channel) {
  return with(Channel, __func__, UINT32{0}, [](Endpoint& e) { return e.sizeof_packet(); });
}

// ---- Incoming packets ----

VOID VmbChannelPacketComplete(VMBPACKETCOMPLETION PacketCompletionContext, PVOID PacketCompletionBuffer,
                              UINT32 BufSize) {
  Partition::visible(vmbsim::hw::Site::complete, Received::of(PacketCompletionContext).endpoint);
  if (Received* received = received_of(PacketCompletionContext, __func__))
    received->endpoint->complete(*received, PacketCompletionBuffer, BufSize);
}
VOID FASTCALL VmbChannelPacketDeferToPassive(VMBPACKETCOMPLETION PacketCompletionContext) {
  if (Received* received = received_of(PacketCompletionContext, __func__))
    received->endpoint->defer_to_passive(*received);
}
VOID FASTCALL VmbChannelPacketFail(VMBPACKETCOMPLETION PacketCompletionContext) {
  if (Received* received = received_of(PacketCompletionContext, __func__)) received->endpoint->fail(*received);
}
NTSTATUS VmbChannelPacketGetExternalData(VMBPACKETCOMPLETION PacketCompletionContext, UINT32 Flags, PMDL* Mdl) {
  Received* received = received_of(PacketCompletionContext, __func__);
  return received != nullptr ? received->endpoint->external_data(*received, Flags, Mdl) : STATUS_INVALID_PARAMETER;
}

// ---- Shared memory ----

NTSTATUS VmbChannelCreateGpadlFromMdl(VMBCHANNEL Channel, UINT32 Flags, PMDL Mdl, UINT32 StartOffsetWithinMdl,
                                      UINT32 DataLengthWithinMdl, PUINT32 GpadlHandle) {
  return with(Channel, __func__, STATUS_INVALID_PARAMETER_1, [&](Endpoint& e) {
    return e.create_gpadl(Flags, Mdl, StartOffsetWithinMdl, DataLengthWithinMdl, *GpadlHandle);
  });
}
NTSTATUS VmbChannelCreateGpadlFromBuffer(VMBCHANNEL Channel, UINT32 Flags, PVOID Buffer, UINT32 ByteCount,
                                         PUINT32 GpadlHandle) {
  return with(Channel, __func__, STATUS_INVALID_PARAMETER_1,
              [&](Endpoint& e) { return e.create_gpadl(Flags, Buffer, ByteCount, *GpadlHandle); });
}
VOID VmbChannelDeleteGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle) {
  if (Endpoint* e = endpoint_of(Channel, __func__)) e->delete_gpadl(GpadlHandle);
}
NTSTATUS VmbChannelMapGpadl(VMBCHANNEL Channel, UINT32 Flags, UINT32 GpadlHandle, PMDL* Mdl) {
  return with(Channel, __func__, STATUS_INVALID_PARAMETER_1,
              [&](Endpoint& e) { return e.map_gpadl(Flags, GpadlHandle, Mdl); });
}
VOID VmbChannelUnmapGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle) {
  if (Endpoint* e = endpoint_of(Channel, __func__)) e->unmap_gpadl(GpadlHandle);
}

// ---- Saving and restoring ----

NTSTATUS VmbServerChannelInitSetSaveRestorePacketCallbacks(VMBCHANNEL Channel,
                                                           PFN_VMB_CHANNEL_SAVE_PACKET SavePacketCallback,
                                                           PFN_VMB_CHANNEL_RESTORE_PACKET RestorePacketCallback) {
  return configure(Channel, __func__, For::server,
                   [&](Endpoint& e) { return e.set_save_restore(SavePacketCallback, RestorePacketCallback); });
}
NTSTATUS VmbChannelSaveBegin(VMBCHANNEL Channel) {
  return with(Channel, __func__, STATUS_INVALID_PARAMETER_1, [&](Endpoint& e) { return e.save_begin(); });
}
NTSTATUS VmbChannelSaveContinue(VMBCHANNEL Channel, PVOID SaveBuffer, ULONG SaveBufferSize, PULONG BytesFilled,
                                PULONG BytesRequired) {
  return with(Channel, __func__, STATUS_INVALID_PARAMETER_1, [&](Endpoint& e) {
    return e.save_continue(static_cast<std::byte*>(SaveBuffer), SaveBufferSize, *BytesFilled, *BytesRequired);
  });
}
VOID VmbChannelSaveEnd(VMBCHANNEL Channel) {
  if (Endpoint* e = endpoint_of(Channel, __func__)) e->save_end();
}
NTSTATUS VmbChannelRestoreFromBuffer(VMBCHANNEL Channel, PVOID Buffer, ULONG BufferSize) {
  return with(Channel, __func__, STATUS_INVALID_PARAMETER_1,
              [&](Endpoint& e) { return e.restore(static_cast<const std::byte*>(Buffer), BufferSize); });
}
NTSTATUS VmbPacketRestore(VMBPACKET PacketObject, PVOID Buffer, ULONG BufferSize) {
  Packet* packet = packet_of(PacketObject, __func__);
  if (packet == nullptr) return STATUS_INVALID_PARAMETER_1;
  return packet->endpoint->restore_packet(*packet, static_cast<const std::byte*>(Buffer), BufferSize);
}

// ---- Packet objects ----

VMBPACKET VmbPacketAllocate(VMBCHANNEL Channel) {
  Endpoint* endpoint = endpoint_of(Channel, __func__);
  Packet* packet = endpoint != nullptr ? endpoint->allocate_packet() : nullptr;
  return packet != nullptr ? packet->handle() : nullptr;
}
NTSTATUS VmbPacketInitialize(VMBCHANNEL Channel, VMBPACKET VmbPacket, UINT32 ByteCount) {
  return with(Channel, __func__, STATUS_INVALID_PARAMETER_1,
              [&](Endpoint& e) { return e.initialize_packet(VmbPacket, ByteCount); });
}
VOID VmbPacketFree(VMBPACKET VmbPacket) {
  if (Packet* packet = packet_of(VmbPacket, __func__)) packet->endpoint->free_packet(*packet);
}
VOID VmbPacketSetCompletionRoutine(VMBPACKET VmbPacket, PFN_VMB_PACKET_COMPLETION_ROUTINE CompletionRoutine) {
  if (Packet* packet = packet_of(VmbPacket, __func__)) packet->routine = CompletionRoutine;
}
VOID FASTCALL VmbPacketSetPointer(VMBPACKET VmbPacket, PVOID Pointer) {
  if (Packet* packet = packet_of(VmbPacket, __func__)) packet->pointer = Pointer;
}
PVOID FASTCALL VmbPacketGetPointer(VMBPACKET VmbPacket) {
  const Packet* packet = packet_of(VmbPacket, __func__);
  return packet != nullptr ? packet->pointer : nullptr;
}
VMBCHANNEL FASTCALL VmbPacketGetChannel(VMBPACKET VmbPacket) {
  const Packet* packet = packet_of(VmbPacket, __func__);
  return packet != nullptr ? packet->endpoint->handle() : nullptr;
}

// ---- Sending ----

NTSTATUS VmbPacketSend(VMBPACKET PacketObject, PVOID Buffer, UINT32 BufferLength, PMDL ExternalDataMdl, UINT32 Flags) {
  Packet* const found = idle_packet(PacketObject, __func__);
  if (found == nullptr) return STATUS_INVALID_DEVICE_STATE;
  Packet& packet = *found;
  packet.mdl = ExternalDataMdl;
  packet.mdl_offset = packet.mdl_length = 0;
  packet.pfns = nullptr;
  return send(packet, Buffer, BufferLength, Flags, __func__);
}

NTSTATUS VmbPacketSendWithExternalMdl(VMBPACKET PacketObject, PVOID Buffer, UINT32 BufferLength, PMDL ExternalDataMdl,
                                      UINT32 MdlOffset, UINT32 MdlLength, UINT32 Flags) {
  Packet* const found = idle_packet(PacketObject, __func__);
  if (found == nullptr) return STATUS_INVALID_DEVICE_STATE;
  Packet& packet = *found;
  if (!must_wait(packet, Flags, __func__)) return STATUS_INVALID_PARAMETER;
  packet.mdl = ExternalDataMdl;
  packet.mdl_offset = MdlOffset;
  packet.mdl_length = MdlLength;
  packet.pfns = nullptr;
  return send(packet, Buffer, BufferLength, Flags, __func__);
}

NTSTATUS VmbPacketSendWithExternalPfns(VMBPACKET PacketObject, PVOID Buffer, UINT32 BufferLength,
                                       PPFN_NUMBER ExternalDataPfns, UINT32 PfnLength, UINT32 Flags) {
  Packet* const found = idle_packet(PacketObject, __func__);
  if (found == nullptr) return STATUS_INVALID_DEVICE_STATE;
  Packet& packet = *found;
  if (!must_wait(packet, Flags, __func__)) return STATUS_INVALID_PARAMETER;
  packet.mdl = nullptr;
  packet.pfns = ExternalDataPfns;
  packet.pfn_count = PfnLength;
  return send(packet, Buffer, BufferLength, Flags, __func__);
}

NTSTATUS VmbChannelSendSynchronousRequest(VMBCHANNEL Channel, PVOID Buffer, UINT32 BufferSize, PMDL ExternalDataMdl,
                                          UINT32 Flags, PVOID CompletionBuffer, PUINT32 CompletionBufferSize,
                                          PLARGE_INTEGER Timeout) {
  return with(Channel, __func__, STATUS_DEVICE_REMOVED, [&](Endpoint& e) {
    return e.ask_peer({.buffer = Buffer,
                       .length = BufferSize,
                       .mdl = ExternalDataMdl,
                       .flags = Flags,
                       .answer = CompletionBuffer,
                       .answer_size = CompletionBufferSize,
                       .timeout = Timeout});
  });
}

}  // extern "C"
