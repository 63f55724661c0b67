#pragma once
/// Swarm testing of a scenario: a hunt that always has all of it hides what needs little of it, or much.
#include <string>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "sim/kernel/random.hpp"

namespace vmbsim::scenario {

/// Overrides, as `--set` takes them, of a random half of what may vary without making a correct driver fail: processors,
/// subchannels, rings, batching, endpoints, devices, KMCL's policies, sizes and numbers of requests, faults, latencies, stalls.
/// What another one rules out may be drawn with it: a scenario with them may not pass its checks.
/// Source   Groce and others, "Swarm testing", ISSTA'12: features left out at random, weights and sizes from the extremes.
std::vector<std::string> draw_swarm(const Scenario& scenario, kernel::Stream& stream);

}  // namespace vmbsim::scenario
