#pragma once
/// What both guest drivers have in common: a primary channel and its subchannels, opened in order.
///
/// The primary comes first; each further channel is enabled when the one before it has started. A request goes out on the channel
/// that interrupts the processor it is submitted on, so that its completion comes back there.
/// Source   OpenVMM guide, "storvsp channels"; Linux, storvsc: outgoing channel chosen by the current processor.
#include <vector>

#include "models/drivers/request.hpp"
#include "models/kmcl/device.hpp"
#include "vmbuskernelmodeclientlibapi.h"

namespace vmbsim::drivers {

class ClientChannels {
 public:
  struct Config {
    std::vector<kmcl::Device*> devices;  ///< primary first
    Pages to_host;
    Pages to_guest;
    std::uint32_t maximum_packet_size;
    std::uint32_t maximum_external_data;  ///< 0: none
    bool passive = false;
    std::uint32_t quota = 0;  ///< 0: unlimited
    ReadyListener* ready = nullptr;
  };
  explicit ClientChannels(Config config) : config_(std::move(config)) {}

  /// Allocates, configures and enables the primary.
  void start();
  /// The channel for a request submitted on the executing processor.
  VMBCHANNEL here() const;

 private:
  void enable_next();
  static void on_post_started(VMBCHANNEL channel);

  Config config_;
  std::vector<VMBCHANNEL> prepared_;  // all of them, primary first
  std::vector<VMBCHANNEL> channels_;  // those that have started
};

}  // namespace vmbsim::drivers
