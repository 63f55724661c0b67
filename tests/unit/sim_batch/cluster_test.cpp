#include "sim/batch/cluster.hpp"

#include <catch2/catch.hpp>

#include <map>

#include "tests/support/command.hpp"

using namespace vmbsim::batch;
using Catch::Matchers::Contains;

namespace {

using Variables = std::map<std::string, std::string>;

/// "1 of 4", or what is wrong.
std::string asked(const std::string& text, const Variables& variables = {}) {
  const auto shard = shard_of(text, [&](const char* name) -> std::optional<std::string> {
    const auto value = variables.find(name);
    return value == variables.end() ? std::nullopt : std::optional(value->second);
  });
  if (const auto* wrong = std::get_if<std::string>(&shard)) return *wrong;
  return std::to_string(std::get<Shard>(shard).index) + " of " + std::to_string(std::get<Shard>(shard).count);
}

}  // namespace

TEST_CASE("a shard is named by its number from 1 and how many there are") {
  CHECK(asked("1/1") == "0 of 1");
  CHECK(asked("7/7") == "6 of 7");
  CHECK(asked("8/7") == "\"8/7\": there are 7 shards; right would be 1/7 to 7/7");
  CHECK(asked("0/7") == "\"0/7\": there are 7 shards; right would be 1/7 to 7/7");
  for (const char* wrong : {"", "/", "1", "-1/4", "1/0", "1/-4", "a/b", "1/4/2", "0x1/4", "1/4294967297", "1 /4"}) {
    CAPTURE(wrong);
    CHECK_THAT(asked(wrong), Contains("right would be"));
  }
}

// sbatch(1), "OUTPUT ENVIRONMENT VARIABLES"
TEST_CASE("a task of a Slurm array is the shard of its rank") {
  CHECK(asked("auto", {{"SLURM_ARRAY_TASK_ID", "2"}, {"SLURM_ARRAY_TASK_COUNT", "4"}, {"SLURM_ARRAY_TASK_MIN", "0"}}) ==
        "2 of 4");
  CHECK(asked("auto", {{"SLURM_ARRAY_TASK_ID", "9"},
                       {"SLURM_ARRAY_TASK_COUNT", "4"},
                       {"SLURM_ARRAY_TASK_MIN", "3"},
                       {"SLURM_ARRAY_TASK_STEP", "2"}}) == "3 of 4");
  // --array=1,5,7
  CHECK_THAT(
      asked("auto", {{"SLURM_ARRAY_TASK_ID", "7"}, {"SLURM_ARRAY_TASK_COUNT", "3"}, {"SLURM_ARRAY_TASK_MIN", "1"}}),
      Contains("not evenly numbered"));
  CHECK(asked("auto/4", {{"SLURM_ARRAY_TASK_ID", "7"}, {"SLURM_ARRAY_TASK_COUNT", "1"}}) == "3 of 4");
  CHECK(asked("auto", {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}}) == "1 of 2");
}

// qsub(1) of Grid Engine; PBS Professional User's Guide, "Job arrays"; Open MPI FAQ; MPICH's Hydra
TEST_CASE("Grid Engine, PBS and MPI say it in their own words") {
  CHECK(asked("auto",
              {{"SGE_TASK_ID", "3"}, {"SGE_TASK_FIRST", "1"}, {"SGE_TASK_LAST", "9"}, {"SGE_TASK_STEPSIZE", "2"}}) ==
        "1 of 5");
  CHECK_THAT(asked("auto", {{"SGE_TASK_ID", "undefined"}}), Contains("nothing in the environment"));
  CHECK(asked("auto/8", {{"PBS_ARRAY_INDEX", "8"}}) == "0 of 8");
  CHECK_THAT(asked("auto", {{"PBS_ARRAY_INDEX", "8"}}), Contains("write auto/N"));
  CHECK(asked("auto", {{"OMPI_COMM_WORLD_RANK", "5"}, {"OMPI_COMM_WORLD_SIZE", "6"}}) == "5 of 6");
  CHECK(asked("auto", {{"PMI_RANK", "5"}, {"PMI_SIZE", "6"}}) == "5 of 6");
  CHECK_THAT(asked("auto"), Contains("nothing in the environment tells a task"));
}

TEST_CASE("a file for sbatch asks for an array, is a script that bash takes, and quotes what it is given") {
  const std::string script = slurm_script({.program = "/opt/vm bsim",
                                           .scenario = "/work/it's.toml",
                                           .folder = "/work/out",
                                           .name = "it-s",
                                           .tasks = 16,
                                           .cpus = 4,
                                           .overrides = {"a.b=\"4 pages\""}});
  for (const char* line : {"#SBATCH --array=1-16\n", "#SBATCH --requeue\n", "#SBATCH --signal=B:TERM@60\n",
                           "#SBATCH --cpus-per-task=4\n", "--dependency=afterany:", "'/work/it'\\''s.toml'",
                           "--set 'a.b=\"4 pages\"'", "--shard \"$SLURM_ARRAY_TASK_ID/16\"", "--jobs 4"})
    CHECK_THAT(script, Contains(line));
  CHECK(vmbsim::testing::run_command("bash -n -c " + vmbsim::testing::quoted(script)).status == 0);
}
