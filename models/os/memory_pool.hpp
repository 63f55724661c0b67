#pragma once
/// The kernel pool of one partition: driver memory that lies in simulated guest memory, so that descriptor lists can be
/// built over it.
///
/// Sizes    16 bytes to a page go in power-of-two classes, larger ones in whole pages, as on Windows page aligned.
/// Source   DDI pages of ExAllocatePool2 and ExFreePoolWithTag.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "models/hw/guest_memory.hpp"

namespace vmbsim::os {

class MemoryPool {
 public:
  explicit MemoryPool(hw::GuestMemory& memory) : memory_(memory) {}

  /// Null when the partition's memory is used up. `size` 0 is taken as 1.
  void* allocate(std::size_t size, bool zeroed);
  /// False when `block` is not a live block of this pool.
  bool free(void* block);
  /// Bytes that were asked for; nothing when `block` is not a live block of this pool.
  std::optional<std::size_t> size_of(const void* block) const;
  std::uint64_t live_blocks() const { return live_.size(); }

 private:
  static constexpr std::size_t class_count = 8;  // 16, 32, ... 2048 bytes

  hw::GuestMemory& memory_;
  std::array<std::vector<void*>, class_count> spare_;
  std::map<const void*, std::size_t> live_;  // block to size as allocated
};

}  // namespace vmbsim::os
