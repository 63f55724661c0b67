#pragma once
/// Inputs of a run, from files: the scenario, its platform, its traces.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/platform/platform.hpp"
#include "models/scenario/schema.hpp"
#include "models/scenario/world.hpp"

namespace vmbsim::cli {

struct Inputs {
  std::optional<scenario::Scenario> scenario;  ///< nothing when there are problems
  scenario::Traces traces;
  Problems problems;
};

/// Reads scenarios and everything they name, and tells all problems at once. What several of them name is looked at once:
/// platform files, driver libraries, traces. Starts no engine in this process.
class Loader {
 public:
  Loader();
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// As `run` takes it; its sweep is tried, too.
  Inputs whole(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed);
  /// As one run of its plan: its sweep is not tried, for what a plan changes need not go with it.
  Inputs planned(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed);
  /// As one run of its batch: what says how it is swept, searched and shown is left aside.
  Inputs one_run(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed);

 private:
  struct Known;
  Inputs load(const std::string& path, scenario::LoadOptions options, bool try_sweep);
  void load_trace(const scenario::WorkloadSpec& load, const std::vector<scenario::ChannelSpec>& channels,
                  Inputs& inputs);

  std::unique_ptr<Known> known_;
};

/// By its ending, `path` means a harness's library (.so), or its source (.cpp, .c).
bool names_harness(const std::string& path);

/// `Loader::whole` of one scenario.
Inputs load_inputs(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed);

/// Where libraries lie that were made with the program: `built` beside it, or `installed` below the prefix of both. Empty: it
/// cannot be told.
std::string folder_of_own(const char* built, const char* installed);

}  // namespace vmbsim::cli
