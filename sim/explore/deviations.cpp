#include "sim/explore/deviations.hpp"

#include "sim/explore/mixed.hpp"

namespace vmbsim::explore {

std::uint16_t hash_of(const kernel::Choice& choice, std::uint32_t taken) {
  std::uint64_t bits = (std::uint64_t{choice.actor} << 32) | choice.object;
  if (!choice.each.empty()) {
    const kernel::Alternative& step = choice.each[taken];
    bits = (std::uint64_t{step.actor} << 32) | step.operation.object;
    bits ^= (std::uint64_t{step.operation.other} << 16) ^
            (std::uint64_t{static_cast<std::uint8_t>(step.operation.access)} << 56);
  }
  return static_cast<std::uint16_t>(mixed(bits) >> 48);
}

}  // namespace vmbsim::explore
