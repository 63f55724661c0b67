#pragma once
/// Stands between a program and whoever answers it, and writes down what was answered otherwise than by default.
#include <cstdint>
#include <vector>

#include "sim/explore/deviations.hpp"
#include "sim/kernel/choice.hpp"
#include "sim/workers/black_box.hpp"

namespace vmbsim::hunt {

class Recorder final : public kernel::ChoiceSource {
 public:
  explicit Recorder(workers::BlackBox& box) : box_(box) {}

  /// A run of `source` begins, number `run` of the slice.
  void begin(kernel::ChoiceSource& source, std::uint64_t run);
  /// It is over.
  void end(std::uint64_t steps) { box_.end(steps); }

  std::uint32_t choose(const kernel::Choice& choice) override {
    box_.tick();
    const std::uint32_t taken = source_->choose(choice);
    if (choice.alternatives > 1 && taken != abandon) count(choice, taken);
    return taken;
  }

  /// Questions with two or more alternatives that were answered in this run.
  std::uint64_t questions() const { return index_; }
  const explore::Deviations& taken() const { return taken_; }

 private:
  void count(const kernel::Choice& choice, std::uint32_t taken) {
    const std::uint32_t actor = choice.each.empty() ? choice.actor : choice.each[taken].actor;
    if (actor >= nth_.size()) [[unlikely]]
      nth_.resize(actor + 1);
    const std::uint64_t nth = nth_[actor]++;
    if (taken != 0)
      note({.index = index_,
            .taken = taken,
            .alternatives = choice.alternatives,
            .point = choice.each.empty() ? choice.point : choice.each[taken].kind,
            .hash = explore::hash_of(choice, taken),
            .actor = actor,
            .nth = nth});
    ++index_;
  }
  void note(const explore::Deviation& deviation) {
    taken_.push_back(deviation);
    box_.note(deviation);
  }

  workers::BlackBox& box_;
  kernel::ChoiceSource* source_ = nullptr;
  std::uint64_t index_ = 0;
  explore::Deviations taken_;
  std::vector<std::uint64_t> nth_;  // questions answered so far, by actor
};

}  // namespace vmbsim::hunt
