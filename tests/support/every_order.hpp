#pragma once
/// Runs a program in every order, one after the other, by going back to the last question that has an answer left.
///
///   const auto seen = every_order(program, [](const explore::Outcome& outcome) { ... });
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/explore/program.hpp"

namespace vmbsim::testing {

class EveryOrder final : public kernel::ChoiceSource {
 public:
  std::uint32_t choose(const kernel::Choice& choice) override {
    if (choice.preempts) preempting_.push_back(asked_);
    if (asked_ == path_.size()) path_.push_back({0, choice.alternatives});
    return path_[asked_++].taken;
  }
  void begin() {
    asked_ = 0;
    preempting_.clear();
  }
  /// False when everything has been seen.
  bool advance() {
    while (!path_.empty() && path_.back().taken + 1 == path_.back().alternatives) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    return true;
  }
  /// The sum of the answers: alternative k of a question is k delays.
  std::uint64_t delays() const {
    std::uint64_t sum = 0;
    for (const Answer& answer : path_) sum += answer.taken;
    return sum;
  }
  std::uint64_t preemptions() const {
    std::uint64_t count = 0;
    for (const std::size_t question : preempting_) count += path_[question].taken != 0;
    return count;
  }

 private:
  struct Answer {
    std::uint32_t taken;
    std::uint32_t alternatives;
  };
  std::vector<Answer> path_;
  std::vector<std::size_t> preempting_;
  std::size_t asked_ = 0;
};

/// Calls `seen` after each run with its outcome and the source; answers how many runs there were.
inline std::uint64_t every_order(
    explore::Program& program,
    const std::function<void(const explore::Outcome&, const EveryOrder&)>& seen = [](const auto&, const auto&) {},
    std::uint64_t most = 1'000'000) {
  EveryOrder source;
  std::uint64_t runs = 0;
  do {
    source.begin();
    const explore::Outcome& outcome = program.run(source);
    ++runs;
    seen(outcome, source);
  } while (source.advance() && runs < most);
  return runs;
}

}  // namespace vmbsim::testing
