#pragma once
/// The control page of a ring: five 32-bit words that the two ends share, and the one door to them.
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vmbsim::vmbus {

/// Byte offsets of the words in the control page; the enumerator's comment says who writes it.
/// Source: EMCL, VMRCB; OpenVMM, vmbus_ring: control page offsets; Linux, struct hv_ring_buffer.
enum class ControlWord : std::uint32_t {
  in = 0x00,              ///< writer: offset in the data area where the next packet will be written
  out = 0x04,             ///< reader: offset of the next packet to be read
  interrupt_mask = 0x08,  ///< reader: not 0: do not signal me for new packets
  pending_send = 0x0C,    ///< writer: not 0: signal me when that many bytes are free
  feature_bits = 0x40,    ///< writer: bit 0: I publish pending_send, and heed it on the opposite ring
};

inline constexpr std::uint32_t feature_pending_send = 1;

/// Every access that either end makes to a control word goes through here, with the memory order the protocol needs.
///
/// Rules    Each word is one atomic 32-bit cell. One host thread plays both ends, so the barrier has to hold back the
///          compiler only; the orders are those a real pair of processors needs.
/// Source   EMCL, RingBuffer.c; Linux, ring_buffer.c: the barriers around hv_signal_on_write and hv_pkt_iter_close.
class ControlWords {
 public:
  explicit ControlWords(std::byte* page) : page_(page) {}

  std::uint32_t load(ControlWord word) const { return cell(word).load(std::memory_order_relaxed); }
  /// Nothing that follows in program order is read before this.
  std::uint32_t load_acquire(ControlWord word) const { return cell(word).load(std::memory_order_acquire); }
  void store(ControlWord word, std::uint32_t value) { cell(word).store(value, std::memory_order_relaxed); }
  /// Everything that precedes in program order is done before this.
  void store_release(ControlWord word, std::uint32_t value) { cell(word).store(value, std::memory_order_release); }
  /// Stores above become visible before loads below are made: the order even x64 does not give by itself.
  void full_barrier() const { std::atomic_signal_fence(std::memory_order_seq_cst); }

  /// The word as a debugger would see it: for figures, never for a decision of the protocol.
  std::uint32_t observe(ControlWord word) const { return cell(word).load(std::memory_order_relaxed); }

 private:
  std::atomic_ref<std::uint32_t> cell(ControlWord word) const {
    return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(page_ + static_cast<std::uint32_t>(word)));
  }

  std::byte* page_;
};

}  // namespace vmbsim::vmbus
