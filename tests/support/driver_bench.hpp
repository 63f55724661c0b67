#pragma once
/// Two partitions with the devices of one channel and its subchannels, for the built-in drivers to sit on.
#include <memory>
#include <string>
#include <vector>

#include "models/drivers/client_channels.hpp"
#include "models/drivers/request.hpp"
#include "tests/support/channel_pair.hpp"

namespace vmbsim::drivers {

using testing::TwoPartitions;
inline constexpr GUID type{1, 2, 3, {}};
inline constexpr GUID instance{4, 5, 6, {}};

/// Devices of a primary channel and its subchannels, each at its own processor.
struct Bench : ReadyListener {
  explicit Bench(std::uint16_t channels, std::uint32_t cpus = 4)
      : machines(
            {.costs = testing::costs_of({{&hw::Costs::signal_host, 1us}}), .host_cpus = cpus, .guest_cpus = cpus}) {
    for (std::uint16_t i = 0; i < channels; ++i) {
      at_host.push_back(std::make_unique<kmcl::Device>("channel", machines.host, machines.bus));
      at_guest.push_back(std::make_unique<kmcl::Device>("channel", machines.guest, machines.bus));
      at_host.back()->id = at_guest.back()->id = {.type = type, .instance = instance, .subchannel = i};
      at_host.back()->target = at_guest.back()->target = CpuId{i % cpus};
    }
  }
  ClientChannels::Config client() {
    ClientChannels::Config config{.devices = {},
                                  .to_host = {1},
                                  .to_guest = {1},
                                  .maximum_packet_size = 256,
                                  .maximum_external_data = 0,
                                  .ready = this};
    for (const auto& device : at_guest) config.devices.push_back(device.get());
    return config;
  }
  void on_ready() override { ++ready; }
  void start(os::Partition& at, Driver& driver) {
    machines.start(at, 0, [&] { driver.start(); });
    machines.quiesce();
  }
  /// Submits on one processor; answers where it was done.
  void submit(RequestPort& port, Request& request, std::uint32_t cpu) {
    request.owner = this;
    request.done = [](Request& over) {
      auto& self = *static_cast<Bench*>(over.owner);
      self.done.push_back({&over, hw::Processor::current()->name(), self.machines.world.now()});
    };
    machines.start(machines.guest, cpu, [&] { port.submit(request); });
  }
  struct Done {
    Request* request;
    std::string processor;
    SimTime time;
  };
  TwoPartitions machines;
  std::vector<std::unique_ptr<kmcl::Device>> at_host, at_guest;
  std::vector<Done> done;
  int ready = 0;
};

}  // namespace vmbsim::drivers
