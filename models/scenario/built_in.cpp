#include "models/scenario/built_in.hpp"

#include <utility>

#include "models/drivers/echo.hpp"
#include "models/drivers/network.hpp"
#include "models/drivers/storage.hpp"

namespace vmbsim::scenario {

namespace {

// The SCSI controller's and the network adapter's. Source: Linux, hyperv.h: HV_SCSI_GUID, HV_NIC_GUID.
constexpr GUID storage_type{0xba6163d9, 0x04a1, 0x4d29, {0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f}};
constexpr GUID network_type{0xf8615163, 0xdf3e, 0x46c5, {0x91, 0x3f, 0xf2, 0xd2, 0xf9, 0x65, 0xed, 0x0e}};
/// No such device exists outside vmbsim.
constexpr GUID echo_type{0x6f686365, 0x766d, 0x6273, {0x69, 0x6d, 0, 0, 0, 0, 0, 1}};

bool at_passive(const EndpointSpec& endpoint) { return endpoint.processing == Processing::passive; }

kernel::Stream stream_of(const HostSide& side, const kmcl::Device& device) {
  return side.host.world().stream(device.name, "host driver");
}

drivers::DeviceAdapter& adapter_of(const HostSide& side, const kmcl::Device& device) {
  side.adapters.push_back(
      std::make_unique<drivers::DeviceAdapter>(side.host, device.target, *side.resource, device.name));
  return *side.adapters.back();
}

std::unique_ptr<drivers::Driver> echo_server(const HostSide& side, kmcl::Device& device, Bytes largest_request) {
  const EndpointSpec& endpoint = side.spec.host_endpoint;
  return std::make_unique<drivers::EchoServer>(
      drivers::EchoServer::Config{.device = device,
                                  .maximum_packet_size = static_cast<std::uint32_t>(largest_request.count),
                                  .passive = at_passive(endpoint),
                                  .quota = endpoint.transaction_quota,
                                  .process_time = endpoint.process_time,
                                  .stream = stream_of(side, device)});
}

std::unique_ptr<drivers::Driver> storage_server(const HostSide& side, kmcl::Device& device, Bytes largest_request) {
  const EndpointSpec& endpoint = side.spec.host_endpoint;
  return std::make_unique<drivers::StorageServer>(drivers::StorageServer::Config{
      .device = device,
      .disk = adapter_of(side, device),
      .maximum_request = largest_request,
      .passive = at_passive(endpoint),
      .quota = endpoint.transaction_quota,
      .complete_in_worker = side.spec.device.completion == DeviceSpec::Completion::worker,
      .recorded_service = side.spec.device.service_from_trace,
      .process_time = endpoint.process_time,
      .stream = stream_of(side, device)});
}

/// One driver for all channels: they share the guest's buffers.
std::unique_ptr<drivers::Driver> network_server(const HostSide& side) {
  const EndpointSpec& endpoint = side.spec.host_endpoint;
  drivers::NetworkServer::Config config{.ports = {},
                                        .passive = at_passive(endpoint),
                                        .quota = endpoint.transaction_quota,
                                        .recorded_service = side.spec.device.service_from_trace,
                                        .process_time = endpoint.process_time};
  for (const auto& device : side.devices)
    config.ports.push_back({*device, adapter_of(side, *device), stream_of(side, *device)});
  return std::make_unique<drivers::NetworkServer>(std::move(config));
}

template <class Client>
BuiltInClient client_of(typename Client::Config config) {
  auto client = std::make_unique<Client>(std::move(config));
  drivers::RequestPort* port = client.get();
  return {std::move(client), port};
}

}  // namespace

GUID interface_type(const ChannelSpec& spec) {
  if (spec.driver == "storage") return storage_type;
  return spec.driver == "network" ? network_type : echo_type;
}

std::vector<std::unique_ptr<drivers::Driver>> built_in_servers(const HostSide& side, Bytes largest_request) {
  std::vector<std::unique_ptr<drivers::Driver>> servers;
  if (side.spec.driver == "network") {
    servers.push_back(network_server(side));
    return servers;
  }
  for (const auto& device : side.devices)
    servers.push_back(side.spec.driver == "storage" ? storage_server(side, *device, largest_request)
                                                    : echo_server(side, *device, largest_request));
  return servers;
}

BuiltInClient built_in_client(const ChannelSpec& spec, drivers::ClientChannels::Config channels, Bytes largest_request,
                              kernel::Stream stream) {
  const kernel::Distribution& process_time = spec.guest_endpoint.process_time;
  if (spec.driver == "network")
    return client_of<drivers::NetworkClient>(
        {.channels = std::move(channels), .process_time = process_time, .stream = std::move(stream)});
  if (spec.driver == "storage")
    return client_of<drivers::StorageClient>({.channels = std::move(channels),
                                              .maximum_request = largest_request,
                                              .process_time = process_time,
                                              .stream = std::move(stream)});
  channels.maximum_packet_size = static_cast<std::uint32_t>(largest_request.count);
  return client_of<drivers::EchoClient>(
      {.channels = std::move(channels), .process_time = process_time, .stream = std::move(stream)});
}

}  // namespace vmbsim::scenario
