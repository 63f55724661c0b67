#pragma once
/// What a run's figures are worth: its scenario's expectations, and rules that were broken.
#include "models/scenario/scenario.hpp"
#include "vmbsim/result.hpp"

namespace vmbsim::cli {

/// Puts an answer to each expectation into `result`. Whether all are met and no rule was broken.
bool judge(const scenario::Scenario& scenario, RunResult& result);

}  // namespace vmbsim::cli
