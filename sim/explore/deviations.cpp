#include "sim/explore/deviations.hpp"

namespace vmbsim::explore {

std::uint16_t hash_of(const kernel::Choice& choice, std::uint32_t taken) {
  std::uint64_t mixed = (std::uint64_t{choice.actor} << 32) | choice.object;
  if (!choice.each.empty()) {
    const kernel::Alternative& step = choice.each[taken];
    mixed = (std::uint64_t{step.actor} << 32) | step.operation.object;
    mixed ^= (std::uint64_t{step.operation.other} << 16) ^
             (std::uint64_t{static_cast<std::uint8_t>(step.operation.access)} << 56);
  }
  // The finalizer of SplitMix64: every bit of the result depends on every bit of the input.
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return static_cast<std::uint16_t>((mixed ^ (mixed >> 31)) >> 48);
}

}  // namespace vmbsim::explore
