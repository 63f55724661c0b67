#pragma once
/// The synthetic interrupt controllers of one partition: signals and messages go in, the VMBus interrupt routine tells whom
/// they are for.
///
/// Signals  A port is one event flag at one processor, with whoever handles it. A signal sets the flag; only its edge from 0 to
///          1 interrupts, after the signal's latency. The routine clears flags before it acts on them, in ascending order.
/// Messages A processor has one slot for them and a queue in front of it; message_port.hpp tells their way. The routine looks
///          at the flags first, then at the slot, and tries the queue again at its end of interrupt.
/// Source   Hyper-V TLFS, Inter-Partition Communication; Linux, vmbus_isr and vmbus_chan_sched.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/os/partition.hpp"
#include "models/vmbus/event_flags.hpp"

namespace vmbsim::vmbus {

class MessagePort;

class Synic {
 public:
  /// Called by the interrupt routine, at device level, when the port's flag was found set.
  using Receiver = void (*)(void* object);

  explicit Synic(os::Partition& partition);
  ~Synic();
  Synic(const Synic&) = delete;
  Synic& operator=(const Synic&) = delete;

  struct Page;
  /// One flag at one processor. A default-constructed port is closed: signals to it vanish.
  struct Port {
    Page* page = nullptr;
    std::uint32_t flag = 0;
  };

  /// `connection` tells the flag pages of different peers apart; `flag` is below EventFlags::count and free there.
  Port open(std::uint32_t connection, CpuId cpu, std::uint32_t flag, Receiver receiver, void* object);
  void close(Port& port);
  /// The same flag as its peer addresses it: whoever handles it, now or later. Nothing for a processor that does not exist.
  std::optional<Port> at(std::uint32_t connection, std::uint32_t cpu, std::uint32_t flag);
  /// The processor of an open port.
  static CpuId cpu_of(const Port& port);

  /// HvSignalEvent: sets the port's flag and interrupts its processor `latency` later, unless the flag was set already.
  void signal(const Port& port, Duration latency);

  /// Takes a port's edge back before anybody has acted on it: what a planted bug does.
  void clear(const Port& port);

  os::Partition& partition() { return partition_; }
  std::uint64_t spurious() const { return spurious_; }  ///< interrupts that found neither a flag set nor a message

  /// The message slots of a processor as guest memory shows them, one page; empty where no port was ever opened.
  std::span<std::byte> message_page(CpuId cpu);

 private:
  friend class MessagePort;
  struct Cpu;
  struct Messages;
  void on_interrupt(Cpu& cpu);
  Page& page_of(std::uint32_t connection, Cpu& cpu);
  std::span<std::byte> allocate_page();

  void open_messages(MessagePort& port);
  void close_messages(MessagePort& port);
  void queue_message(MessagePort& port, std::vector<std::byte> message);
  void fill_slot(Cpu& cpu);
  void take_message(Cpu& cpu);

  os::Partition& partition_;
  std::vector<std::unique_ptr<Cpu>> cpus_;
  std::uint64_t spurious_ = 0;
};

}  // namespace vmbsim::vmbus
