#include "sim/batch/cluster.hpp"

#include <fmt/format.h>

#include <charconv>

namespace vmbsim::batch {
namespace {

constexpr std::uint32_t most_shards = 1'000'000;

std::optional<std::uint32_t> number_in(const std::string& text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// One task of several, as the environment tells it.
struct Task {
  std::string from;  // the variable that tells it
  std::uint32_t id = 0, first = 0, step = 1;
  std::optional<std::uint32_t> count;
};

std::optional<Task> task_in(const Environment& environment) {
  const auto value = [&](const char* name) -> std::optional<std::uint32_t> {
    const auto text = environment(name);
    return text ? number_in(*text) : std::nullopt;
  };
  if (const auto id = value("SLURM_ARRAY_TASK_ID"))
    return Task{"SLURM_ARRAY_TASK_ID", *id, value("SLURM_ARRAY_TASK_MIN").value_or(0),
                value("SLURM_ARRAY_TASK_STEP").value_or(1), value("SLURM_ARRAY_TASK_COUNT")};
  if (const auto id = value("SGE_TASK_ID")) {  // "undefined" outside an array
    const std::uint32_t first = value("SGE_TASK_FIRST").value_or(1);
    const std::uint32_t step = value("SGE_TASK_STEPSIZE").value_or(1);
    const auto last = value("SGE_TASK_LAST");
    if (!last || step == 0 || *last < first) return Task{"SGE_TASK_ID", *id, first, step, std::nullopt};
    return Task{"SGE_TASK_ID", *id, first, step, (*last - first) / step + 1};
  }
  for (const char* name : {"PBS_ARRAY_INDEX", "PBS_ARRAYID"})
    if (const auto id = value(name)) return Task{name, *id, 0, 1, std::nullopt};
  struct Ranks {
    const char* rank;
    const char* size;
  };
  for (const Ranks& ranks : {Ranks{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}, Ranks{"PMI_RANK", "PMI_SIZE"},
                             Ranks{"SLURM_PROCID", "SLURM_NTASKS"}})
    if (const auto rank = value(ranks.rank)) return Task{ranks.rank, *rank, 0, 1, value(ranks.size)};
  return std::nullopt;
}

std::variant<Shard, std::string> from_environment(const std::string& text, std::optional<std::uint32_t> count,
                                                  const Environment& environment) {
  const auto task = task_in(environment);
  if (!task)
    return fmt::format(
        "\"{}\": nothing in the environment tells a task of Slurm, Grid Engine, PBS or MPI; right would be I/N here, "
        "as in 1/8, or auto in a job of an array, as slurm-script writes one",
        text);
  if (count) return Shard{task->id % *count, *count};
  if (!task->count)
    return fmt::format("\"{}\": {} is there, but not how many tasks there are; write auto/N", text, task->from);
  const std::uint32_t index =
      task->id < task->first || task->step == 0 ? *task->count : (task->id - task->first) / task->step;
  if (index >= *task->count)
    return fmt::format("\"{}\": the tasks of the array are not evenly numbered; write I/N or auto/N", text);
  return Shard{index, *task->count};
}

/// One word for a shell.
std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::variant<Shard, std::string> shard_of(const std::string& text, const Environment& environment) {
  const std::size_t slash = text.find('/');
  const std::string before = text.substr(0, slash);
  std::optional<std::uint32_t> count;
  if (slash != std::string::npos) {
    count = number_in(text.substr(slash + 1));
    if (!count || *count == 0 || *count > most_shards)
      return fmt::format("\"{}\": right would be I/N, with N from 1 to {}", text, most_shards);
  }
  if (before == "auto") return from_environment(text, count, environment);
  const auto index = number_in(before);
  if (!index || !count) return fmt::format("\"{}\" is no shard; right would be I/N, as in 1/8, or auto", text);
  if (*index == 0 || *index > *count)
    return fmt::format("\"{}\": there are {} shards; right would be 1/{} to {}/{}", text, *count, *count, *count,
                       *count);
  return Shard{*index - 1, *count};
}

std::string slurm_script(const ArrayJob& job) {
  const std::string program = quoted(job.program);
  const std::string folder = quoted(job.folder);
  std::string overrides;
  for (const std::string& one : job.overrides) overrides += " --set " + quoted(one);
  std::string out = "#!/bin/bash\n";
  const auto option = [&](const std::string& text) { out += "#SBATCH --" + text + "\n"; };
  option("job-name=" + job.name);
  option(fmt::format("array=1-{}", job.tasks));
  option(fmt::format("cpus-per-task={}", job.cpus));
  option("requeue");
  option("open-mode=append");
  option("signal=B:TERM@60");
  option("output=" + job.folder + ".slurm-%a.log");  // the folder may not be there yet
  out += fmt::format(R"sh(
# {0} tasks share one folder, each with a store of its own. A task that is lost, stopped or submitted again goes on
# where it was. One minute before its time is over it is told to keep what is finished, and queued once more.
set -u

if [ "$SLURM_ARRAY_TASK_ID" = 1 ] && [ "${{SLURM_RESTART_COUNT:-0}}" = 0 ]; then
  sbatch --job-name={1}-merge --dependency=afterany:"$SLURM_ARRAY_JOB_ID" --output={2}.slurm-merge.log \
         --wrap={3}
fi

{4} batch {5} --out {2} --shard "$SLURM_ARRAY_TASK_ID/{0}" --jobs {6} --progress plain{7} &
batch=$!
trap 'kill -TERM $batch' TERM
wait $batch
status=$?
while kill -0 $batch 2>/dev/null; do
  wait $batch
  status=$?
done
if [ $status = 143 ] && [ "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T)" = RUNNING ]; then
  scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
fi
exit $status
)sh",
                     job.tasks, job.name, folder,
                     quoted(fmt::format("{} merge {} --out {}", program, folder, quoted(job.folder + "/merged"))),
                     program, quoted(job.scenario), job.cpus, overrides);
  return out;
}

}  // namespace vmbsim::batch
