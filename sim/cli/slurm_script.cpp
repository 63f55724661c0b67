#include <filesystem>

#include "sim/batch/cluster.hpp"
#include "sim/cli/campaign.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/verbs.hpp"

namespace vmbsim::cli {

int slurm_script(const SlurmArguments& arguments) {
  namespace fs = std::filesystem;
  ScenarioRuns runs(arguments.scenario, arguments.overrides, {});
  if (const Problems problems = runs.prepare({}); !problems.empty()) {
    print(problems);
    return bad_input;
  }
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
