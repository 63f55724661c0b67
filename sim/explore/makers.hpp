#pragma once
/// What the table of strategies is made of: one function per strategy, each in the strategy's own file.
#include <memory>

#include "sim/explore/strategy.hpp"
#include "vmbsim/ids.hpp"

namespace vmbsim::explore {

std::unique_ptr<Strategy> make_random(Seed seed);
std::unique_ptr<Strategy> make_urw(Seed seed);
std::unique_ptr<Strategy> make_pct1(Seed seed);
std::unique_ptr<Strategy> make_pct2(Seed seed);
std::unique_ptr<Strategy> make_pct3(Seed seed);
std::unique_ptr<Strategy> make_pct4(Seed seed);
std::unique_ptr<Strategy> make_pct5(Seed seed);
std::unique_ptr<Strategy> make_pos(Seed seed);
std::unique_ptr<Strategy> make_rff(Seed seed);
std::unique_ptr<Strategy> make_inject(Seed seed);
std::unique_ptr<Strategy> make_mutate(Seed seed);
std::unique_ptr<Strategy> make_starve(Seed seed);
std::unique_ptr<Strategy> make_dpor(Seed seed);
std::unique_ptr<Strategy> make_odpor(Seed seed);
std::unique_ptr<Strategy> make_dfs(Seed seed);
std::unique_ptr<Strategy> make_delay(Seed seed);
std::unique_ptr<Strategy> make_preemption(Seed seed);
std::unique_ptr<Strategy> make_faults(Seed seed);

}  // namespace vmbsim::explore
