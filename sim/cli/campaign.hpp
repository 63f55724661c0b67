#pragma once
/// A scenario and its sweep as a plan of runs, and one run of it.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/batch/plan.hpp"
#include "sim/batch/runner.hpp"
#include "sim/cli/loading.hpp"
#include "sim/cli/verbs.hpp"

namespace vmbsim::cli {

/// Where a batch of a scenario file keeps its runs when nobody says: `quickstart.campaign` in the current folder.
std::string campaign_folder(const std::string& scenario);

/// The version of the model: results of two of them are not mixed.
std::string model_version();

/// What scenarios come to: digests over what they resolve to and what the files that they name hold, wherever these lie.
class Identities {
 public:
  Fingerprint of(const scenario::Scenario& scenario);

 private:
  std::string digest_of_file(const std::string& file);
  std::map<std::string, std::string> digests_;  // by path
};

/// How runs are carried out, of whatever campaign: so many at a time, or as many as there are processors; a signal stops them.
std::variant<batch::Runner::Config, Problem> runner_config(const RunLimits& limits, unsigned jobs);

/// One run of a scenario file, as its batch or its plan resolved it before.
struct RunOfMany {
  const std::string& path;
  std::vector<std::string> overrides;
  Fingerprint identity;
  Seed seed;
};
/// In a process of its own: reads the scenario once more, runs it, and prints what went wrong in it. Throws what makes it
/// impossible, and where the file is no more what it was: `of` is what it belongs to, "batch" or "plan".
batch::Figures figures_of(const RunOfMany& run, Loader& loader, Identities& identities, const char* of);
/// "study.toml was changed while its batch was going on"
std::string was_changed(const std::string& path, const char* of);

class ScenarioRuns {
 public:
  ScenarioRuns(std::string path, std::vector<std::string> overrides, std::optional<Seed> seed);

  /// Reads the scenario and every point of its sweep that `only` leaves. Tells all problems.
  Problems prepare(const std::vector<std::string>& only);
  const batch::Plan& plan() const { return *plan_; }
  const batch::Campaign& campaign() const { return campaign_; }
  const scenario::Scenario& scenario() const { return *scenario_; }

  /// In a process of its own.
  batch::Figures run(const batch::PlannedRun& run);

 private:
  std::vector<std::string> overrides_of(const sweep::Point& point) const;

  std::string path_;
  std::vector<std::string> overrides_;
  std::optional<Seed> seed_;
  Loader loader_;
  Identities identities_;
  std::optional<scenario::Scenario> scenario_;
  std::optional<sweep::Points> points_;
  std::optional<batch::Plan> plan_;
  batch::Campaign campaign_;
};

}  // namespace vmbsim::cli
