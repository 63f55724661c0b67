#pragma once
/// Runs of a program under a strategy, as a campaign makes them.
#include <map>
#include <set>
#include <string>

#include "sim/explore/strategies.hpp"
#include "tests/support/straight_line.hpp"

namespace vmbsim::testing {

/// Stands between a program and a strategy and writes down what was answered otherwise than by default.
class Recording final : public kernel::ChoiceSource {
 public:
  explicit Recording(kernel::ChoiceSource& source) : source_(source) {}

  std::uint32_t choose(const kernel::Choice& choice) override {
    const std::uint32_t taken = source_.choose(choice);
    if (taken == abandon || choice.alternatives == 1) return taken;
    const bool told = !choice.each.empty();
    const std::uint32_t actor = told ? choice.each[taken].actor : choice.actor;
    const std::uint64_t nth = asked_[actor]++;
    if (taken != 0)
      deviations.push_back({index_, taken, choice.alternatives, told ? choice.each[taken].kind : choice.point,
                            explore::hash_of(choice, taken), actor, nth});
    ++index_;
    return taken;
  }

  explore::Deviations deviations;

 private:
  kernel::ChoiceSource& source_;
  std::uint64_t index_ = 0;
  std::map<std::uint32_t, std::uint64_t> asked_;
};

struct Explored {
  std::uint64_t runs = 0;     ///< that went to their end
  std::uint64_t blocked = 0;  ///< that the strategy gave up
  std::uint64_t found = 0;
  bool exhausted = false;
  std::map<std::string, std::uint64_t> classes;  ///< runs by (rf, co)
  std::set<std::string> registers;
  std::vector<explore::Deviations> schedules;  ///< of every run, given up ones included
};

/// Runs `first` to `first + most - 1`, or fewer when the strategy has nothing left.
inline Explored explore_runs(StraightLine& program, explore::Strategy& strategy, std::uint64_t most = 10'000'000,
                             std::uint64_t first = 0) {
  Explored all;
  for (std::uint64_t run = first; run < first + most; ++run) {
    if (!strategy.begin(run)) {
      all.exhausted = true;
      return all;
    }
    Recording recording(strategy);
    const explore::Outcome& outcome = program.run(recording);
    strategy.end(outcome, recording.deviations);
    all.schedules.push_back(recording.deviations);
    if (outcome.end == explore::End::abandoned) {
      ++all.blocked;
      continue;
    }
    ++all.runs;
    if (outcome.found()) ++all.found;
    ++all.classes[program.rf_co()];
    all.registers.insert(program.registers());
  }
  return all;
}

inline Explored explore_all(StraightLine program, const std::string& strategy, std::uint64_t most = 10'000'000) {
  const auto made = explore::make_strategy(strategy, Seed{1});
  return explore_runs(program, *made, most);
}

}  // namespace vmbsim::testing
