#include "models/drivers/client_channels.hpp"

#include "ntddk.h"
#include "vmbsim/assert.hpp"

namespace vmbsim::drivers {

namespace {
void must(NTSTATUS status) { VMBSIM_ASSERT(NT_SUCCESS(status), "a built-in driver configures its channel correctly"); }

/// The host of the built-in drivers never sends requests of its own, so whatever arrives is refused.
void refuse(VMBCHANNEL, VMBPACKETCOMPLETION packet, PVOID, UINT32, UINT32) {
  VmbChannelPacketComplete(packet, nullptr, 0);
}
}  // namespace

void ClientChannels::start() {
  for (kmcl::Device* device : config_.devices) {
    VMBCHANNEL channel = nullptr;
    must(VmbChannelAllocate(&device->object, FALSE, &channel));
    VmbChannelSetPointer(channel, this);
    must(VmbChannelInitSetMaximumPacketSize(channel, config_.maximum_packet_size));
    if (config_.maximum_external_data != 0)
      must(VmbChannelInitSetMaximumExternalData(channel, config_.maximum_external_data, 1));
    must(VmbClientChannelInitSetRingBufferPageCount(channel, static_cast<UINT32>(config_.to_guest.count),
                                                    static_cast<UINT32>(config_.to_host.count)));
    must(VmbChannelInitSetProcessPacketCallbacks(channel, refuse, nullptr));
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
    callbacks.EvtChannelPostStarted = on_post_started;
    must(VmbChannelInitSetStateChangeCallbacks(channel, &callbacks));
    VmbChannelSetIncomingProcessingAtPassive(channel, config_.passive ? TRUE : FALSE);
    if (config_.quota != 0) VmbChannelSetTransactionQuota(channel, config_.quota);
    prepared_.push_back(channel);
  }
  enable_next();
}

void ClientChannels::enable_next() {
  if (channels_.size() == prepared_.size()) {
    if (config_.ready != nullptr) config_.ready->on_ready();
    return;
  }
  const NTSTATUS status = VmbChannelEnable(prepared_[channels_.size()]);
  must(status);
}

void ClientChannels::on_post_started(VMBCHANNEL channel) {
  auto& self = *static_cast<ClientChannels*>(VmbChannelGetPointer(channel));
  self.channels_.push_back(channel);
  self.enable_next();
}

VMBCHANNEL ClientChannels::here() const {
  const ULONG processor = KeGetCurrentProcessorNumber();
  for (std::size_t i = 0; i < channels_.size(); ++i)
    if (config_.devices[i]->target.value == processor) return channels_[i];
  return prepared_[processor % prepared_.size()];
}

}  // namespace vmbsim::drivers
