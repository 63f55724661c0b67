#pragma once
/// What `hunt` and `replay` take on the command line, as targets: scenario files and harness libraries.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/hunt/target.hpp"
#include "vmbsim/problem.hpp"

namespace vmbsim::cli {

/// What a scenario's [hunt] says; a harness has nothing to say.
struct HuntDefaults {
  explore::MemoryModel memory = explore::MemoryModel::sc;
  std::uint64_t runs = 0;  ///< 0: not said
  std::vector<std::string> strategies;
  std::string expect;  ///< rule of the planted bug; empty: nothing is planted, nothing expected
  Seed seed;
};

struct LoadedTarget {
  std::unique_ptr<hunt::Target> target;  ///< null when there are problems
  HuntDefaults defaults;
  Problems problems;
};

/// The harness of vmbsim's own whose library has this name, as in "lost-doorbell.so".
std::optional<std::string> own_harness(const std::string& file_name);

/// A name that ends in .so is a harness; one that ends in .cpp or .c the harness that was built from it with the program; anything
/// else a scenario. Overrides are for scenarios.
LoadedTarget load_target(const std::string& path, const std::vector<std::string>& overrides);

}  // namespace vmbsim::cli
