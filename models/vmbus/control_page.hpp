#pragma once
/// The control page of a ring: five 32-bit words that the two ends share, and the one door to them.
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "models/vmbus/ring_watch.hpp"

namespace vmbsim::vmbus {

/// Every access that either end makes to a control word goes through here, with the memory order the protocol needs.
///
/// Rules    Each word is one atomic 32-bit cell. One host thread plays both ends, so the barrier has to hold back the
///          compiler only; the orders are those a real pair of processors needs. In a hunt a watch stands in the door: it
///          lets the other end come between any two accesses, and keeps stores in the processor's buffer.
/// Source   EMCL, RingBuffer.c; Linux, ring_buffer.c: the barriers around hv_signal_on_write and hv_pkt_iter_close.
class ControlWords {
 public:
  explicit ControlWords(std::byte* page) : page_(page) {}

  /// From now on; null: not any more.
  void watch(RingWatch* watch) { watch_ = watch; }
  RingWatch* watch() const { return watch_; }
  bool planted(faults::Planted bug) const { return watch_ != nullptr && watch_->planted(bug); }

  std::uint32_t load(ControlWord word) const {
    if (watch_ != nullptr) [[unlikely]]
      return watch_->load(word, false);
    return cell(word).load(std::memory_order_relaxed);
  }
  /// Nothing that follows in program order is read before this.
  std::uint32_t load_acquire(ControlWord word) const {
    if (watch_ != nullptr) [[unlikely]]
      return watch_->load(word, true);
    return cell(word).load(std::memory_order_acquire);
  }
  void store(ControlWord word, std::uint32_t value) {
    if (watch_ != nullptr) [[unlikely]]
      return watch_->store(word, value, false);
    cell(word).store(value, std::memory_order_relaxed);
  }
  /// Everything that precedes in program order is done before this.
  void store_release(ControlWord word, std::uint32_t value) {
    if (watch_ != nullptr) [[unlikely]]
      return watch_->store(word, value, true);
    cell(word).store(value, std::memory_order_release);
  }
  /// Stores above become visible before loads below are made: the order even x64 does not give by itself.
  void full_barrier() const {
    if (watch_ != nullptr) [[unlikely]]
      watch_->barrier();
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  /// The word as a debugger would see it: for figures, never for a decision of the protocol.
  std::uint32_t observe(ControlWord word) const { return cell(word).load(std::memory_order_relaxed); }

 private:
  std::atomic_ref<std::uint32_t> cell(ControlWord word) const {
    return std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(page_ + static_cast<std::uint32_t>(word)));
  }

  std::byte* page_;
  RingWatch* watch_ = nullptr;
};

}  // namespace vmbsim::vmbus
