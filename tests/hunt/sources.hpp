#pragma once
/// Answers for choice points, as plain as a test needs them.
#include <algorithm>
#include <array>
#include <cstdint>

#include "sim/kernel/choice.hpp"
#include "sim/kernel/random.hpp"

namespace vmbsim::testing {

/// Departs from the default with one question in `every`, to any of its other answers.
class RandomSource final : public kernel::ChoiceSource {
 public:
  RandomSource(std::uint64_t seed, std::uint32_t every) : stream_(Seed{seed}, "hunt", "answers"), every_(every) {}
  std::uint32_t choose(const kernel::Choice& choice) override {
    ++asked;
    if (stream_.below(every_) != 0) return 0;
    return static_cast<std::uint32_t>(stream_.below(choice.alternatives));
  }
  std::uint64_t asked = 0;

 private:
  kernel::Stream stream_;
  std::uint32_t every_;
};

/// Answers one question of one kind otherwise, and counts the questions of each kind.
class OneOther final : public kernel::ChoiceSource {
 public:
  OneOther(kernel::ChoicePoint point, std::uint64_t nth, std::uint32_t answer)
      : point_(point), nth_(nth), answer_(answer) {}
  std::uint32_t choose(const kernel::Choice& choice) override {
    const std::uint64_t number = asked[static_cast<std::size_t>(choice.point)]++;
    return choice.point == point_ && number == nth_ ? std::min(answer_, choice.alternatives - 1) : 0;
  }
  std::array<std::uint64_t, kernel::choice_point_count> asked{};

 private:
  kernel::ChoicePoint point_;
  std::uint64_t nth_;
  std::uint32_t answer_;
};

}  // namespace vmbsim::testing
