#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "sim/batch/cluster.hpp"
#include "sim/cli/campaign.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/config/suggestions.hpp"

namespace vmbsim::cli {

int slurm_script(const SlurmArguments& arguments) {
  namespace fs = std::filesystem;
  ScenarioRuns runs(arguments.scenario, arguments.overrides, {});
  if (const Problems problems = runs.prepare({}); !problems.empty()) {
    print(problems);
    return bad_input;
  }
  if (const std::uint64_t many = runs.plan().size(); arguments.tasks > many)
    fmt::print(stderr, "vmbsim: {} tasks for {}: {} would have nothing to do; right would be --tasks {} or fewer\n",
               arguments.tasks, config::counted(many, "run", "runs"), arguments.tasks - many, many);
  const std::string out = arguments.out.empty() ? campaign_folder(arguments.scenario) : arguments.out;
  return say(batch::slurm_script({.program = fs::read_symlink("/proc/self/exe").string(),
                                  .scenario = fs::absolute(arguments.scenario).string(),
                                  .folder = fs::absolute(out).string(),
                                  .name = fs::path(arguments.scenario).stem().string(),
                                  .tasks = arguments.tasks,
                                  .cpus = arguments.cpus,
                                  .overrides = arguments.overrides}),
             fine);
}

}  // namespace vmbsim::cli
