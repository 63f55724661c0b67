#pragma once
/// Inputs of a run, from files: the scenario, its platform, its traces.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/platform/platform.hpp"
#include "models/scenario/schema.hpp"
#include "models/scenario/world.hpp"

namespace vmbsim::cli {

struct Inputs {
  std::optional<scenario::Scenario> scenario;  ///< nothing when there are problems
  scenario::Traces traces;
  Problems problems;
};

/// Reads a scenario and everything it names, and tells all problems at once. Starts no engine in this process.
Inputs load_inputs(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed);

}  // namespace vmbsim::cli
