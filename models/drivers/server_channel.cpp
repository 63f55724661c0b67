#include "models/drivers/server_channel.hpp"

#include "models/drivers/must.hpp"

namespace vmbsim::drivers {

VMBCHANNEL offer_channel(const ServerChannel& wanted) {
  VMBCHANNEL channel = nullptr;
  must(VmbChannelAllocate(&wanted.device.object, TRUE, &channel));
  VmbChannelSetPointer(channel, wanted.pointer);
  must(VmbChannelInitSetMaximumPacketSize(channel, wanted.maximum_packet_size));
  if (wanted.maximum_external_data != 0)
    must(VmbChannelInitSetMaximumExternalData(channel, wanted.maximum_external_data, 1));
  must(VmbServerChannelInitSetTargetInterfaceId(channel, wanted.device.id.type, wanted.device.id.instance));
  must(VmbChannelInitSetProcessPacketCallbacks(channel, wanted.on_packet, nullptr));
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
  callbacks.EvtChannelStarted = wanted.on_started;
  callbacks.EvtChannelSuspend = wanted.on_suspend;
  callbacks.EvtChannelClosed = wanted.on_closed;
  must(VmbChannelInitSetStateChangeCallbacks(channel, &callbacks));
  VmbChannelSetIncomingProcessingAtPassive(channel, wanted.passive ? TRUE : FALSE);
  if (wanted.quota != 0) VmbChannelSetTransactionQuota(channel, wanted.quota);
  const NTSTATUS status = VmbChannelEnable(channel);
  must(status);
  VmbChannelStart(channel);
  return channel;
}

}  // namespace vmbsim::drivers
