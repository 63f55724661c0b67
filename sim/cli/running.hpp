#pragma once
/// One run of a scenario that was read: the warm-up that it is to find by itself, then the run.
#include "models/platform/platform.hpp"
#include "models/scenario/timeline.hpp"
#include "models/scenario/world.hpp"

namespace vmbsim::cli {

/// Runs in this process; a warm-up is found in a child, for SimGrid's clock runs once. `platform` null: the scenario names none.
/// `timeline` null: none is kept.
RunResult run_once(const scenario::Scenario& scenario, const scenario::Traces& traces, platform::Platform* platform,
                   scenario::Timeline* timeline = nullptr);

}  // namespace vmbsim::cli
