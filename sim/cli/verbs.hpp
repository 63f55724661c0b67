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
  bool restart = false;  ///< what `out` holds of an earlier hunt is put aside
  unsigned patience_s = 10;
  unsigned shrink_s = 60;
};

struct ReplayArguments {
  std::string repro;
  std::string target;  ///< instead of the repro's; empty: that one
  bool follow = false;
  std::string trace;  ///< files; empty: none
  std::string dot;
  unsigned times = 1;
  unsigned patience_s = 10;
};

/// What each run of a batch or a plan may take.
struct RunLimits {
  std::string time;      ///< by the wall clock; empty: no limit
  std::string memory;    ///< resident; empty: no limit
  unsigned retries = 1;  ///< of a crash
};

struct BatchArguments {
  std::string scenario;
  std::vector<std::string> overrides;
  std::vector<std::string> only;  ///< KEY=VALUE of the sweep
  std::optional<Seed> seed;
  std::string out;            ///< folder of the campaign; empty: beside the caller, named after the scenario
  std::string shard = "1/1";  ///< "i/N", i from 1; "auto", "auto/N"
  std::string progress = "auto";
  RunLimits limits;
  unsigned jobs = 0;    ///< 0: as many as there are processors
  std::string command;  ///< the command line, to be typed again
};

struct SlurmArguments {
  std::string scenario;
  std::vector<std::string> overrides;
  std::string out;
  unsigned tasks = 0;
  unsigned cpus = 1;
};

enum class Table : std::uint8_t { by_metric, by_run, by_point };

struct PlanArguments {
  std::string scenario;
  std::vector<std::string> overrides;  ///< key.path=value
  std::optional<Seed> seed;
  RunLimits limits;
  unsigned jobs = 0;  ///< 0: as many as there are processors
  std::string out;    ///< folder for plan.json and the runs; empty: none
  bool sensitivity = false;
  std::size_t sensitivity_inputs = 100;  ///< at the most: each takes 18 runs
  std::string command;                   ///< the command line, to be typed again
};

struct CompareArguments {
  std::string before;  ///< folders of campaigns
  std::string after;
  std::vector<std::string> metrics;  ///< names; empty: those worth comparing
  double tolerance = 5;              ///< percent
  double confidence = 95;            ///< percent
  bool all = false;                  ///< every change on a line of its own
  std::string junit;                 ///< files; empty: none
  std::string json;
};

int run(const RunArguments& arguments);
int compare(const CompareArguments& arguments);
int plan(const PlanArguments& arguments);
int hunt(const HuntArguments& arguments);
int replay(const ReplayArguments& arguments);
int batch(const BatchArguments& arguments);
int merge(const std::vector<std::string>& folders, const std::string& out);
int export_table(const std::string& folder, Table table);
int slurm_script(const SlurmArguments& arguments);
int check(const std::vector<std::string>& scenarios);
int expand(const std::string& scenario, const std::vector<std::string>& overrides, std::optional<Seed> seed);
int schema();

}  // namespace vmbsim::cli
