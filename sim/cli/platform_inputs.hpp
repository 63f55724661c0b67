#pragma once
/// The numbers of a platform file that an answer may hang on, and copies of the file in which some of them are moved.
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/cli/plan_inputs.hpp"
#include "vmbsim/problem.hpp"

namespace vmbsim::cli {

/// Speed and cores of hosts and rates of disks that the scenario names, bandwidth and latency of links, and what clusters say of
/// theirs. Things whose names differ by their numbers and that have one value are one input, and move together:
/// "platform:link:port-*.bandwidth", "platform:disk:array:lun.read_bw".
class PlatformInputs {
 public:
  /// None where the scenario has no platform file, or it cannot be read: then no run can.
  explicit PlatformInputs(const scenario::Scenario& scenario);
  /// Removes the copies.
  ~PlatformInputs();
  PlatformInputs(const PlatformInputs&) = delete;
  PlatformInputs& operator=(const PlatformInputs&) = delete;

  const std::vector<PlanInput>& inputs() const { return inputs_; }

  struct Moved {
    std::size_t input;  ///< of inputs()
    double level;
  };
  /// What `--set` takes to run with a copy in which these are moved. Throws std::runtime_error where none can be written.
  std::string override_with(const std::vector<Moved>& moved);

 private:
  std::string text_;
  std::vector<PlanInput> inputs_;
  std::vector<std::string> groups_;  // what each is of: Site::group()
  std::filesystem::path folder_;
};

}  // namespace vmbsim::cli
