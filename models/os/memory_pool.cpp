#include "models/os/memory_pool.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "vmbsim/assert.hpp"

namespace vmbsim::os {

namespace {
constexpr std::size_t smallest = 16;
constexpr std::size_t largest_class = 2048;
constexpr auto page_bytes = static_cast<std::size_t>(page_size);
constexpr std::size_t guard_bytes = 8;
constexpr unsigned char guard = 0xFD;

bool is_small(std::size_t size) { return size + guard_bytes <= largest_class; }
std::size_t class_of(std::size_t size) {
  return static_cast<std::size_t>(std::countr_zero(std::bit_ceil(std::max(size + guard_bytes, smallest)))) - 4;
}
Pages whole_pages(std::size_t size) { return pages_for({static_cast<std::int64_t>(size)}); }
/// Guard bytes behind a block of `size` bytes: none where it fills its last page.
std::size_t guards_behind(std::size_t size) {
  return is_small(size) ? guard_bytes : std::min(guard_bytes, (page_bytes - size % page_bytes) % page_bytes);
}
}  // namespace

void* MemoryPool::allocate(std::size_t size, bool zeroed, Tag tag, bool paged) {
  size = std::max<std::size_t>(size, 1);
  const PageKind kind = paged ? PageKind::paged : PageKind::nonpaged;
  void* block = nullptr;
  if (!is_small(size)) {
    const auto first = memory_.allocate(whole_pages(size));
    if (!first) return nullptr;
    mark(*first, whole_pages(size), kind);
    block = memory_.bytes(*first, {0}, whole_pages(size).bytes()).value().data();
  } else {
    const std::size_t step = class_of(size);
    auto& spare = spare_[paged ? 1 : 0][step];
    if (spare.empty()) {
      const auto first = memory_.allocate({1});
      if (!first) return nullptr;
      mark(*first, {1}, kind);
      std::byte* page = memory_.bytes(*first, {0}, {page_size}).value().data();
      for (std::size_t offset = page_bytes; offset != 0;) {
        offset -= smallest << step;
        spare.push_back(page + offset);
      }
    }
    block = spare.back();
    spare.pop_back();
  }
  if (zeroed) std::memset(block, 0, size);
  std::memset(static_cast<std::byte*>(block) + size, guard, guards_behind(size));
  live_.emplace(place_of(block).value(), Allocation{size, tag, paged});
  return block;
}

std::optional<MemoryPool::Place> MemoryPool::place_of(const void* address) const {
  const auto at = memory_.address_of(address);
  if (!at) return std::nullopt;
  return at->pfn * page_bytes + static_cast<Place>(at->offset.count);
}

bool MemoryPool::free(void* block) {
  const auto place = place_of(block);
  const auto found = place ? live_.find(*place) : live_.end();
  if (found == live_.end()) return false;
  const Allocation was = found->second;
  live_.erase(found);
  if (is_small(was.size)) {
    spare_[was.paged ? 1 : 0][class_of(was.size)].push_back(block);
  } else {
    const hw::Pfn first = memory_.address_of(block).value().pfn;
    mark(first, whole_pages(was.size), PageKind::foreign);
    memory_.free(first, whole_pages(was.size));
  }
  return true;
}

std::optional<MemoryPool::Block> MemoryPool::find(const void* block) const {
  const auto place = place_of(block);
  const auto found = place ? live_.find(*place) : live_.end();
  if (found == live_.end()) return std::nullopt;
  const Allocation& is = found->second;
  return Block{const_cast<void*>(block), is.size, is.tag, is.paged};
}

std::optional<MemoryPool::Block> MemoryPool::around(const void* address) const {
  const auto place = place_of(address);
  if (!place) return std::nullopt;
  auto found = live_.upper_bound(*place);
  if (found == live_.begin()) return std::nullopt;
  --found;
  const Place distance = *place - found->first;
  if (distance >= found->second.size + guards_behind(found->second.size)) return std::nullopt;
  return find(static_cast<const std::byte*>(address) - distance);
}

bool MemoryPool::intact(const Block& block) const {
  const auto* behind = static_cast<const unsigned char*>(block.start) + block.size;
  return std::all_of(behind, behind + guards_behind(block.size), [](unsigned char byte) { return byte == guard; });
}

std::map<MemoryPool::Tag, MemoryPool::Total> MemoryPool::by_tag() const {
  std::map<Tag, Total> totals;
  for (const auto& [start, is] : live_) {
    if (is.tag == 0) continue;
    Total& total = totals[is.tag];
    ++total.blocks;
    total.bytes += is.size;
  }
  return totals;
}

MemoryPool::PageKind MemoryPool::kind_of(const void* address) const {
  const auto at = memory_.address_of(address);
  return at && at->pfn < pages_.size() ? pages_[at->pfn] : PageKind::foreign;
}

void MemoryPool::mark(hw::Pfn first, Pages count, PageKind kind) {
  const auto end = first + static_cast<std::uint64_t>(count.count);
  if (pages_.size() < end) pages_.resize(end, PageKind::foreign);
  std::fill(pages_.begin() + static_cast<std::ptrdiff_t>(first), pages_.begin() + static_cast<std::ptrdiff_t>(end),
            kind);
  if (kind == PageKind::paged) any_paged_ = true;
}

bool MemoryPool::pageable(const void* address, std::size_t length) const {
  if (!any_paged_ || length == 0) return false;
  const auto first = memory_.address_of(address);
  if (!first) return false;
  const hw::Pfn last = first->pfn + (static_cast<std::size_t>(first->offset.count) + length - 1) / page_bytes;
  for (hw::Pfn pfn = first->pfn; pfn <= last && pfn < pages_.size(); ++pfn)
    if (pages_[pfn] == PageKind::paged && locked_.find(pfn) == locked_.end()) return true;
  return false;
}

void MemoryPool::unlock_page(hw::Pfn pfn) {
  const auto found = locked_.find(pfn);
  VMBSIM_ASSERT(found != locked_.end(), "only a locked page is unlocked");
  if (--found->second == 0) locked_.erase(found);
}

}  // namespace vmbsim::os
