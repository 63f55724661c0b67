#pragma once
/// The runs of a plan: each in a process of its own, several at a time. What must hold is the [objective] that the scenario has
/// with the overrides of the run, in its order.
#include <string>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "sim/cli/loading.hpp"
#include "sim/plan/search.hpp"
#include "sim/workers/crew.hpp"

namespace vmbsim::cli {

/// What a run says of the lines that must hold of it.
plan::Outcome outcome_of(const RunResult& result, const std::vector<scenario::Expectation>& lines);

/// An outcome on its way out of its process; bit by bit the same behind it.
std::string text_of(const plan::Outcome& outcome);
plan::Outcome outcome_in(const std::string& text);

class PlanRuns {
 public:
  struct Config {
    Loader& loader;                      ///< what it has read once, no run reads again
    std::string scenario;                ///< file
    std::vector<std::string> overrides;  ///< on top of it, for every run
    unsigned jobs = 1;
  };
  explicit PlanRuns(Config config) : config_(std::move(config)) {}

  struct Run {
    std::vector<std::string> overrides;  ///< on top of those of all
    Seed seed;
  };
  /// In the order of `runs`, whatever ends first.
  std::vector<plan::Outcome> operator()(const std::vector<Run>& runs) const;

 private:
  Config config_;
};

}  // namespace vmbsim::cli
