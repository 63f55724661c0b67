#include "models/harness/memory.hpp"

#include <sys/mman.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "vmbsim/assert.hpp"

namespace vmbsim::harness {

namespace {
constexpr std::size_t least_alignment = 64;
}

Memory::Memory(std::uintptr_t place) {
  void* mapping = ::mmap(reinterpret_cast<void*>(place), most_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  VMBSIM_ASSERT(mapping != MAP_FAILED, "there is address space for a run's memory");
  base_ = static_cast<std::byte*>(mapping);
}

Memory::~Memory() { ::munmap(base_, most_bytes); }

void* Memory::allocate(std::size_t bytes, const char* name, Purpose purpose, std::uint32_t owner,
                       std::size_t alignment) {
  const std::size_t skipped =
      -(reinterpret_cast<std::uintptr_t>(base_) + used_) & (std::max(alignment, least_alignment) - 1);
  const std::size_t left = most_bytes - used_;
  if (bytes > left || skipped > left - bytes) return nullptr;
  const std::size_t room =
      skipped + (std::max<std::size_t>(bytes, 1) + least_alignment - 1) / least_alignment * least_alignment;
  if (room > left) return nullptr;
  std::memset(base_ + used_, 0, room);  // a run before this one may have written there
  std::byte* begin = base_ + used_ + skipped;
  used_ += room;
  blocks_.push_back({begin, bytes, name, purpose, 0, owner, false, false, 0});
  return begin;
}

const char* Memory::keep(const char* text) {
  const std::size_t bytes = std::strlen(text) + 1;
  const std::size_t room = (bytes + least_alignment - 1) / least_alignment * least_alignment;
  if (room > most_bytes - used_) return "";
  std::byte* begin = base_ + used_;
  used_ += room;
  std::memcpy(begin, text, bytes);
  std::memset(begin + bytes, 0, room - bytes);
  return reinterpret_cast<const char*>(begin);
}

Memory::Block* Memory::block_at(const void* address) {
  const auto* byte = static_cast<const std::byte*>(address);
  auto after = std::upper_bound(blocks_.begin(), blocks_.end(), byte,
                                [](const std::byte* place, const Block& block) { return place < block.begin; });
  if (after == blocks_.begin()) return nullptr;
  Block& block = *--after;
  return byte < block.begin + std::max<std::size_t>(block.bytes, 1) ? &block : nullptr;
}

void Memory::bury(Block& block) {
  block.buried = true;
  block.digest = XXH3_64bits(block.begin, block.bytes);
}

const Memory::Block* Memory::written_after_free() const {
  for (const Block& block : blocks_)
    if (block.buried && block.digest != XXH3_64bits(block.begin, block.bytes)) return &block;
  return nullptr;
}

void Memory::clear() {
  used_ = 0;
  blocks_.clear();
}

}  // namespace vmbsim::harness
