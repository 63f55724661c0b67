#pragma once
/// A queue in one growing ring of memory: no allocation once it has reached its longest.
#include <cstddef>
#include <memory>
#include <utility>

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
    return items_[(head_ + index) & (capacity_ - 1)];
  }
  void push(T item) {
    if (count_ == capacity_) grow();
    items_[(head_ + count_) & (capacity_ - 1)] = std::move(item);
    ++count_;
  }
  T pop() {
    T item = std::move(front());
    head_ = (head_ + 1) & (capacity_ - 1);
    --count_;
    return item;
  }
  void clear() {
    while (!empty()) pop();
  }

 private:
  void grow() {
    const std::size_t capacity = capacity_ == 0 ? 8 : capacity_ * 2;
    auto larger = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move(items_[(head_ + i) & (capacity_ - 1)]);
    items_ = std::move(larger);
    capacity_ = capacity;
    head_ = 0;
  }

  std::unique_ptr<T[]> items_;
  std::size_t capacity_ = 0;  // a power of two, or 0
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

}  // namespace vmbsim::kernel
