#pragma once
/// What the guest drivers have in common: a primary channel and its subchannels, opened in order.
///
/// The primary comes first; each further channel is enabled when the one before it has started. A request goes out on the channel
/// that interrupts the processor it is submitted on, so that its completion comes back there.
/// Source   OpenVMM guide, "storvsp channels"; Linux, storvsc: outgoing channel chosen by the current processor.
#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "models/drivers/request.hpp"
#include "models/kmcl/device.hpp"
#include "vmbuskernelmodeclientlibapi.h"

namespace vmbsim::drivers {

/// A driver that has more to do with its channels than to send over them. Channels are numbered, the primary is 0.
class ChannelUser {
 public:
  virtual ~ChannelUser() = default;
  /// EvtChannelOpened, EvtChannelPostStarted and EvtChannelClosed, at PASSIVE_LEVEL.
  virtual NTSTATUS on_opened(std::size_t number, VMBCHANNEL channel) = 0;
  virtual void on_started(std::size_t number, VMBCHANNEL channel) = 0;  ///< before the next channel is enabled
  virtual void on_closed(std::size_t number, VMBCHANNEL channel) = 0;
  /// EvtChannelProcessPacket, at or below DISPATCH_LEVEL.
  virtual void on_packet(std::size_t number, VMBPACKETCOMPLETION packet, std::span<const std::byte> message) = 0;
};

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
    ChannelUser* user = nullptr;  ///< null: whatever the host sends is refused
  };
  explicit ClientChannels(Config config) : config_(std::move(config)) {}

  /// Allocates, configures and enables the primary.
  void start();
  /// Closes them, the primary last.
  void stop();
  /// The number of the channel for a request submitted on the executing processor.
  std::size_t here() const;
  std::size_t count() const { return channels_.empty() ? config_.devices.size() : channels_.size(); }
  VMBCHANNEL operator[](std::size_t number) const { return channels_[number].handle; }

 private:
  /// What a channel's pointer is set to.
  struct Channel {
    ClientChannels& all;
    std::size_t number;
    VMBCHANNEL handle = nullptr;
  };
  static Channel& of(VMBCHANNEL handle) { return *static_cast<Channel*>(VmbChannelGetPointer(handle)); }
  void prepare(kmcl::Device& device);
  void enable_next();
  static NTSTATUS on_opened(VMBCHANNEL handle);
  static void on_post_started(VMBCHANNEL handle);
  static void on_closed(VMBCHANNEL handle);
  static void on_packet(VMBCHANNEL handle, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length, UINT32 flags);

  Config config_;
  std::deque<Channel> channels_;  // primary first
  std::size_t started_ = 0;       // of them
};

}  // namespace vmbsim::drivers
