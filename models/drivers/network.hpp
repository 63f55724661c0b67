#pragma once
/// A network pair: frames go out through sections of a send buffer or as external data, and come in through sections of a
/// receive buffer; both buffers are the guest's, shared for as long as the channel is open.
///
/// A write sends a frame of the request's size. A read sends a small frame and is done when the frame of the request's size
/// that answers it has come in.
/// Source   Linux, netvsc.c and hyperv_net.h; the sources of each number are in network_protocol.hpp.
#include <memory>
#include <span>
#include <vector>

#include "models/drivers/client_channels.hpp"
#include "models/drivers/device_adapter.hpp"
#include "models/drivers/network_protocol.hpp"
#include "models/drivers/request.hpp"
#include "sim/kernel/distribution.hpp"

namespace vmbsim::drivers {

/// Guest end. A frame that fits a send section is copied into one, unless all are under way; others are external data.
///
/// Flow control  of each channel: below 10 % free ring space its queue stops; above 20 %, or when nothing it sent is under way
///               any more, it runs again. KMCL shows no ring indices, so a sent packet counts as in the ring until its answer
///               is there.
/// Source        Linux, netvsc_drv.c: RING_AVAIL_PERCENT_LOWATER and _HIWATER.
class NetworkClient final : public Driver, public RequestPort, private ChannelUser {
 public:
  struct Config {
    ClientChannels::Config channels;    ///< packet and external data sizes are the driver's own business
    kernel::Distribution process_time;  ///< processor time per completed request
    kernel::Stream stream;              ///< for process_time and copies
  };
  explicit NetworkClient(Config config);
  void start() override { channels_.start(); }
  void stop() override { channels_.stop(); }
  void submit(Request& request) override;

 private:
  /// One channel's way out.
  struct Queue {
    Bytes in_ring{};  ///< of packets without an answer yet
    std::uint64_t unanswered = 0;
    bool stopped = false;
    RequestQueue waiting;
  };
  /// What one request needs while it is under way; used again afterwards.
  struct Slot {
    NetworkClient* client;
    UINT64 cookie;  ///< its index in slots_
    NetworkMessage message;
    PVOID buffer = nullptr;  ///< for external data, once it was needed
    PMDL mdl = nullptr;
    std::size_t queue = 0;
    Bytes packet{};  ///< in the ring
    Request* request = nullptr;
    int awaited = 0;  ///< the answer to its packet, the frame that answers it
    Slot* next = nullptr;
  };

  // ChannelUser
  NTSTATUS on_opened(std::size_t number, VMBCHANNEL channel) override;
  void on_started(std::size_t number, VMBCHANNEL channel) override;
  void on_closed(std::size_t number, VMBCHANNEL channel) override;
  void on_packet(std::size_t number, VMBPACKETCOMPLETION packet, std::span<const std::byte> message) override;

  NetworkReply ask(VMBCHANNEL channel, const NetworkMessage& question);
  bool send(std::size_t number, Request& request);
  bool place_frame(Slot& slot, const NetworkFrameHeader& header);
  bool give_buffer(Slot& slot);
  static void on_sent(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length);
  void one_part_over(Slot& slot);
  void run_queue(std::size_t number);

  ClientChannels channels_;
  const Bytes ring_;
  kernel::Distribution process_time_;
  kernel::Stream stream_;
  std::vector<Queue> queues_;
  std::byte* send_buffer_ = nullptr;
  std::byte* receive_buffer_ = nullptr;
  UINT32 send_gpadl_ = 0;
  UINT32 receive_gpadl_ = 0;
  std::vector<UINT32> free_sections_;  // of the send buffer
  std::vector<std::unique_ptr<Slot>> slots_;
  Slot* free_ = nullptr;
};

/// Host end of a channel and its subchannels, which share the guest's buffers. Behind it is a wire: a device whose service is the
/// time of a frame on it. A frame that finds no free receive sections waits for some.
class NetworkServer final : public Driver {
 public:
  /// One channel, primary first.
  struct Port {
    kmcl::Device& device;
    DeviceAdapter& adapter;
    kernel::Stream stream;  ///< for process_time and copies
  };
  struct Config {
    std::vector<Port> ports;
    bool passive = false;
    std::uint32_t quota = 0;        ///< 0: unlimited
    bool recorded_service = false;  ///< use the service time that the frame brings
    kernel::Distribution process_time;
  };
  explicit NetworkServer(Config config);
  void start() override;

 private:
  struct Queue {
    NetworkServer* server;
    Port* port;
    VMBCHANNEL channel = nullptr;
    bool suspended = false;
  };
  static Queue& of(VMBCHANNEL channel) { return *static_cast<Queue*>(VmbChannelGetPointer(channel)); }
  /// A frame under way: first to the wire, then, where it wants an answer, the answer to the guest.
  struct Job {
    DeviceAdapter::Io io;
    Queue* queue = nullptr;
    VMBPACKETCOMPLETION packet = nullptr;
    NetworkFrameHeader frame{};
    std::vector<UINT32> sections;  ///< of the receive buffer
    NetworkReceive message{};
    Job* next = nullptr;
  };
  /// A buffer of the guest's.
  struct Buffer {
    UINT32 gpadl = 0;
    std::byte* bytes = nullptr;  ///< null: none is shared
    UINT32 section_count = 0;
  };

  static void on_closed(VMBCHANNEL channel);
  static void on_packet(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length, UINT32 flags);
  NetworkReply on_control(VMBCHANNEL channel, const NetworkMessage& message);
  NTSTATUS share(VMBCHANNEL channel, Buffer& buffer, const NetworkMessage& message, UINT32 section_bytes);
  void unshare(VMBCHANNEL channel, Buffer& buffer);
  NTSTATUS read_header(VMBPACKETCOMPLETION packet, const NetworkMessage& message, bool external,
                       NetworkFrameHeader& header);
  Job& fresh_job();
  void recycle(Job& job);
  static void on_wire_done(DeviceAdapter::Io& io);
  void deliver_waiting();
  bool deliver(Job& job);
  static void on_received(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length);

  Config config_;
  std::vector<Queue> queues_;
  Buffer send_;
  Buffer receive_;
  std::vector<UINT32> free_sections_;  // of the receive buffer
  std::vector<std::unique_ptr<Job>> jobs_;
  Job* free_ = nullptr;
  Job* first_waiting_ = nullptr;  // answers without sections, in order
  Job* last_waiting_ = nullptr;
};

}  // namespace vmbsim::drivers
