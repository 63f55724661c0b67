#pragma once
/// Bytes of packets that are over. Their first eight carry a mark, so that a driver that still reads or writes them is seen:
/// what it sends begins with the mark, or the mark is gone when the memory is used again.
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace vmbsim::kmcl {

/// The ends have different marks: what one sends by mistake is no mistake of the other's.
inline std::uint64_t dead_mark(bool server) { return 0xDEADF00D'5AC8E7D0 + (server ? 1 : 0); }

inline void mark_dead(std::byte* bytes, bool server) {
  const std::uint64_t mark = dead_mark(server);
  std::memcpy(bytes, &mark, sizeof mark);
}
inline bool holds_dead_bytes(const void* bytes, std::size_t length, bool server) {
  std::uint64_t first = 0;
  if (length < sizeof first) return false;
  std::memcpy(&first, bytes, sizeof first);
  return first == dead_mark(server);
}

}  // namespace vmbsim::kmcl
