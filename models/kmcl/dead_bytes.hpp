#pragma once
/// Bytes of packets that are over. Their first eight carry a mark, so that a driver that still reads or writes them is seen:
/// what it sends begins with the mark, or the mark is gone when the memory is used again.
#include <cstdint>
#include <cstring>

namespace vmbsim::kmcl {

inline constexpr std::uint64_t dead_mark = 0xDEADF00D'5AC8E7D1;

inline void mark_dead(std::byte* bytes) { std::memcpy(bytes, &dead_mark, sizeof dead_mark); }
inline bool holds_dead_bytes(const void* bytes, std::size_t length) {
  return length >= sizeof dead_mark && std::memcmp(bytes, &dead_mark, sizeof dead_mark) == 0;
}

}  // namespace vmbsim::kmcl
