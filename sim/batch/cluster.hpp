#pragma once
/// How a batch is divided, and what tells a program which part is its own.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vmbsim::batch {

/// Run k of a batch belongs to shard k modulo `count`.
struct Shard {
  std::uint32_t index = 0;  ///< from 0
  std::uint32_t count = 1;
  friend bool operator==(const Shard&, const Shard&) = default;
};

/// A variable of the environment, or nothing.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// `I/N` with I from 1; `auto`: what Slurm (array, else tasks of a step), Grid Engine (array) or MPI (Open MPI, MPICH and its
/// kin) say in the environment; `auto/N`: the number of the task modulo N, which PBS arrays need, for PBS does not say how many
/// there are. Else what is wrong.
/// Source: sbatch(1) and srun(1), "OUTPUT ENVIRONMENT VARIABLES"; qsub(1) of Grid Engine, "ENVIRONMENTAL VARIABLES"; PBS
/// Professional User's Guide, "Job arrays"; Open MPI FAQ, "Running MPI jobs".
std::variant<Shard, std::string> shard_of(const std::string& text, const Environment& environment);

/// What Slurm's array job of a batch is made from.
struct ArrayJob {
  std::string program;   ///< absolute
  std::string scenario;  ///< absolute
  std::string folder;    ///< absolute
  std::string name;
  std::uint32_t tasks = 1;
  std::uint32_t cpus = 1;              ///< of each task
  std::vector<std::string> overrides;  ///< as --set takes them
};

/// A file for sbatch: an array, started again where a node is lost or time runs out, and a merge that depends on it.
std::string slurm_script(const ArrayJob& job);

}  // namespace vmbsim::batch
