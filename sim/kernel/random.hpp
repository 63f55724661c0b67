#pragma once
/// Counter-based random streams: Philox4x32-10, one stream per named component and purpose.
///
///   Stream service(seed, "disk", "service time");
///   std::uint64_t u = service.next();
///
/// Adding a component never shifts the numbers of another, because a stream's numbers depend on the seed, the two names
/// and the draw's index only.
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11 (Philox4x32, ten rounds).
#include <array>
#include <cstdint>
#include <string_view>

#include "vmbsim/assert.hpp"
#include "vmbsim/ids.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim::kernel {

/// The bare Philox4x32-10 block function.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// An endless sequence of 64-bit numbers; a value: copying copies the position.
///
/// The key is the seed, low word first. The counter's lower half is the block's index, its upper half a 64-bit hash of
/// the two names: FNV-1a over component, the byte 0xff (which no UTF-8 text holds), purpose; then the finalizer of
/// SplitMix64. A block gives two numbers, first its words 0 and 1, then 2 and 3, low word first.
/// Sources: Fowler, Noll, Vo, Eastlake, "The FNV non-cryptographic hash algorithm"; Steele, Lea, Flood, "Fast splittable
/// pseudorandom number generators", OOPSLA'14.
class Stream {
 public:
  Stream(Seed seed, std::string_view component, std::string_view purpose);

  /// Uniform over all 64-bit numbers.
  std::uint64_t next() {
    if (position_ == buffer_.size()) [[unlikely]]
      refill();
    return buffer_[position_++];
  }

  /// Uniform in 0 .. bound-1 without bias. `bound` must not be 0. Draws once, rarely (bound / 2^64) again.
  /// Source: Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019.
  std::uint64_t below(std::uint64_t bound) {
    VMBSIM_ASSERT(bound != 0, "a number is drawn below a positive bound");
    Wide product = Wide{next()} * bound;
    if (static_cast<std::uint64_t>(product) < bound) [[unlikely]] {
      const std::uint64_t surplus = (0 - bound) % bound;  // 2^64 mod bound: so many low halves would be one too many
      while (static_cast<std::uint64_t>(product) < surplus) product = Wide{next()} * bound;
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

  /// True with probability numerator/denominator, decided by integers. Draws even when the answer is certain.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    VMBSIM_ASSERT(numerator <= denominator, "a probability is at most one");
    return below(denominator) < numerator;
  }

 private:
  void refill();

  std::array<std::uint64_t, 8> buffer_{};  // four blocks at a time: their rounds overlap in the processor
  std::uint32_t position_ = 8;
  std::array<std::uint32_t, 2> key_;
  std::uint64_t stream_;     // upper half of the counter: which component and purpose
  std::uint64_t block_ = 0;  // lower half: which block comes next
};

}  // namespace vmbsim::kernel
