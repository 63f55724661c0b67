#pragma once
/// The text in which a strategy keeps what it remembers: unsigned numbers, separated by blanks.
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "sim/kernel/choice.hpp"

namespace vmbsim::explore {

class StateWriter {
 public:
  StateWriter& add(std::uint64_t number) {
    if (!text_.empty()) text_ += ' ';
    char digits[20];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
    return *this;
  }
  StateWriter& add(const kernel::Alternative& step) {
    add(step.actor).add(step.processor).add(static_cast<std::uint64_t>(step.kind)).add(step.operation.object);
    add(step.operation.other).add(static_cast<std::uint64_t>(step.operation.access)).add(step.operation.waits);
    return add(static_cast<std::uint64_t>(step.after + 1));
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// A text that is too short or holds anything else reads as zeros and is not ok().
class StateReader {
 public:
  explicit StateReader(std::string_view text) : text_(text) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc{}) {
      ok_ = false;
      text_ = {};
      return 0;
    }
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    if (!text_.empty() && text_[0] == ' ') text_.remove_prefix(1);
    return value;
  }
  std::uint32_t number_32() {
    const std::uint64_t value = number();
    ok_ = ok_ && value <= std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(value);
  }
  /// A count of things that follow, each at least one number long: a wrong one is not believed.
  std::size_t count() {
    const std::uint64_t value = number();
    if (value <= text_.size()) return value;
    ok_ = false;
    return 0;
  }
  kernel::Alternative alternative() {
    kernel::Alternative step{};
    step.actor = number_32();
    step.processor = number_32();
    step.kind = static_cast<kernel::ChoicePoint>(number_32());
    step.operation.object = number_32();
    step.operation.other = number_32();
    step.operation.access = static_cast<kernel::Access>(number_32());
    step.operation.waits = number() != 0;
    step.after = static_cast<std::int64_t>(number()) - 1;
    return step;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
  bool ok_ = true;
};

}  // namespace vmbsim::explore
