#include "sim/explore/strategies.hpp"

#include "sim/explore/dpor.hpp"
#include "sim/explore/makers.hpp"
#include "sim/explore/search.hpp"

namespace vmbsim::explore {
namespace {

constexpr NamedStrategy table[] = {
    {"random", "any actor that can go on, at each step", false, make_random},
    {"urw", "any interleaving, all equally likely", false, make_urw},
    {"pct1", "by priorities that are drawn", false, make_pct1},
    {"pct2", "the same, and one of them falls: bugs of depth 2", false, make_pct2},
    {"pct3", "two of them fall: bugs of depth 3", false, make_pct3},
    {"pct4", "three of them fall: bugs of depth 4", false, make_pct4},
    {"pct5", "four of them fall: bugs of depth 5", false, make_pct5},
    {"pos", "by priorities of steps, drawn again for those that race", false, make_pos},
    {"rff", "towards orders of conflicting accesses that no run has shown", false, make_rff},
    {"inject", "delays and faults in many places, most where a run seldom comes by", false, make_inject},
    {"mutate", "small changes of schedules that covered something new", false, make_mutate},
    {"starve", "one actor kept waiting, or held before an access that conflicts", false, make_starve},
    {"delay", "every schedule by number of delays, few first", true, make_delay},
    {"preemption", "every schedule by number of pre-emptions, few first", true, make_preemption},
    {"dpor", "every schedule but for the order of independent steps: source sets", true, make_dpor},
    {"odpor", "the same with wake-up trees: no run is given up", true, make_odpor},
    {"dfs", "every schedule", true, make_dfs},
    {"faults", "a fault at each place, then at each two", false, make_faults},
};

}  // namespace

std::span<const NamedStrategy> strategies() { return table; }

std::unique_ptr<Strategy> make_strategy(const std::string& name, Seed seed) {
  for (const NamedStrategy& one : table)
    if (name == one.name) return one.make(seed);
  return nullptr;
}

bool proves(const std::string& name) {
  for (const NamedStrategy& one : table)
    if (name == one.name) return one.proves;
  return false;
}

std::vector<std::string> portfolio(bool time_abstract) {
  if (time_abstract) return {"rff", "dpor", "delay", "pos", "urw", "pct3", "random", "mutate", "starve", "faults"};
  return {"inject", "random", "starve", "mutate", "delay", "faults", "pct3"};
}

bool can_split(const std::string& name) { return name == "dfs" || name == "dpor" || name == "odpor"; }

std::vector<std::string> split(const std::string& name, std::string_view state, std::size_t parts) {
  if (name == "dfs") return Search::split(state, parts);
  if (name == "dpor" || name == "odpor") return Dpor::split(state, parts);
  return {std::string(state)};
}

}  // namespace vmbsim::explore
