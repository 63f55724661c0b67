#include "sim/cli/judging.hpp"

#include <optional>

#include "sim/report/metrics.hpp"

namespace vmbsim::cli {

namespace {

/// Nothing holds of what was not measured: it is not a number.
bool holds(scenario::Expectation::Relation relation, double actual, double wanted) {
  using Relation = scenario::Expectation::Relation;
  switch (relation) {
    case Relation::below: return actual < wanted;
    case Relation::at_most: return actual <= wanted;
    case Relation::above: return actual > wanted;
    case Relation::at_least: return actual >= wanted;
    case Relation::equals: return actual == wanted;
  }
  return false;
}

}  // namespace

bool judge(const scenario::Scenario& scenario, RunResult& result) {
  bool all_met = result.count(Severity::error) == 0;
  for (const scenario::Expectation& expectation : scenario.expect) {
    // Where no guest of a template found a host, there is nothing of its channels.
    const double actual = report::metric_value(result, expectation.metric).value_or(nothing_measured);
    const bool met = holds(expectation.relation, actual, expectation.value);
    result.expectations.push_back({.text = expectation.metric + " " + expectation.text, .actual = actual, .met = met});
    all_met = all_met && met;
  }
  return all_met;
}

}  // namespace vmbsim::cli
