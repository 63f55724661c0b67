#pragma once
/// `[expect]`, `[objective]` and `[report]`: which metrics there will be, in which unit, and what a line demands of one.
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "models/scenario/scenario.hpp"

namespace vmbsim::scenario {

/// Why a line of `[expect]` makes no sense, and what would.
struct ExpectationError {
  std::string text;
};

/// `metric` is a name of the `metric` column of summary.csv, for the guests, channels and workloads of `s`; `demand` is a
/// relation and a value with the metric's unit: `< 2ms`, `<= 0.8`, `>= 1000/s`, `= 100`. The place is left empty. What is
/// accepted names a metric that the run will have.
std::variant<Expectation, ExpectationError> expectation(const Scenario& s, const std::string& metric,
                                                        const std::string& demand);

/// What is wrong with a full name of a metric, or nothing.
std::optional<ExpectationError> wrong_metric(const Scenario& s, const std::string& metric);

/// What is wrong with `row` of `[report]`, or nothing: a row is what follows `channel.x.` or `workload.x.` in a metric's name,
/// or such a name in full.
std::optional<ExpectationError> wrong_row(const Scenario& s, const std::string& row);

}  // namespace vmbsim::scenario
