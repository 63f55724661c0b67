#pragma once
/// What a plan asks, and whether it can be asked: its scenario says it in [objective] and [[plan.vary]].
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/cli/loading.hpp"

namespace vmbsim::cli {

/// Some axes with a value each.
struct PlanPoint {
  std::vector<std::string> overrides;         ///< as --set takes them
  std::map<std::string, std::string> values;  ///< TOML text by the axis' first key

  void set(const scenario::PlanSpec::Axis& axis, std::size_t index);
};

/// What stands between a scenario and its plan: a part that is missing, too many combinations, an override of what varies, and
/// ends of what may vary that are no scenario, each at its key or its value. `scenario` is what `file` and `overrides` make.
Problems wrong_with_plan(Loader& loader, const std::string& file, const std::vector<std::string>& overrides,
                         std::optional<Seed> seed, const scenario::Scenario& scenario);

}  // namespace vmbsim::cli
