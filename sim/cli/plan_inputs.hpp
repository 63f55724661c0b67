#pragma once
/// The numbers of a scenario that an answer may hang on: costs, sizes, times, rates, counts.
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "models/scenario/scenario.hpp"

namespace vmbsim::cli {

/// One number, and how `--set` changes it.
struct PlanInput {
  std::string key;    ///< path as `--set` takes it; of a platform's number see PlatformInputs
  std::string value;  ///< as the scenario has it
  double number = 0;  ///< in the unit below
  std::string unit;   ///< "ns", " B", "/s", " pages"; empty: a plain number
  bool whole = true;  ///< without a fraction
  double least = 0;

  /// At a level: 0 is four fifths of the value, 1 six fifths, 0.5 the value; whole numbers move by one at least.
  std::string text_at(double level) const;
  /// The same as TOML text.
  std::string toml_at(double level) const;
};

/// All of them but those that are 0, the plan's own keys and what only says how long and how often is run.
std::vector<PlanInput> inputs_of(const scenario::Scenario& scenario);

/// Which inputs are looked at first where not all are. Those of what the objective is about: channels, and what belongs to them.
/// Then those of other channels, workloads, guests, disks and hosts, of the platform's file, of the machine, and of its latencies.
class InputOrder {
 public:
  explicit InputOrder(const scenario::Scenario& scenario);
  /// Of an input's key; the smallest comes first.
  std::size_t operator()(const std::string& key) const;

 private:
  std::set<std::string> asked_about_;  // "channel.disk.", "vm.web."
};

}  // namespace vmbsim::cli
