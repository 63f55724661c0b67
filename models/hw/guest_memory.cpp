#include "models/hw/guest_memory.hpp"

#include <sys/mman.h>

#include <bit>
#include <new>

#include "vmbsim/assert.hpp"

namespace vmbsim::hw {
namespace {

struct Step {
  std::size_t index;     // into the lists of freed blocks
  std::uint64_t frames;  // what a block of this step takes
};

// Exact up to eight frames, then four steps per octave: at most a quarter of address space is lost, and a freed block fits
// the next request of about its size without any search.
Step step_for(std::uint64_t frames) {
  if (frames <= 8) return {static_cast<std::size_t>(frames - 1), frames};
  const unsigned octave = static_cast<unsigned>(std::bit_width(frames - 1)) - 4;  // 0 for 9 to 16 frames
  const std::uint64_t width = std::uint64_t{2} << octave;
  const std::uint64_t steps = (frames + width - 1) / width;  // 5 to 8
  return {static_cast<std::size_t>(8 + 4 * octave + (steps - 5)), steps * width};
}

}  // namespace

GuestMemory::GuestMemory(Config config) : end_(first_frame + static_cast<std::uint64_t>(config.size.count)) {
  VMBSIM_ASSERT(config.size.count > 0 && config.size.count < (std::int64_t{1} << 40),
                "guest memory holds 1 to 2^40 frames");
  const auto length = static_cast<std::size_t>(config.size.bytes().count);
  void* memory = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  // A huge page would commit 2 MiB for the first byte touched. Refused only by kernels that have no huge pages at all.
  static_cast<void>(madvise(memory, length, MADV_NOHUGEPAGE));
  base_ = static_cast<std::byte*>(memory);
}

GuestMemory::~GuestMemory() { munmap(base_, (end_ - first_frame) * frame_bytes); }

std::optional<GuestMemory::Found> GuestMemory::take(Pages count) {
  VMBSIM_ASSERT(count.count > 0, "an allocation has at least one frame");
  if (count > size()) return std::nullopt;
  const Step step = step_for(static_cast<std::uint64_t>(count.count));
  std::vector<Pfn>& freed = freed_[step.index];
  Found found{};
  if (!freed.empty()) {
    found = {freed.back(), true};
    freed.pop_back();
  } else {
    if (step.frames > end_ - next_) return std::nullopt;
    found = {next_, false};
    next_ += step.frames;
  }
  allocated_.count += count.count;
  return found;
}

std::optional<Pfn> GuestMemory::allocate(Pages count) {
  const std::optional<Found> found = take(count);
  if (!found) return std::nullopt;
  return found->first;
}

std::optional<Pfn> GuestMemory::allocate_zeroed(Pages count) {
  const std::optional<Found> found = take(count);
  if (!found) return std::nullopt;
  if (found->used_before) {
    // Dropping the pages both clears them and gives their memory back until they are touched again.
    const int refused = madvise(base_ + (found->first - first_frame) * frame_bytes,
                                static_cast<std::size_t>(count.bytes().count), MADV_DONTNEED);
    VMBSIM_ASSERT(refused == 0, "anonymous pages can always be dropped");
  }
  return found->first;
}

void GuestMemory::free(Pfn first, Pages count) {
  VMBSIM_ASSERT(count.count > 0 && count <= allocated_, "no more is given back than was handed out");
  const Step step = step_for(static_cast<std::uint64_t>(count.count));
  VMBSIM_ASSERT(first >= first_frame && first < next_ && step.frames <= next_ - first,
                "only frames that were handed out are given back");
  freed_[step.index].push_back(first);
  allocated_.count -= count.count;
}

std::optional<GuestAddress> GuestMemory::address_of(const void* pointer) const {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const auto base = reinterpret_cast<std::uintptr_t>(base_);
  if (address < base || address - base >= (next_ - first_frame) * frame_bytes) return std::nullopt;
  const std::uint64_t distance = address - base;
  return GuestAddress{first_frame + distance / frame_bytes, {static_cast<std::int64_t>(distance % frame_bytes)}};
}

}  // namespace vmbsim::hw
