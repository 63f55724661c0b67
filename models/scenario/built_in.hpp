#pragma once
/// The built-in drivers of a channel, as its part of the scenario describes them.
#include <memory>
#include <vector>

#include "models/drivers/client_channels.hpp"
#include "models/drivers/device_adapter.hpp"
#include "models/scenario/scenario.hpp"

namespace vmbsim::scenario {

/// Interface type of what a channel's built-in drivers offer and look for.
GUID interface_type(const ChannelSpec& spec);

/// The host's side of one channel instance.
struct HostSide {
  const ChannelSpec& spec;
  os::Partition& host;
  const std::vector<std::unique_ptr<kmcl::Device>>& devices;       ///< primary first
  device::Resource* resource;                                      ///< null for what has no device
  std::vector<std::unique_ptr<drivers::DeviceAdapter>>& adapters;  ///< filled: one for each device
};
std::vector<std::unique_ptr<drivers::Driver>> built_in_servers(const HostSide& side, Bytes largest_request);

struct BuiltInClient {
  std::unique_ptr<drivers::Driver> driver;
  drivers::RequestPort* port;  ///< its top
};
BuiltInClient built_in_client(const ChannelSpec& spec, drivers::ClientChannels::Config channels, Bytes largest_request,
                              kernel::Stream stream);

}  // namespace vmbsim::scenario
