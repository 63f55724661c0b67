#include "models/vmbus/gpadl.hpp"

#include <utility>

#include "vmbsim/assert.hpp"

namespace vmbsim::vmbus {

GpadlTable::CreateAnswer GpadlTable::create(Gpadl description) {
  constexpr std::size_t most_pfns = 0xFFFFF;
  if (description.length.count < 1 || description.byte_offset.count < 0 || description.byte_offset.count >= page_size ||
      description.pfns.empty() || description.pfns.size() > most_pfns) {
    return Malformed{};
  }
  const Bytes pages = Pages{static_cast<std::int64_t>(description.pfns.size())}.bytes();
  if (description.length > pages - description.byte_offset ||
      description.length <= pages - Pages{1}.bytes() - description.byte_offset) {
    return Malformed{};
  }
  if (shared_ + pages > config_.limit) return OverLimit{shared_ + pages - config_.limit};
  VMBSIM_ASSERT(last_handle_ != UINT32_MAX, "a partition never creates four billion GPADLs");
  shared_ += pages;
  const GpadlHandle handle{++last_handle_};
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
  shared_ = shared_ - Pages{static_cast<std::int64_t>(found->second.pfns.size())}.bytes();
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
