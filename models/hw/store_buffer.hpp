#pragma once
/// A processor's store buffer: stores that its own loads see and nobody else's do yet.
///
///   buffer.push(word, 3);                          // a plain store
///   buffer.forward(word).value_or(memory[word]);   // a plain load of the same processor
///   const Store store = buffer.drain_one(which);   // it becomes visible: the caller writes it to memory
///
/// Models   sc: nothing is ever buffered. tso: first in, first out. pso: first in, first out per word, so that stores to
///          different words overtake each other, except over a write fence.
/// Source   Sewell et al., "x86-TSO", CACM 53(7), 2010; SPARC V9, appendix D (PSO, STBAR).
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/explore/program.hpp"

namespace vmbsim::hw {

class StoreBuffer {
 public:
  struct Store {
    std::uint32_t word;  ///< a number of the caller's
    std::uint64_t value;
    std::uint32_t epoch = 0;  ///< write fences before it
  };

  explicit StoreBuffer(explore::MemoryModel model) : model_(model) {}

  bool empty() const { return stores_.empty(); }
  std::size_t size() const { return stores_.size(); }
  void push(std::uint32_t word, std::uint64_t value) { stores_.push_back({word, value, epoch_}); }
  /// The newest of the buffered values of `word`.
  std::optional<std::uint64_t> forward(std::uint32_t word) const {
    for (auto store = stores_.rbegin(); store != stores_.rend(); ++store)
      if (store->word == word) return store->value;
    return std::nullopt;
  }
  /// Stores from here on become visible after those before.
  void write_fence() { ++epoch_; }

  /// How many stores could become visible next: one in tso; in pso the oldest of each word, up to the first write fence.
  std::uint32_t ready() const {
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < stores_.size(); ++i) count += may_drain(i);
    return count;
  }
  /// The `which`-th of those, oldest first, without taking it.
  const Store& ready_at(std::uint32_t which) const { return stores_[place_of(which)]; }
  /// Takes it out. Precondition: which < ready().
  Store drain_one(std::uint32_t which = 0) {
    const auto place = stores_.begin() + static_cast<std::ptrdiff_t>(place_of(which));
    const Store store = *place;
    stores_.erase(place);
    return store;
  }
  /// Hands all of them, oldest first, to `visible(store)`.
  template <class Visible>
  void drain_all(Visible visible) {
    for (const Store& store : stores_) visible(store);
    stores_.clear();
  }
  void clear() {
    stores_.clear();
    epoch_ = 0;
  }

 private:
  bool may_drain(std::size_t i) const {
    if (i == 0) return true;
    if (model_ != explore::MemoryModel::pso || stores_[i].epoch != stores_[0].epoch) return false;
    for (std::size_t before = 0; before < i; ++before)
      if (stores_[before].word == stores_[i].word) return false;
    return true;
  }
  std::size_t place_of(std::uint32_t which) const {
    std::size_t i = 0;
    for (;; ++i)
      if (may_drain(i) && which-- == 0) return i;
  }

  explore::MemoryModel model_;
  std::vector<Store> stores_;  // oldest first
  std::uint32_t epoch_ = 0;
};

}  // namespace vmbsim::hw
