#pragma once
/// Every strategy by the name that `--strategy` takes.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/explore/strategy.hpp"
#include "vmbsim/ids.hpp"

namespace vmbsim::explore {

struct NamedStrategy {
  const char* name;
  const char* summary;  ///< half a sentence, for help and lists
  bool proves;          ///< when it ends, everything was seen (of a time-abstract program)
  std::unique_ptr<Strategy> (*make)(Seed seed);
};

std::span<const NamedStrategy> strategies();

/// Null: none of that name.
std::unique_ptr<Strategy> make_strategy(const std::string& name, Seed seed);

/// Whether it proves something when it ends; false, too, when there is none of that name.
bool proves(const std::string& name);

/// Several ways to look, the promising ones first: what a hunt does when nobody says how. `time_abstract`: of the program.
std::vector<std::string> portfolio(bool time_abstract);

/// Whether split() divides states of that strategy.
bool can_split(const std::string& name);
/// Disjoint states, at most `parts`, which together have left what `state` of that strategy has: for dfs, dpor and odpor once
/// they have made a run. Any other state comes back alone.
std::vector<std::string> split(const std::string& name, std::string_view state, std::size_t parts);

}  // namespace vmbsim::explore
