#pragma once
/// Interrupt request levels of a simulated processor.
/// Source: public x64 header values, as listed in the WDK (IRQL is the upper half of the interrupt vector).
#include <cstdint>

namespace vmbsim {

/// Ordered: work at a level is held back while the processor runs at that level or above.
enum class Irql : std::uint8_t { passive = 0, apc = 1, dispatch = 2, device = 5, clock = 13, high = 15 };

constexpr const char* name_of(Irql irql) {
  switch (irql) {
    case Irql::passive: return "passive";
    case Irql::apc: return "apc";
    case Irql::dispatch: return "dispatch";
    case Irql::device: return "device";
    case Irql::clock: return "clock";
    case Irql::high: return "high";
  }
  return "device";
}

}  // namespace vmbsim
