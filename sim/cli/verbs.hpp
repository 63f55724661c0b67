#pragma once
/// The verbs of the command line, one file each. Each returns the exit status.
#include <optional>
#include <string>
#include <vector>

#include "vmbsim/ids.hpp"

namespace vmbsim::cli {

/// Exit status of every verb.
enum Exit : int {
  fine = 0,
  unmet = 1,      ///< the run finished, but a finding or a missed expectation was there
  bad_input = 2,  ///< command line or input, each problem on its own line
  broken = 3,     ///< an error inside vmbsim, or results that could not be written
  stopped = 143,  ///< SIGTERM
};

struct RunArguments {
  std::string scenario;
  std::vector<std::string> overrides;  ///< key.path=value
  std::optional<Seed> seed;
  std::string out;      ///< folder for results; empty: none
  std::string trace;    ///< file for a Perfetto trace; empty: none
  std::string command;  ///< the command line, for the manifest
};

int run(const RunArguments& arguments);
int check(const std::vector<std::string>& scenarios);
int expand(const std::string& scenario, const std::vector<std::string>& overrides, std::optional<Seed> seed);
int schema();

}  // namespace vmbsim::cli
