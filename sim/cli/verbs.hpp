#pragma once
/// The verbs of the command line, one file each. Each returns the exit status.
#include <cstdint>
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

struct HuntArguments {
  std::string target;
  std::vector<std::string> overrides;   ///< key.path=value
  std::vector<std::string> strategies;  ///< empty: the target's, or the portfolio
  std::optional<std::uint64_t> runs;
  std::optional<Seed> seed;
  std::string memory;  ///< empty: the target's
  unsigned jobs = 0;   ///< 0: as many as there are processors
  std::string out;     ///< folder; empty: nothing is kept but repros, in the folder where one is
  std::string shard;   ///< "i/N", i from 1; empty: the whole campaign
  std::vector<std::string> merged;
  bool keep_going = false;
  unsigned patience_s = 10;
};

struct ReplayArguments {
  std::string repro;
  std::string target;  ///< instead of the repro's; empty: that one
  bool follow = false;
  std::string trace;  ///< files; empty: none
  std::string dot;
  unsigned times = 1;
};

int run(const RunArguments& arguments);
int hunt(const HuntArguments& arguments);
int replay(const ReplayArguments& arguments);
int check(const std::vector<std::string>& scenarios);
int expand(const std::string& scenario, const std::vector<std::string>& overrides, std::optional<Seed> seed);
int schema();

}  // namespace vmbsim::cli
