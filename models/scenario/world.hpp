#pragma once
/// A scenario as wired objects: one world, built once from values, run once, told as a result.
///
///   World world(scenario, traces, platform.get());
///   const RunResult result = world.run();
///
/// Boot     The drivers create and open their channels first; the clock of warm-up and run starts when every guest has its
///          channels started, so a latency never contains the opening of its channel.
/// Findings what the simulated software did wrong, and "STUCK": a run that was not stopped by its limit and in which nothing
///          is left to happen, though a channel has not started or a request has not been answered; "LIVELOCK": time stands
///          still; "END_OF_TIME": what the run waits for lies beyond the 291 years of simulated time;
///          "WATCHDOG": an ISR, a DPC or a raised thread kept a processor too long, also one that still does at the end.
#include <map>
#include <memory>
#include <string>

#include "models/platform/platform.hpp"
#include "models/scenario/scenario.hpp"
#include "models/scenario/timeline.hpp"
#include "models/workload/trace.hpp"
#include "sim/kernel/choice.hpp"
#include "vmbsim/result.hpp"

namespace vmbsim::scenario {

/// The trace of every recorded workload, by the workload's name: one file may be replayed at several speeds.
using Traces = std::map<std::string, std::shared_ptr<const workload::Trace>>;

class World {
 public:
  /// `platform` may be null when the scenario names none; it must outlive the world. `choices` null: a plain run. Else it is
  /// hunted as `[hunt]` says, and `listener` is told every visible operation. `timeline` and `listener` null: none.
  World(const Scenario& scenario, const Traces& traces, platform::Platform* platform,
        kernel::ChoiceSource* choices = nullptr, Timeline* timeline = nullptr,
        explore::StepListener* listener = nullptr);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Boots and runs to the end. Once. Without wall time, version and expectations, which are the caller's to know.
  RunResult run();
  /// What was covered, and the names of processors and objects; null in a plain run.
  const hw::Exploration* exploration() const;

  struct Parts;  ///< what it is made of

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace vmbsim::scenario
