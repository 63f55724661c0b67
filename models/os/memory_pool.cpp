#include "models/os/memory_pool.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace vmbsim::os {

namespace {
constexpr std::size_t smallest = 16;
constexpr std::size_t largest_class = 2048;
constexpr auto page_bytes = static_cast<std::size_t>(page_size);

std::size_t class_of(std::size_t size) {
  return static_cast<std::size_t>(std::countr_zero(std::bit_ceil(std::max(size, smallest)))) - 4;
}
Pages whole_pages(std::size_t size) { return pages_for({static_cast<std::int64_t>(size)}); }
}  // namespace

void* MemoryPool::allocate(std::size_t size, bool zeroed) {
  void* block = nullptr;
  if (size > largest_class) {
    const auto first = memory_.allocate(whole_pages(size));
    if (!first) return nullptr;
    block = memory_.bytes(*first, {0}, whole_pages(size).bytes()).value().data();
  } else {
    const std::size_t kind = class_of(size);
    auto& spare = spare_[kind];
    if (spare.empty()) {
      const auto first = memory_.allocate({1});
      if (!first) return nullptr;
      std::byte* page = memory_.bytes(*first, {0}, {page_size}).value().data();
      for (std::size_t offset = page_bytes; offset != 0;) {
        offset -= smallest << kind;
        spare.push_back(page + offset);
      }
    }
    block = spare.back();
    spare.pop_back();
  }
  if (zeroed) std::memset(block, 0, size);
  live_.emplace(block, size);
  return block;
}

std::optional<std::size_t> MemoryPool::size_of(const void* block) const {
  const auto found = live_.find(block);
  if (found == live_.end()) return std::nullopt;
  return found->second;
}

bool MemoryPool::free(void* block) {
  const auto found = live_.find(block);
  if (found == live_.end()) return false;
  const std::size_t size = found->second;
  live_.erase(found);
  if (size > largest_class)
    memory_.free(memory_.address_of(block).value().pfn, whole_pages(size));
  else
    spare_[class_of(size)].push_back(block);
  return true;
}

}  // namespace vmbsim::os
