#pragma once
/// What the host drivers have in common: a channel that is configured, offered to the guest and started.
#include "models/kmcl/device.hpp"
#include "vmbuskernelmodeclientlibapi.h"

namespace vmbsim::drivers {

struct ServerChannel {
  kmcl::Device& device;     ///< its offer's GUIDs are the channel's
  void* pointer = nullptr;  ///< VmbChannelGetPointer answers with it
  UINT32 maximum_packet_size = 0;
  UINT32 maximum_external_data = 0;  ///< 0: none
  bool passive = false;
  UINT32 quota = 0;  ///< 0: unlimited
  PFN_VMB_CHANNEL_PROCESS_PACKET on_packet = nullptr;
  PFN_VMB_CHANNEL_STARTED on_started = nullptr;
  PFN_VMB_CHANNEL_SUSPEND on_suspend = nullptr;
  PFN_VMB_CHANNEL_CLOSED on_closed = nullptr;
};

/// Allocates, configures, enables and starts it; at PASSIVE_LEVEL.
VMBCHANNEL offer_channel(const ServerChannel& wanted);

}  // namespace vmbsim::drivers
