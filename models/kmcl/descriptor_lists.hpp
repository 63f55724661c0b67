#pragma once
/// Memory descriptor lists that KMCL makes over a guest's pages, chained one behind the other in one piece of memory.
///
///   DescriptorLists lists(words);
///   lists.reserve(2, 5);                       // two ranges of together five pages
///   lists.add(range, memory);                  // twice
///   *mdl = lists.first();                      // good as long as `words` is
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "models/vmbus/ring.hpp"
#include "wdm.h"

namespace vmbsim::kmcl {

class DescriptorLists {
 public:
  explicit DescriptorLists(std::vector<std::uint64_t>& words) : words_(words) {}

  /// Room for so many lists that name so many pages.
  void reserve(std::size_t lists, std::size_t pages) { words_.resize(lists * (sizeof(MDL) / 8) + pages); }
  /// One more list, over pages of `memory` that are locked and mapped to no address.
  void add(const vmbus::GpaRange& range, hw::GuestMemory& memory) {
    VMBSIM_ASSERT(used_ + sizeof(MDL) / 8 + range.pfns.size() <= words_.size(), "room was made for the list");
    auto* made = new (words_.data() + used_) MDL{};
    made->Size = static_cast<CSHORT>(sizeof(MDL) + range.pfns.size() * sizeof(PFN_NUMBER));
    made->MdlFlags = MDL_PAGES_LOCKED;
    made->Process = reinterpret_cast<struct _EPROCESS*>(&memory);
    made->ByteCount = range.byte_count;
    made->ByteOffset = range.byte_offset;
    std::memcpy(MmGetMdlPfnArray(made), range.pfns.data(), range.pfns.size_bytes());
    if (last_ != nullptr) last_->Next = made;
    last_ = made;
    used_ += sizeof(MDL) / 8 + range.pfns.size();
    pages_ += range.pfns.size();
  }
  PMDL first() const { return reinterpret_cast<PMDL>(words_.data()); }
  std::size_t pages() const { return pages_; }

 private:
  std::vector<std::uint64_t>& words_;
  MDL* last_ = nullptr;
  std::size_t used_ = 0;  // words
  std::size_t pages_ = 0;
};

}  // namespace vmbsim::kmcl
