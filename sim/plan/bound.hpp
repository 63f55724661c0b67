#pragma once
/// What must hold of a load, how far one run is from it, and where several runs show its metric to lie.
#include <optional>
#include <span>
#include <string>

#include "sim/plan/decision.hpp"
#include "sim/report/metrics.hpp"
#include "vmbsim/histogram.hpp"

namespace vmbsim::plan {

enum class Demand : std::uint8_t { below, at_most, above, at_least, equal };

struct Bound {
  std::string metric;  ///< "channel.disk.latency.p99"
  std::string text;    ///< "< 2ms"
  report::Unit unit = report::Unit::count;
  std::optional<double> share{};  ///< of a percentile; else where it is one of times, the mean
  Demand demand = Demand::below;
  double value = 0;  ///< in the metric's own unit
};

/// One run's. Of a percentile the samples that are beyond the bound, less those that may be; of a mean of times what the
/// samples are beyond it together; else the figure less the bound. Above zero: not kept. Not a number where there is none.
/// Of Demand::equal: infinite where the figure differs, for no other run makes up for it.
/// A run without samples adds nothing to what the others say of times. Samples in the bound's own bucket may lie on either side of
/// it: `open`.
/// `times`: all samples, where the metric is one of times; null where it is none.
Margin margin_of(const Bound& bound, double value, const Histogram* times);

/// What the runs of a point say of one bound's metric.
struct Shown {
  std::vector<double> values;           ///< of every run
  std::vector<const Histogram*> times;  ///< of every run, where the metric is one of times; else empty
};

/// The metric's values that `limits` leaves: a bound below all of them is clearly broken, one above them is clearly kept (for
/// Demand::above the other way), and a bound among them is too close to call. An end that so few samples do not show is not a
/// number; so are both of Demand::equal.
Interval left_by(const Limits& limits, const Bound& bound, const Shown& shown);

}  // namespace vmbsim::plan
