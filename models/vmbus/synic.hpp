#pragma once
/// The synthetic interrupt controllers of one partition: signals go in, the VMBus interrupt routine tells whom they are for.
///
/// A port is one event flag at one processor, with whoever handles it. A signal sets the flag; only its edge from 0 to 1
/// interrupts, after the signal's latency. The routine clears flags before it acts on them, in ascending order.
/// Source   Hyper-V TLFS, Inter-Partition Communication; Linux, vmbus_isr and vmbus_chan_sched.
#include <cstdint>
#include <memory>
#include <vector>

#include "models/os/partition.hpp"
#include "models/vmbus/event_flags.hpp"

namespace vmbsim::vmbus {

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

  /// HvSignalEvent: sets the port's flag and interrupts its processor `latency` later, unless the flag was set already.
  void signal(const Port& port, Duration latency);

  os::Partition& partition() { return partition_; }
  std::uint64_t spurious() const { return spurious_; }  ///< interrupts that found no flag set

 private:
  struct Cpu;
  void on_interrupt(Cpu& cpu);

  os::Partition& partition_;
  std::vector<std::unique_ptr<Cpu>> cpus_;
  std::uint64_t spurious_ = 0;
};

}  // namespace vmbsim::vmbus
