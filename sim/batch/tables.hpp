#pragma once
/// Runs as tidy CSV: every row has the scenario, every parameter, the seed and the key of its run. The bytes depend on the
/// runs alone.
#include <functional>
#include <optional>
#include <string>

#include "sim/batch/folder.hpp"

namespace vmbsim::batch {

/// Takes a piece of the table; false: nothing more is wanted.
using Sink = std::function<bool(const std::string&)>;

/// One row per run that is done and metric: scenario, key, the parameters, seed, metric, value, unit.
std::optional<Problem> long_table(const Runs& runs, const Sink& sink);
/// One row per run, failed ones too: scenario, key, the parameters, seed, status, reason, fingerprint, then a column per metric.
std::optional<Problem> wide_table(const Runs& runs, const Sink& sink);
/// One row per point and latency, over all samples of all its runs: scenario, the parameters, runs, latency, count, mean, p50,
/// p90, p99, p999 and max in nanoseconds, then the ends of the 95 % intervals of mean and percentiles (stats/pool.hpp).
/// All instances of a template have a row together, too.
std::optional<Problem> pooled_table(const Runs& runs, const Sink& sink);

}  // namespace vmbsim::batch
