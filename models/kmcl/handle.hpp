#pragma once
/// Handles of objects that are used again and again: VMBPACKET and VMBPACKETCOMPLETION.
///
/// Shape   The object's address, and the number of the use that is meant in the bits no address has: the lowest 3 and the upper
///         16. A handle of an earlier use is told from the current one by one comparison.
/// Limits  Number 0 is for memory of the driver's own, whose handle is its bare address. An object whose numbers are used up is
///         worn out, and not used again.
#include <cstdint>

namespace vmbsim::kmcl {

inline constexpr std::uintptr_t handle_address_bits = 0x0000'FFFF'FFFF'FFF8;

inline std::uintptr_t handle_bits(const void* handle) { return reinterpret_cast<std::uintptr_t>(handle); }
inline bool names_own_memory(const void* handle) { return (handle_bits(handle) & ~handle_address_bits) == 0; }

template <class Object>
Object& object_of(const void* handle) {
  return *reinterpret_cast<Object*>(handle_bits(handle) & handle_address_bits);
}

inline std::uintptr_t first_use(const void* address) { return handle_bits(address) + 1; }
/// 0 when the object is worn out.
inline std::uintptr_t next_use(std::uintptr_t handle) {
  const std::uintptr_t number =
      ((handle | handle_address_bits) + 1) & ~handle_address_bits;  // carries over the address
  return number == 0 ? 0 : (handle & handle_address_bits) | number;
}

}  // namespace vmbsim::kmcl
