#pragma once
/// Vector clocks: who knows what of whom.
/// Source   Mattern, "Virtual time and global states of distributed systems", 1989; Flanagan and Freund, "FastTrack", PLDI 2009.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vmbsim::observe {

/// One count per party; those that are missing count 0.
class Clock {
 public:
  std::uint32_t of(std::uint32_t party) const { return party < counts_.size() ? counts_[party] : 0; }
  void tick(std::uint32_t party) {
    if (party >= counts_.size()) counts_.resize(party + 1);
    ++counts_[party];
  }
  void join(const Clock& other) {
    const std::size_t shared = std::min(counts_.size(), other.counts_.size());
    for (std::size_t i = 0; i < shared; ++i) counts_[i] = std::max(counts_[i], other.counts_[i]);
    if (other.counts_.size() > shared)
      counts_.insert(counts_.end(), other.counts_.begin() + static_cast<std::ptrdiff_t>(shared), other.counts_.end());
  }
  /// At least so much of one party.
  void raise(std::uint32_t party, std::uint32_t count) {
    if (party >= counts_.size()) counts_.resize(party + 1);
    counts_[party] = std::max(counts_[party], count);
  }
  void clear() { counts_.clear(); }
  friend bool operator==(const Clock&, const Clock&) = default;

 private:
  std::vector<std::uint32_t> counts_;
};

}  // namespace vmbsim::observe
