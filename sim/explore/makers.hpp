#pragma once
/// What the table of strategies is made of: one function per strategy, each in the strategy's own file.
#include <memory>

#include "sim/explore/strategy.hpp"
#include "vmbsim/ids.hpp"

namespace vmbsim::explore {

std::unique_ptr<Strategy> make_random(Seed seed);
std::unique_ptr<Strategy> make_dpor(Seed seed);
std::unique_ptr<Strategy> make_odpor(Seed seed);
std::unique_ptr<Strategy> make_dfs(Seed seed);
std::unique_ptr<Strategy> make_delay(Seed seed);
std::unique_ptr<Strategy> make_preemption(Seed seed);
std::unique_ptr<Strategy> make_faults(Seed seed);

}  // namespace vmbsim::explore
