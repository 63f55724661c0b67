#pragma once
/// A queue in one growing ring of memory: no allocation once it has reached its longest.
#include <cstddef>
#include <utility>
#include <vector>

#include "vmbsim/assert.hpp"

namespace vmbsim::kernel {

/// First in, first out. T is cheap to move and default-constructible.
template <class T>
class Fifo {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  T& front() {
    VMBSIM_ASSERT(count_ != 0, "only a queue that is not empty has a front");
    return items_[head_];
  }
  /// The item `index` places behind the front.
  T& operator[](std::size_t index) { return const_cast<T&>(std::as_const(*this)[index]); }
  const T& operator[](std::size_t index) const {
    VMBSIM_ASSERT(index < count_, "only what is queued can be looked at");
    return items_[(head_ + index) & (items_.size() - 1)];
  }
  void push(T item) {
    if (count_ == items_.size()) grow();
    items_[(head_ + count_) & (items_.size() - 1)] = std::move(item);
    ++count_;
  }
  T pop() {
    T item = std::move(front());
    head_ = (head_ + 1) & (items_.size() - 1);
    --count_;
    return item;
  }
  void clear() {
    while (!empty()) pop();
  }

 private:
  void grow() {
    std::vector<T> larger(items_.empty() ? 8 : items_.size() * 2);
    for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move(items_[(head_ + i) & (items_.size() - 1)]);
    items_ = std::move(larger);
    head_ = 0;
  }

  std::vector<T> items_;  // a power of two long
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

}  // namespace vmbsim::kernel
