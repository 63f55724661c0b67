#pragma once
/// What the answer of a plan hangs on: every number of the scenario and of its platform file, moved by a fifth.
#include <cstddef>
#include <string>
#include <vector>

#include "sim/cli/plan_inputs.hpp"
#include "sim/cli/plan_runs.hpp"
#include "sim/plan/sensitivity.hpp"

namespace vmbsim::cli {

/// At which point, and in which figure.
struct SensitivityQuestion {
  const scenario::Scenario& scenario;
  const std::string& file;
  const std::vector<std::string>& overrides;  ///< of the command line
  std::string point;                          ///< "vm.web.count = 14"
  PlanRuns::Run run;                          ///< the first one there
  const std::vector<plan::Bound>& bounds;
  std::size_t tightest = 0;     ///< of the bounds: the figure that is looked at
  std::size_t most_inputs = 0;  ///< the first ones by InputOrder; what is left out is told
  std::size_t runs_before = 0;  ///< those that the answer took
  bool breached = false;        ///< it breaks because guests find no place: how many do is looked at in its stead
};

/// What one input does to the figure.
struct Influence {
  PlanInput input;
  plan::Effect effect;
  /// Guests without a place, more than where the answer is, at the lower and the upper end. What they would have measured is in
  /// no figure.
  double refused_down = 0;
  double refused_up = 0;
};

struct Sensitivity {
  std::string metric;
  report::Unit unit = report::Unit::count;
  std::string point;
  double middle = 0;  ///< the figure there
  std::vector<Influence> influences;
  std::size_t runs = 0;
  std::vector<std::string> left_out{};  ///< keys of inputs that nobody looked at
  std::string platform{};               ///< the file that inputs named "platform:" stand in
};

/// Inputs of which one end is no scenario are left out; a combination that cannot be run says nothing of the inputs that led there.
/// Seeds are the same everywhere. Throws as PlanRuns does.
Sensitivity sensitivity_of(const SensitivityQuestion& question, Loader& loader, PlanRuns& runs);

/// The five that move the figure most, what the numbers beside them are, and what was left out.
std::string told(const Sensitivity& found);
/// All of them, as an object.
std::string json_of(const Sensitivity& found);

}  // namespace vmbsim::cli
