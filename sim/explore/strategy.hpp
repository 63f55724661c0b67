#pragma once
/// A strategy: decides how the next run of a program departs from the plain one. One file each; the table is in strategies.hpp.
///
///   while (strategy.begin(run)) { program.run(recorder_of(strategy)); strategy.end(outcome); ++run; }
///
/// A strategy is deterministic given its seed and the runs it has seen: what depends on earlier runs is in save().
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/explore/deviations.hpp"
#include "sim/explore/program.hpp"
#include "sim/kernel/choice.hpp"

namespace vmbsim::explore {

class Strategy : public kernel::ChoiceSource {
 public:
  /// Before run number `run` of the campaign. False: everything within the strategy's bound has been seen.
  virtual bool begin(std::uint64_t run) = 0;
  /// After it. `taken` are the deviations it made.
  virtual void end(const Outcome& outcome, const Deviations& taken) = 0;
  /// All that must survive between two slices of runs; empty for strategies that remember nothing.
  virtual std::string save() const { return {}; }
  virtual void restore(std::string_view) {}
  /// What has been seen completely, as a certificate would put it: "every schedule with at most 2 delays"; empty: nothing.
  virtual std::string covered() const { return {}; }
  /// True when a slice may be split by run number among processes: no run depends on another.
  virtual bool independent_runs() const { return true; }
};

}  // namespace vmbsim::explore
