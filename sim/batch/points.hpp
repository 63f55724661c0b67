#pragma once
/// A campaign point by point: the runs of each, which differ by their seeds alone, taken together.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/batch/folder.hpp"
#include "sim/stats/pool.hpp"

namespace vmbsim::batch {

/// A metric of every run of a point.
struct RunValues {
  std::string name;
  report::Unit unit = report::Unit::count;
  std::vector<double> values;         ///< not a number where a run measured none
  std::vector<Interval> intervals{};  ///< that each run knows of its own; not known where it knows none
};

/// A latency over all runs of a point: of one channel, or of all instances of a template ("channel.web[*].disk.latency").
struct Latency {
  std::string name;
  stats::Pool pool;
};

struct PointRuns {
  std::vector<std::string> parameters;  ///< as the campaign's
  std::vector<Seed> seeds;              ///< of the runs that are done, ascending
  std::size_t failed = 0;               ///< the others
  std::vector<RunValues> metrics;       ///< in the order of their first run
  std::vector<Latency> latencies;       ///< in the order of their first run, templates last
};

/// "vm.web.count=4 workload.load.queue_depth=8"; empty without parameters.
std::string name_of(const Campaign& campaign, const PointRuns& point);

/// The same of two points that set the same keys to the same values, whatever the spelling and the order of keys.
std::map<std::string, std::string> values_of(const Campaign& campaign, const PointRuns& point);

/// What is taken together: the rest is left aside.
struct Wanted {
  std::function<bool(const std::string& name)> metric;
  std::function<bool(const std::string& name)> latency;
};

/// In the order of runs, until `take` answers false.
std::optional<Problem> each_point(const Runs& runs, const Wanted& wanted,
                                  const std::function<bool(const PointRuns&)>& take);

}  // namespace vmbsim::batch
