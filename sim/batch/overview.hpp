#pragma once
/// What `[report]` asks of a study, as text.
#include <string>
#include <variant>
#include <vector>

#include "sim/batch/folder.hpp"

namespace vmbsim::batch {

struct Asked {
  std::vector<std::string> rows;  ///< metrics: "latency.p99" of every channel or workload, or one by its full name
  std::string against;            ///< the parameter that makes the columns; empty: one column
};

/// What is told of all runs.
struct Overview {
  /// "57 guests found no place at fleet.per_host=40", a line for each point where that is so, the most first, and the rest of them
  /// counted; empty where all found one.
  std::string refused;
  /// A table for each combination of the other parameters: a row per metric, a column per value. Of several instances of a template
  /// what they are together; of several runs the figure of all their samples, or the mean. Where guests of a fleet found no
  /// place, a last row says of how many. Empty where no row was asked for.
  std::string tables;
};

/// Reads every run once.
std::variant<Overview, Problem> overview_of(const Runs& runs, const Asked& asked);

}  // namespace vmbsim::batch
