#pragma once
/// A scenario as a program that a hunt runs again and again, in a fresh world each time.
///
///   Hunted program(scenario, traces);
///   const explore::Outcome& outcome = program.run(choices);
///
/// Features  below 0x1000: operation x IRQL; 0x1000: ring fill x mask x wish x signal x end; 0x2000: end x connection x step of a
///           channel's life. Time orders the actors, so a run proves nothing but itself.
#include <memory>
#include <string>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "models/scenario/world.hpp"
#include "sim/explore/program.hpp"

namespace vmbsim::scenario {

/// What makes a scenario smaller, as overrides that `--set` takes.
struct Reduction {
  std::string description;  ///< "half the packets"
  std::vector<std::string> overrides;
};

class Hunted final : public explore::Program {
 public:
  /// `traces` as for World. The scenario's findings that are warnings are left out of every outcome.
  Hunted(Scenario scenario, Traces traces);

  const explore::Outcome& run(kernel::ChoiceSource& choices, explore::StepListener* listener = nullptr) override;
  bool time_abstract() const override { return false; }
  /// SimGrid has one engine in the life of a process, and a driver library keeps its variables.
  bool needs_process_per_run() const override;
  std::string actor_name(std::uint32_t actor) const override;
  std::string object_name(std::uint32_t object) const override;

  const Scenario& scenario() const { return scenario_; }
  /// Most promising first.
  std::vector<Reduction> reductions() const;

 private:
  Scenario scenario_;
  Traces traces_;
  explore::Outcome outcome_;
  std::vector<std::string> processors_;  // as the last run numbered them
  std::vector<std::string> objects_;
};

}  // namespace vmbsim::scenario
