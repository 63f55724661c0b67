#include "models/vmbus/event_flags.hpp"

#include <cstring>

#include "vmbsim/assert.hpp"

namespace vmbsim::vmbus {

static_assert(std::endian::native == std::endian::little, "flag n of the page is bit n of a little-endian word");

EventFlags::EventFlags(std::span<std::byte> page) : flags_(page.data() + vmbus_source * (count / 8)) {
  VMBSIM_ASSERT(page.size() == static_cast<std::size_t>(page_size), "a SIEF page is one page");
}

std::uint64_t EventFlags::load(std::uint32_t word) const {
  std::uint64_t value = 0;
  std::memcpy(&value, flags_ + 8 * word, 8);
  return value;
}

void EventFlags::store(std::uint32_t word, std::uint64_t value) { std::memcpy(flags_ + 8 * word, &value, 8); }

bool EventFlags::set(std::uint32_t flag) {
  VMBSIM_ASSERT(flag < count, "a source has 2048 event flags");
  const std::uint64_t bit = std::uint64_t{1} << flag % 64;
  const std::uint64_t before = load(flag / 64);
  if ((before & bit) != 0) return false;
  store(flag / 64, before | bit);
  if (masked_) ++lost_edges_;
  return !masked_;
}

bool EventFlags::is_set(std::uint32_t flag) const {
  VMBSIM_ASSERT(flag < count, "a source has 2048 event flags");
  return (load(flag / 64) >> flag % 64 & 1) != 0;
}

bool EventFlags::any() const {
  for (std::uint32_t word = 0; word < word_count; ++word)
    if (load(word) != 0) return true;
  return false;
}

}  // namespace vmbsim::vmbus
