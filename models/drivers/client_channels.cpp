#include "models/drivers/client_channels.hpp"

#include "models/drivers/must.hpp"
#include "ntddk.h"

namespace vmbsim::drivers {

void ClientChannels::start() {
  for (kmcl::Device* device : config_.devices) prepare(*device);
  enable_next();
}

void ClientChannels::stop() {
  for (std::size_t i = channels_.size(); i-- > 0;) VmbChannelDisable(channels_[i].handle);
}

void ClientChannels::prepare(kmcl::Device& device) {
  Channel& channel = channels_.emplace_back(Channel{*this, channels_.size()});
  must(VmbChannelAllocate(&device.object, FALSE, &channel.handle));
  VMBCHANNEL handle = channel.handle;
  VmbChannelSetPointer(handle, &channel);
  must(VmbChannelInitSetMaximumPacketSize(handle, config_.maximum_packet_size));
  if (config_.maximum_external_data != 0)
    must(VmbChannelInitSetMaximumExternalData(handle, config_.maximum_external_data, 1));
  must(VmbClientChannelInitSetRingBufferPageCount(handle, static_cast<UINT32>(config_.to_guest.count),
                                                  static_cast<UINT32>(config_.to_host.count)));
  must(VmbChannelInitSetProcessPacketCallbacks(handle, on_packet, nullptr));
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
  callbacks.EvtChannelPostStarted = on_post_started;
  if (config_.user != nullptr) {
    callbacks.EvtChannelOpened = on_opened;
    callbacks.EvtChannelClosed = on_closed;
  }
  must(VmbChannelInitSetStateChangeCallbacks(handle, &callbacks));
  VmbChannelSetIncomingProcessingAtPassive(handle, config_.passive ? TRUE : FALSE);
  if (config_.quota != 0) VmbChannelSetTransactionQuota(handle, config_.quota);
}

void ClientChannels::enable_next() {
  if (started_ == channels_.size()) {
    if (config_.ready != nullptr) config_.ready->on_ready();
    return;
  }
  const NTSTATUS status = VmbChannelEnable(channels_[started_].handle);
  must(status);
}

NTSTATUS ClientChannels::on_opened(VMBCHANNEL handle) {
  Channel& channel = of(handle);
  return channel.all.config_.user->on_opened(channel.number, handle);
}

void ClientChannels::on_post_started(VMBCHANNEL handle) {
  Channel& channel = of(handle);
  ClientChannels& self = channel.all;
  if (self.config_.user != nullptr) self.config_.user->on_started(channel.number, handle);
  ++self.started_;
  self.enable_next();
}

void ClientChannels::on_closed(VMBCHANNEL handle) {
  Channel& channel = of(handle);
  channel.all.config_.user->on_closed(channel.number, handle);
}

void ClientChannels::on_packet(VMBCHANNEL handle, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length, UINT32) {
  Channel& channel = of(handle);
  if (channel.all.config_.user == nullptr) return VmbChannelPacketComplete(packet, nullptr, 0);
  channel.all.config_.user->on_packet(channel.number, packet, {static_cast<const std::byte*>(buffer), length});
}

std::size_t ClientChannels::here() const {
  const ULONG processor = KeGetCurrentProcessorNumber();
  for (std::size_t i = 0; i < started_; ++i)
    if (config_.devices[i]->target.value == processor) return i;
  return processor % channels_.size();
}

}  // namespace vmbsim::drivers
