#pragma once
/// The physical memory of one partition: page frames that cost nothing until somebody touches them.
///
///   GuestMemory memory({.size = 1048576_pages});                       // 4 GiB of address space, none of it committed
///   const Pfn first = memory.allocate(33_pages).value();
///   std::span<std::byte> page = memory.bytes(first, 0_B, 4_KiB).value();
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vmbsim/bytes.hpp"

namespace vmbsim::hw {

/// Page frame number: a guest physical address over 4096. 64 bits wide, as GPA ranges and GPADLs carry it.
using Pfn = std::uint64_t;

/// A byte of guest memory: `offset` lies in [0, 4096).
struct GuestAddress {
  Pfn pfn{};
  Bytes offset{};
  friend bool operator==(const GuestAddress&, const GuestAddress&) = default;
};

/// Sizes    Frames are 4 KiB; frame 0 is never handed out, so that a PFN of 0 is always a bad one.
/// Rules    The same calls give the same PFNs. An allocation is contiguous, and takes its page count rounded up to one of
///          four steps per octave; freed frames are used again by requests of the same step, last freed first.
/// Memory   The host commits a frame when it is first touched. Nothing is cleared on the way: frames that were used before
///          hold what they held, and only allocate_zeroed() promises zeros.
class GuestMemory {
 public:
  struct Config {
    Pages size;  ///< at least 1; an upper bound, not a cost
  };

  /// Throws std::bad_alloc when the host has no address space of that size.
  explicit GuestMemory(Config config);
  ~GuestMemory();
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;

  /// `count` contiguous frames; answers the first one, or nothing when the partition's memory is used up. At least 1.
  [[nodiscard]] std::optional<Pfn> allocate(Pages count);
  /// The same, every byte zero: for rings and other memory that is compared as an image. One system call where the frames
  /// were used before.
  [[nodiscard]] std::optional<Pfn> allocate_zeroed(Pages count);
  /// Gives back what allocate(count) answered with `first`.
  void free(Pfn first, Pages count);

  /// `length` bytes from `offset` on, counted from the start of frame `pfn`; may span frames. Nothing where any of it lies
  /// outside the frames handed out so far: the numbers may come from a hostile peer.
  [[nodiscard]] std::optional<std::span<std::byte>> bytes(Pfn pfn, Bytes offset, Bytes length) const {
    if (pfn < first_frame || pfn >= next_ || offset.count < 0 || length.count < 0) return std::nullopt;
    const std::uint64_t available = (next_ - pfn) * frame_bytes;
    const auto start = static_cast<std::uint64_t>(offset.count);
    const auto wanted = static_cast<std::uint64_t>(length.count);
    if (start > available || wanted > available - start) return std::nullopt;
    return std::span<std::byte>{base_ + (pfn - first_frame) * frame_bytes + start, wanted};
  }
  /// Where a host pointer lies in this memory; nothing for a pointer to something else. Memory descriptor lists are built
  /// over buffers in guest memory with it.
  [[nodiscard]] std::optional<GuestAddress> address_of(const void* pointer) const;

  Pages size() const { return {static_cast<std::int64_t>(end_ - first_frame)}; }
  /// Frames in somebody's hands, as they were asked for.
  Pages allocated() const { return allocated_; }

 private:
  static constexpr Pfn first_frame = 1;
  static constexpr std::uint64_t frame_bytes = static_cast<std::uint64_t>(page_size);
  static constexpr std::size_t step_count = 8 + 4 * 40;

  struct Found {
    Pfn first;
    bool used_before;
  };
  std::optional<Found> take(Pages count);

  std::byte* base_ = nullptr;  // frame 1
  Pfn next_ = first_frame;     // frames from here on were never handed out
  Pfn end_;
  Pages allocated_{};
  std::array<std::vector<Pfn>, step_count> freed_;  // by step: first frames of freed blocks
};

}  // namespace vmbsim::hw
