#pragma once
/// summary.json: everything a result says, for programs.
#include <string>

#include "vmbsim/result.hpp"

namespace vmbsim::report {

/// Means are in nanoseconds with at most three decimals; read as decimals, the eleven `stages_ns` of a channel add up to its
/// `latency_ns.mean` exactly (see breakdown.hpp). `wall_s` is the only field in which two runs of one scenario differ.
/// `intervals` of a channel holds the confidence interval of each figure as [low, high], null where the run is too short to know.
/// A figure of which there were no samples is null: the latency of a channel on which nothing completed, the mean of no batch.
std::string summary_json(const RunResult& result);

}  // namespace vmbsim::report
