#pragma once
/// What `warm_up = "auto"` stands for.
#include "models/scenario/world.hpp"

namespace vmbsim::scenario {

/// How long the same scenario and seed takes until the figures of its last channel have settled, by MSER-5 over a run of its own
/// that measures from its start. Takes as long as that run. What has not settled counts as it stands.
FoundWarmUp find_warm_up(const Scenario& scenario, const Traces& traces, platform::Platform* platform);

}  // namespace vmbsim::scenario
