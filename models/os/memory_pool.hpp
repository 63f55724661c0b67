#pragma once
/// The kernel pool of one partition: driver memory that lies in simulated guest memory, so that descriptor lists can be
/// built over it.
///
/// Sizes    16 bytes to a page go in power-of-two classes, larger ones in whole pages, as on Windows page aligned.
/// Rules    Paged and nonpaged blocks never share a page. Behind every block that does not fill its last page lie guard bytes,
///          looked at when it is freed.
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
  /// Tag 0: the simulator's own. The others are four characters, first in the lowest byte.
  using Tag = std::uint32_t;
  static constexpr Tag mdl_tag = 0x206C644D;        ///< "Mdl "
  static constexpr Tag work_item_tag = 0x69576F49;  ///< "IoWi"
  static constexpr Tag handle_tag = 0x646E6148;     ///< "Hand": what a handle points to; ZwClose frees it

  struct Block {
    void* start;
    std::size_t size;  ///< bytes that were asked for
    Tag tag;
    bool paged;
  };
  struct Total {
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
  };

  explicit MemoryPool(hw::GuestMemory& memory) : memory_(memory) {}

  /// Null when the partition's memory is used up. `size` 0 is taken as 1.
  void* allocate(std::size_t size, bool zeroed, Tag tag = 0, bool paged = false);
  /// False when `block` is not a live block of this pool.
  bool free(void* block);
  /// Nothing when `block` is not a live block of this pool.
  std::optional<Block> find(const void* block) const;
  /// The live block that holds `address`, its guard bytes included; nothing when there is none.
  std::optional<Block> around(const void* address) const;
  /// True when the guard bytes behind a live block are as they were.
  bool intact(const Block& block) const;
  std::uint64_t live_blocks() const { return live_.size(); }
  /// Live blocks by tag, the simulator's own left out.
  std::map<Tag, Total> by_tag() const;

  /// True when `address` lies in a page that the pool hands out in small blocks or has handed out whole.
  bool owns(const void* address) const { return kind_of(address) != PageKind::foreign; }
  /// True when any byte of the buffer lies in paged pool that is not locked.
  bool pageable(const void* address, std::size_t length) const;
  /// Locked pages stay resident, whoever locked them how often.
  void lock_page(hw::Pfn pfn) { ++locked_[pfn]; }
  void unlock_page(hw::Pfn pfn);

 private:
  static constexpr std::size_t class_count = 8;  // 16, 32, ... 2048 bytes
  enum class PageKind : std::uint8_t { foreign, nonpaged, paged };
  using Place = std::uint64_t;  // physical address: the same in every run, unlike a pointer

  std::optional<Place> place_of(const void* address) const;

  PageKind kind_of(const void* address) const;
  void mark(hw::Pfn first, Pages count, PageKind kind);

  hw::GuestMemory& memory_;
  std::array<std::array<std::vector<void*>, class_count>, 2> spare_;  // nonpaged, paged
  struct Allocation {
    std::size_t size;
    Tag tag;
    bool paged;
  };
  std::map<Place, Allocation> live_;
  std::vector<PageKind> pages_;  // by frame number
  bool any_paged_ = false;
  std::map<hw::Pfn, std::uint32_t> locked_;
};

}  // namespace vmbsim::os
