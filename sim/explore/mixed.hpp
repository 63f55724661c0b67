#pragma once
#include <cstdint>

namespace vmbsim::explore {

/// Every bit of the result depends on every bit of the input.
/// Source   Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA'14: the finalizer of SplitMix64.
constexpr std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

}  // namespace vmbsim::explore
