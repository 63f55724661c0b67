#pragma once
/// How long a run takes, from a short part of it.
#include "sim/cli/loading.hpp"

namespace vmbsim::cli {

struct RunTime {
  double seconds = 0;     ///< of one processor
  bool at_least = false;  ///< it takes longer, nobody knows how much
};

/// Runs a part of the scenario in a child, then a larger one, until that takes long enough to tell the whole: at most some
/// two seconds. What is counted is processor time, of short parts the median of three: what else the machine does hardly shows.
/// A run that ends with its recorded load cannot be cut, and is tried whole. Nothing when it fails.
std::optional<RunTime> time_of_a_run(const Inputs& inputs);

}  // namespace vmbsim::cli
