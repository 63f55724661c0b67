#pragma once
/// The event flags of one virtual processor: which channels were signalled since it last looked.
///
///   EventFlags flags(page);                                     // 4 KiB of guest memory, the processor's SIEF page
///   if (flags.set(17)) interrupt_the_processor();
///   flags.take([&](std::uint32_t flag) { run_channel(flag); });  // in its interrupt routine
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "models/hw/guest_memory.hpp"
#include "vmbsim/bytes.hpp"

namespace vmbsim::vmbus {

/// Sizes    The page holds 16 sources of 256 bytes: 2048 flags each; flag n is bit n mod 8 of byte n / 8. VMBus uses
///          source 2.
/// Rules    Setting a flag that was clear is an edge and interrupts; setting one that is set does nothing, so whoever handles
///          the interrupt clears the flag before acting on it. A masked source loses the edge: the flag stays set, and no
///          later signal of that flag interrupts before somebody has taken it.
/// Source   Hyper-V TLFS, Inter-Partition Communication: SynIC event flags, SINTx registers; HV_SYNIC_EVENT_FLAGS.
///          Linux, vmbus_chan_sched: ascending order, one atomic clear per flag.
class EventFlags {
 public:
  static constexpr std::uint32_t count = 2048;
  static constexpr std::uint32_t vmbus_source = 2;

  /// `page` is the whole SIEF page: 4096 bytes. Flags that are set in it stay set.
  explicit EventFlags(std::span<std::byte> page);

  /// Sets a flag below 2048. True: a 0 became a 1 and the source is not masked, so the processor must be interrupted.
  [[nodiscard]] bool set(std::uint32_t flag);

  /// Clears and visits every flag that is set, in ascending order. A flag that is set again while its visit runs stays set
  /// for the next take, and has raised its own edge.
  template <class Visit>
  void take(Visit visit) {
    for (std::uint32_t word = 0; word < word_count; ++word) {
      for (std::uint64_t pending = load(word); pending != 0; pending &= pending - 1) {
        const std::uint64_t lowest = pending & (0 - pending);
        store(word, load(word) & ~lowest);
        visit(word * 64 + static_cast<std::uint32_t>(std::countr_zero(pending)));
      }
    }
  }

  void clear(std::uint32_t flag) { store(flag / 64, load(flag / 64) & ~(std::uint64_t{1} << flag % 64)); }
  /// The flags of a masked source still get set, but raise nothing.
  void mask(bool masked) { masked_ = masked; }
  bool masked() const { return masked_; }
  bool is_set(std::uint32_t flag) const;
  bool any() const;
  std::uint64_t lost_edges() const { return lost_edges_; }  ///< edges that a masked source swallowed

 private:
  static constexpr std::uint32_t word_count = count / 64;
  std::uint64_t load(std::uint32_t word) const;
  void store(std::uint32_t word, std::uint64_t value);

  std::byte* flags_;
  bool masked_ = false;
  std::uint64_t lost_edges_ = 0;
};

}  // namespace vmbsim::vmbus
