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

#include "vmbsim/ids.hpp"

namespace vmbsim::kernel {

/// The bare Philox4x32-10 block function.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// An endless sequence of 64-bit numbers; a value: copying copies the position.
class Stream {
 public:
  Stream(Seed seed, std::string_view component, std::string_view purpose);
  /// Uniform over all 64-bit numbers.
  std::uint64_t next();
  /// Uniform in 0 .. bound-1 without bias. `bound` must not be 0.
  std::uint64_t below(std::uint64_t bound);
  /// True with probability numerator/denominator, decided by integers.
  bool chance(std::uint64_t numerator, std::uint64_t denominator);

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint64_t stream_;      // upper half of the counter: which component and purpose
  std::uint64_t block_ = 0;   // lower half: which block comes next
  std::uint64_t spare_ = 0;   // second half of the current block
  bool has_spare_ = false;
};

}  // namespace vmbsim::kernel
