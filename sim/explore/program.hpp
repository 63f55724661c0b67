#pragma once
/// What a hunt explores: something that can be run again and again under different answers. Strategies, the recorder, the
/// minimiser and the campaign know programs by this page only, be they a harness or a scenario.
#include <cstdint>
#include <string>
#include <vector>

#include "sim/kernel/choice.hpp"
#include "vmbsim/finding.hpp"
#include "vmbsim/ids.hpp"

namespace vmbsim::explore {

/// How the loads and stores of words that processors share are ordered. Source: Sewell et al., "x86-TSO", CACM 53(7), 2010;
/// SPARC V9, appendix D (PSO).
enum class MemoryModel : std::uint8_t {
  sc,   ///< every store is visible at once
  tso,  ///< each processor's stores wait in a FIFO buffer, as on x86
  pso,  ///< the same with one FIFO per word: stores to different words may overtake each other
};
constexpr const char* name_of(MemoryModel model) {
  switch (model) {
    case MemoryModel::sc: return "sc";
    case MemoryModel::tso: return "tso";
    case MemoryModel::pso: return "pso";
  }
  return "?";
}

enum class End : std::uint8_t {
  finished,   ///< everything that had to happen has happened, or a finding ended it
  abandoned,  ///< the source answered ChoiceSource::abandon
  cut,        ///< the limit of steps was reached
};

/// What one run told. The buffers are reused from run to run.
struct Outcome {
  End end = End::finished;
  Findings findings;              ///< the first one is what the run is known by
  Fingerprint fingerprint;        ///< over every step and what it read
  std::uint64_t steps = 0;        ///< scheduling steps of a harness, events of a scenario
  std::uint64_t switches = 0;     ///< steps by another context than the step before
  std::uint64_t preemptions = 0;  ///< those of them away from a context that could have gone on
  bool held_back = false;  ///< a yield kept somebody from going: other schedules are fair as long as yields are not
  std::uint64_t trace_class = 0;  ///< equal for runs that differ in the order of independent steps only; 0: unknown
  /// A harness's actors that could not go on at the end, abandoned or not, with the operation each of them waits in: who took what they wait
  /// for may have been second in another order, and a proof has to try it.
  std::vector<kernel::Alternative> waiting;
  std::vector<std::uint32_t> features;  ///< what was covered: numbers below 65,536, with repetitions
  std::vector<std::string> goals;       ///< names of the `sometimes` goals that the run came by, met or not
  std::vector<std::string> reached;     ///< those of them that were met

  bool found() const { return !findings.empty(); }
};

/// One line of a run's story, for whoever tells it.
struct Step {
  std::uint64_t number;  ///< from 0
  std::uint32_t actor;
  std::uint32_t processor;
  std::uint8_t irql;
  kernel::Operation operation;
  std::uint64_t value = 0;   ///< read or written
  std::string text;          ///< "store tail = 3": in the program's own words
  std::int64_t time_ns = 0;  ///< simulated time; in a time-abstract machine the step's number
};

/// Is told every step of a run. Text is made only when there is one.
class StepListener {
 public:
  virtual ~StepListener() = default;
  virtual void on_step(const Step& step) = 0;
};

class Program {
 public:
  virtual ~Program() = default;
  /// Runs it once, from the same beginning every time. `listener` may be null. Must be a function of the answers alone.
  virtual const Outcome& run(kernel::ChoiceSource& choices, StepListener* listener = nullptr) = 0;
  /// True when every question about order has its alternatives in Choice::each: what a proof needs.
  virtual bool time_abstract() const = 0;
  /// True when a run leaves traces in its process, so that the next one needs another.
  virtual bool needs_process_per_run() const { return false; }
  /// Names for the story; ids are those of Step and Alternative.
  virtual std::string actor_name(std::uint32_t actor) const = 0;
  virtual std::string object_name(std::uint32_t object) const = 0;
};

}  // namespace vmbsim::explore
