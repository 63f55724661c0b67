#pragma once
/// The runs of a plan, carried out and kept as those of a batch are: a plan that was stopped goes on where it was.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "sim/batch/runner.hpp"
#include "sim/cli/campaign.hpp"
#include "sim/cli/loading.hpp"
#include "sim/plan/bound.hpp"
#include "sim/plan/search.hpp"

namespace vmbsim::cli {

/// The lines of an [objective] as bounds.
std::vector<plan::Bound> bounds_of(const std::vector<scenario::Expectation>& lines);

/// What a run says of its bounds. Guests that found no place break it, where no bound is about `fleet.refused`: what they would
/// have measured is not in its figures.
plan::Outcome outcome_of(const batch::Figures& figures, const std::vector<plan::Bound>& bounds);

class PlanRuns {
 public:
  struct Config {
    Loader& loader;                       ///< what it has read once, no run reads again
    std::string scenario;                 ///< file
    std::vector<std::string> overrides;   ///< on top of it, for every run
    batch::Runner::Config runner;         ///< its campaign is that of the scenario
    std::vector<std::string> parameters;  ///< names of what runs differ in, beside their seeds
  };
  explicit PlanRuns(Config config) : config_(std::move(config)) {}

  /// To be called first: takes note of the scenario, and opens the store. What is wrong with them.
  std::optional<Problem> prepare();

  struct Run {
    std::vector<std::string> overrides;   ///< on top of those of all
    std::vector<std::string> parameters;  ///< TOML text of each; empty: the run does not have it
    Seed seed;
  };
  /// Thrown when a signal asks to stop, or the store cannot be written: what is finished is kept.
  struct Stopped {
    std::optional<Problem> unwritten;
  };
  /// In the order of `runs`, whatever ends first. `show`: tells on stderr how far it is.
  std::vector<plan::Outcome> operator()(const std::vector<Run>& runs, bool show = false);

  /// Runs that did not need to be done, for the store had them.
  std::size_t before() const { return before_; }

 private:
  /// What the runs of a point have in common.
  struct Point {
    Fingerprint identity;
    std::vector<plan::Bound> bounds;  ///< metrics as they are named there
    std::string wrong;                ///< why it is no scenario; empty: it is one
  };
  std::vector<std::string> overrides_of(const Run& run) const;
  Point point_of(const Run& run);
  /// Takes note of the points that no run had before.
  void look_at(const std::vector<Run>& runs);
  batch::Job job_of(const Run& run);

  Config config_;
  Identities identities_;
  Fingerprint base_;                                  // of the scenario as it was at the start
  std::map<std::vector<std::string>, Point> points_;  // by overrides
  std::unique_ptr<batch::Runner> runner_;
  std::size_t before_ = 0;
};

}  // namespace vmbsim::cli
