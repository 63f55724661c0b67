#include "sim/plan/bound.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace vmbsim::plan {

Margin margin_of(const Bound& bound, double value, const Histogram* times) {
  const double sign = bound.demand == Demand::above ? -1 : 1;
  if (times == nullptr || bound.demand == Demand::equal) {
    if (std::isnan(value)) return {value};
    return {bound.demand == Demand::equal ? (value == bound.value ? -1.0 : 1.0) : sign * (value - bound.value)};
  }
  const auto n = static_cast<double>(times->count());
  if (!bound.share) return {sign * n * (times->mean_ns() - bound.value)};
  const double beyond = 1 - *bound.share;
  return {sign * n * (1 - times->share_up_to(bound.value) - beyond), n * beyond * (1 - beyond)};
}

Interval left_by(const Limits& limits, const Bound& bound, const Shown& shown) {
  if (bound.demand == Demand::equal || limits.confidence == 0 || shown.values.size() < 2) return {};
  // How far the metric lies above a value; it falls as the value rises.
  const auto above = [&](double value) {
    Bound moved = bound;
    moved.demand = Demand::below;
    moved.value = value;
    std::vector<Margin> margins;
    for (std::size_t run = 0; run < shown.values.size(); ++run)
      margins.push_back(margin_of(moved, shown.values[run], shown.times.empty() ? nullptr : shown.times[run]));
    return distance(margins);
  };
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  const auto reach = [&](double low, double high) {
    least = std::min(least, low);
    most = std::max(most, high);
  };
  for (const double value : shown.values) reach(value, value);
  for (const Histogram* times : shown.times)
    if (times->count() != 0) reach(report::number(times->min()), report::number(times->max()));
  if (!bound.share) {  // a mean may lie far outside of what few runs show
    constexpr double far = 1000;
    const double range = most - least;
    reach(least - far * range, most + far * range);
  }
  const bool upwards = bound.demand == Demand::above;
  const double to_be_above = upwards ? limits.below : limits.above;
  const double to_be_below = upwards ? limits.above : limits.below;
  /// The border between values at which `so` is true, which are on the side of `from`, and others.
  const auto border = [&](double from, double to, const auto& so) {
    if (!so(from)) return nothing_measured;
    for (int halved = 0; halved < 60; ++halved) {
      const double middle = from + (to - from) / 2;
      (so(middle) ? from : to) = middle;
    }
    return from;
  };
  return {border(least, most, [&](double value) { return above(value) > to_be_above; }),
          border(most, least, [&](double value) { return above(value) < -to_be_below; })};
}

}  // namespace vmbsim::plan
