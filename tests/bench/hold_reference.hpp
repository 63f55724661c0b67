#pragma once
/// Two bare event queues: nothing but (time, order of scheduling), a function and its argument. No handles, no cancelling,
/// no log. They are the yardstick: what the calendar's comforts cost is its ratio to the faster of the two.
///
///   Wheel          level 0: 64 instants │ level 1: 64 x 64 ns │ ...      lists of nodes, cascaded one level at a time
///   SortedBuckets  sorted array (soon)  │ the same digits as above       arrays of entries, small buckets sorted
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace vmbsim::bench {

using BareHandler = void (*)(void*);

struct BareEvent {
  std::uint64_t time;
  BareHandler handler;
  void* object;
};

inline unsigned highest_digit(std::uint64_t a, std::uint64_t b) {
  return (static_cast<unsigned>(63 - std::countl_zero((a ^ b) | 1)) * 43) >> 8;
}

/// Hierarchical timing wheel, base 64, one-nanosecond ticks; first in, first out within a tick.
/// Source: Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987.
class Wheel {
 public:
  void push(std::uint64_t time, BareHandler handler, void* object) {
    if (free_ == nullptr) grow();
    Node* const node = free_;
    free_ = node->next;
    *node = {nullptr, {time, handler, object}};
    place(node);
  }
  BareEvent pop() {
    while (bits_[0] == 0) cascade();
    const auto digit = static_cast<unsigned>(std::countr_zero(bits_[0]));
    List& list = lists_[0][digit];
    Node* const node = list.first;
    list.first = node->next;
    if (list.first == nullptr) bits_[0] &= bits_[0] - 1;
    const BareEvent event = node->event;
    node->next = free_;
    free_ = node;
    return event;
  }

 private:
  struct Node {
    Node* next;
    BareEvent event;
  };
  struct List {
    Node* first = nullptr;
    Node* last = nullptr;
  };
  void grow() {
    blocks_.emplace_back(4096);
    for (Node& node : blocks_.back()) {
      node.next = free_;
      free_ = &node;
    }
  }
  void place(Node* node) {
    const unsigned level = highest_digit(node->event.time, start_);
    const auto digit = static_cast<unsigned>(node->event.time >> (6 * level)) & 63;
    List& list = lists_[level][digit];
    if (list.first == nullptr) {
      list.first = node;
      bits_[level] |= std::uint64_t{1} << digit;
    } else {
      list.last->next = node;
    }
    list.last = node;
  }
  void cascade() {
    unsigned level = 1;
    while (bits_[level] == 0) ++level;
    const auto digit = static_cast<unsigned>(std::countr_zero(bits_[level]));
    bits_[level] &= bits_[level] - 1;
    Node* node = lists_[level][digit].first;
    lists_[level][digit] = {};
    const unsigned shift = 6 * level;
    start_ = node->event.time >> shift << shift;
    while (node != nullptr) {
      Node* const next = node->next;
      node->next = nullptr;
      place(node);
      node = next;
    }
  }

  std::array<std::array<List, 64>, 11> lists_{};
  std::array<std::uint64_t, 11> bits_{};
  std::uint64_t start_ = 0;
  Node* free_ = nullptr;
  std::vector<std::vector<Node>> blocks_;
};

/// Buckets by highest digit, arrays of whole entries; a bucket of at most `small` entries is sorted and consumed.
class SortedBuckets {
 public:
  void push(std::uint64_t time, BareHandler handler, void* object) {
    const BareEvent event{time, handler, object};
    if (time < boundary_)
      into_front(event);
    else
      place(event);
  }
  BareEvent pop() {
    while (head_ == front_.size()) open();
    return front_[head_++];
  }

 private:
  static constexpr std::size_t small = 24;

  void into_front(const BareEvent& event) {
    front_.push_back(event);
    std::size_t i = front_.size() - 1;
    for (; i != head_ && front_[i - 1].time > event.time; --i) front_[i] = front_[i - 1];
    front_[i] = event;
  }
  void place(const BareEvent& event) {
    const unsigned level = highest_digit(event.time, start_);
    const auto digit = static_cast<unsigned>(event.time >> (6 * level)) & 63;
    buckets_[level][digit].push_back(event);
    bits_[level] |= std::uint64_t{1} << digit;
  }
  void open() {
    front_.clear();
    head_ = 0;
    unsigned level = 0;
    while (bits_[level] == 0) ++level;
    const auto digit = static_cast<unsigned>(std::countr_zero(bits_[level]));
    bits_[level] &= bits_[level] - 1;
    std::vector<BareEvent>& bucket = buckets_[level][digit];
    const unsigned shift = 6 * level;
    start_ = bucket[0].time >> shift << shift;
    if (level == 0) {
      front_.swap(bucket);
      boundary_ = start_ + 1;
    } else if (bucket.size() <= small) {
      for (const BareEvent& event : bucket) into_front(event);
      boundary_ = start_ + (std::uint64_t{1} << shift);
    } else {
      for (const BareEvent& event : bucket) place(event);
      boundary_ = start_;
    }
    bucket.clear();
  }

  std::array<std::array<std::vector<BareEvent>, 64>, 11> buckets_;
  std::array<std::uint64_t, 11> bits_{};
  std::vector<BareEvent> front_;
  std::size_t head_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t boundary_ = 0;
};

}  // namespace vmbsim::bench
