#pragma once
/// How a message gets from one partition into another: a port with few buffers, a slot that holds one message, and a sender
/// that tries again.
///
/// Way      HvPostMessage takes one of the port's 16 buffers, or refuses with insufficient buffers. The message reaches its
///          processor's queue, and from there the slot of its interrupt source once that is empty, which interrupts. While
///          the slot is full nothing interrupts; the slot's pending flag then asks the receiver to write EOM.
/// Receiver The interrupt routine queues a DPC; the DPC copies the message, frees the slot, looks at the pending flag, writes
///          EOM when it is set, and only then hands the message on.
/// Source   Hyper-V TLFS, Inter-Partition Communication: SynIC messages, HvCallPostMessage, HV_MESSAGE; Linux, vmbus_on_msg_dpc
///          and vmbus_post_msg.
#include <cstdint>
#include <span>

#include "models/vmbus/messages.hpp"
#include "models/vmbus/synic.hpp"
#include "sim/kernel/fifo.hpp"

namespace vmbsim::vmbus {

/// One message slot of a SIM page: 16 bytes of header, 240 of payload. A view.
///
/// Layout   u32 type, 0 when the slot is empty; u8 payload size; u8 flags, bit 0: more are pending; u16 reserved; u64 port;
///          payload. The page has one slot for each of the 16 interrupt sources of its processor.
class MessageSlot {
 public:
  static constexpr std::size_t size = 256;
  static constexpr std::uint32_t vmbus_source = 2;     ///< SINT2
  static constexpr std::uint32_t channel_message = 1;  ///< HV_MESSAGE_TYPE of everything that VMBus says

  /// `page` is the whole SIM page.
  MessageSlot(std::span<std::byte> page, std::uint32_t source) : bytes_(page.subspan(source * size, size)) {}

  bool empty() const { return type() == 0; }
  bool pending() const { return (bytes_[5] & std::byte{1}) != std::byte{}; }
  std::uint64_t port() const;
  MessageBytes payload() const;
  /// The type goes in last: it is what says that the rest is there.
  void put(std::uint64_t port, std::span<const std::byte> payload);
  void set_pending() { bytes_[5] |= std::byte{1}; }
  void clear();

 private:
  std::uint32_t type() const;
  std::span<std::byte> bytes_;
};

/// A port of the receiving partition, as those see it who post to it.
class MessagePort {
 public:
  static constexpr std::uint32_t buffers = 16;
  enum class Posted : std::uint8_t { success, insufficient_buffers };

  struct Config {
    Synic& synic;      ///< of the receiver
    CpuId cpu;         ///< messages keep their order: the port has one processor
    std::uint64_t id;  ///< free there; what the slot says about where a message came from
    kernel::Stream latency;
    void (*receiver)(void* object, MessageBytes message);  ///< in the message DPC, at DISPATCH_LEVEL
    void* object;
  };
  explicit MessagePort(Config config);
  ~MessagePort();
  MessagePort(const MessagePort&) = delete;
  MessagePort& operator=(const MessagePort&) = delete;

  /// HvPostMessage: 1 to 240 bytes. It takes the profile's control_message latency, the caller's hypercall included, and none
  /// overtakes another.
  [[nodiscard]] Posted post(MessageBytes message);
  std::uint32_t buffers_in_use() const { return in_use_; }

 private:
  friend class Synic;
  void on_arrival();

  Config config_;
  ActorId actor_;
  std::uint32_t in_use_ = 0;
  kernel::Fifo<MessageBytes> travelling_;
  SimTime last_due_{};
};

/// The sending end: posts in order, and posts again what was refused, a microsecond later, then twice that, and so on.
class MessageSender {
 public:
  /// A message that was refused this often is given up, with all behind it. Source: Linux, vmbus_post_msg: 100 tries, the first
  /// 22 waits doubling from 1 us.
  static constexpr std::uint32_t most_tries = 100;

  MessageSender(os::Partition& partition, MessagePort& port);
  MessageSender(const MessageSender&) = delete;
  MessageSender& operator=(const MessageSender&) = delete;

  void send(MessageBytes message);
  std::uint64_t refused() const { return refused_; }  ///< posts that found no buffer

 private:
  void go_on();

  os::Partition& partition_;
  MessagePort& port_;
  ActorId actor_;
  kernel::Fifo<MessageBytes> waiting_;
  std::uint32_t tries_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace vmbsim::vmbus
