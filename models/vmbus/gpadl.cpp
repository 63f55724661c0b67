#include "models/vmbus/gpadl.hpp"

#include <utility>

namespace vmbsim::vmbus {

namespace {

/// Whether one range names each page it touches once.
bool well_formed(const Gpadl& range) {
  constexpr std::size_t most_pfns = 0xFFFFF;
  if (range.length.count < 1 || range.byte_offset.count < 0 || range.byte_offset.count >= page_size ||
      range.pfns.empty() || range.pfns.size() > most_pfns) {
    return false;
  }
  const Bytes pages = Pages{static_cast<std::int64_t>(range.pfns.size())}.bytes();
  return range.length <= pages - range.byte_offset && range.length > pages - Pages{1}.bytes() - range.byte_offset;
}

Bytes whole_pages(const Gpadl& description) {
  std::size_t pages = description.pfns.size();
  for (const Gpadl& range : description.chained) pages += range.pfns.size();
  return Pages{static_cast<std::int64_t>(pages)}.bytes();
}

}  // namespace

GpadlTable::CreateAnswer GpadlTable::create(GpadlHandle handle, Gpadl description) {
  if (handle == GpadlHandle{} || gpadls_.contains(handle) || !well_formed(description)) return Malformed{};
  for (const Gpadl& range : description.chained)
    if (!well_formed(range) || !range.chained.empty()) return Malformed{};
  const Bytes pages = whole_pages(description);
  if (shared_ + pages > config_.limit) return OverLimit{shared_ + pages - config_.limit};
  shared_ += pages;
  gpadls_.emplace(handle, std::move(description));
  return handle;
}

const Gpadl* GpadlTable::find(GpadlHandle handle) const {
  const auto found = gpadls_.find(handle);
  return found == gpadls_.end() ? nullptr : &found->second;
}

bool GpadlTable::tear_down(GpadlHandle handle) {
  const auto found = gpadls_.find(handle);
  if (found == gpadls_.end()) return false;
  shared_ = shared_ - whole_pages(found->second);
  gpadls_.erase(found);
  return true;
}

std::optional<std::span<std::byte>> map(hw::GuestMemory& memory, const Gpadl& gpadl, Bytes offset, Bytes length) {
  if (offset.count < 0 || length.count < 0 || offset > gpadl.length || length > gpadl.length - offset)
    return std::nullopt;
  for (std::size_t page = 1; page < gpadl.pfns.size(); ++page) {
    if (gpadl.pfns[page] != gpadl.pfns[page - 1] + 1) return std::nullopt;
  }
  return memory.bytes(gpadl.pfns.front(), gpadl.byte_offset + offset, length);
}

}  // namespace vmbsim::vmbus
