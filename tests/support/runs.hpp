#pragma once
/// Scenarios run inside the test's own process.
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/scenario/schema.hpp"
#include "models/scenario/world.hpp"

namespace vmbsim::testing {

/// The scenario, or every problem of it as an exception.
inline scenario::Scenario scenario_or_throw(scenario::Loaded loaded) {
  if (loaded.scenario) return std::move(*loaded.scenario);
  std::string problems;
  for (const Problem& problem : loaded.problems) problems += problem.line() + "\n";
  throw std::runtime_error(problems);
}

inline scenario::Scenario scenario_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return scenario_or_throw(scenario::load_text(text, {.overrides = overrides}));
}

inline scenario::Scenario scenario_in(const std::string& file, const std::vector<std::string>& overrides = {}) {
  return scenario_or_throw(scenario::load(file, {.overrides = overrides}));
}

inline RunResult run(const scenario::Scenario& scenario, const scenario::Traces& traces = {}) {
  return scenario::World(scenario, traces, nullptr).run();
}

/// Findings as text, for messages of failed tests.
inline std::string text_of(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings)
    text += finding.rule + " at " + std::to_string(nanoseconds(finding.time)) + "ns, " + finding.where + ": " +
            finding.text + "\n";
  return text;
}

}  // namespace vmbsim::testing
