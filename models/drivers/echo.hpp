#pragma once
/// The smallest pair of drivers: the client sends inline data, the server answers with the same bytes.
#include <memory>
#include <vector>

#include "models/drivers/client_channels.hpp"
#include "models/drivers/request.hpp"
#include "sim/kernel/distribution.hpp"

namespace vmbsim::drivers {

/// Guest end: one in-band packet with WAIT_FOR_COMPLETION per request. No more packets are under way than fill all rings of the
/// channel twice, so that no ring runs dry; further requests wait in front of the driver, where they take no packet.
class EchoClient final : public Driver, public RequestPort {
 public:
  struct Config {
    ClientChannels::Config channels;
    kernel::Distribution process_time;  ///< processor time per completed request
    kernel::Stream stream;              ///< for process_time
  };
  explicit EchoClient(Config config);
  void start() override;
  void stop() override { channels_.stop(); }
  void submit(Request& request) override;

 private:
  bool send(Request& request);
  void cross_locks();
  static void on_completed(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length);

  const Bytes most_under_way_;  // of the packets in their rings
  Bytes under_way_{};
  std::vector<std::byte> message_;  // what requests send, as long as the longest; waiting packets refer to it
  ClientChannels channels_;
  kernel::Distribution process_time_;
  kernel::Stream stream_;
  RequestQueue waiting_;           // for packets under way to return, or for memory
  std::vector<KSPIN_LOCK> locks_;  // for planted bugs: of each channel
  std::vector<KMUTEX> mutexes_;
};

/// Host end of one channel.
class EchoServer final : public Driver {
 public:
  struct Config {
    kmcl::Device& device;
    std::uint32_t maximum_packet_size;
    bool passive = false;
    std::uint32_t quota = 0;  ///< 0: unlimited
    kernel::Distribution process_time;
    kernel::Stream stream;
  };
  explicit EchoServer(Config config) : config_(std::move(config)) {}
  void start() override;

 private:
  static void on_packet(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length, UINT32 flags);
  Config config_;
};

}  // namespace vmbsim::drivers
