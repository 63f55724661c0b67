#include "sim/plan/bound.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/stats/resolution.hpp"

namespace vmbsim::plan {

namespace {

bool upwards(Demand demand) { return demand == Demand::above || demand == Demand::at_least; }

}  // namespace

Margin margin_of(const Bound& bound, double value, const Histogram* times) {
  const double sign = upwards(bound.demand) ? -1 : 1;
  const bool zero_keeps = bound.demand == Demand::at_most || bound.demand == Demand::at_least;
  if (times == nullptr || bound.demand == Demand::equal) {
    if (std::isnan(value)) return {value};
    if (bound.demand != Demand::equal) return {sign * (value - bound.value), 0, zero_keeps};
    return {value == bound.value ? -1 : std::numeric_limits<double>::infinity()};
  }
  const auto n = static_cast<double>(times->count());
  if (!bound.share) return {sign * n * (times->mean_ns() - bound.value), 0, zero_keeps};
  const double beyond = 1 - *bound.share;
  // Where all samples are alike the bound may be one of them.
  const bool with_equals = bound.demand == Demand::at_most || bound.demand == Demand::above;
  const double value_within = with_equals ? bound.value : std::nextafter(bound.value, 0.0);
  if (times->count() == 0) return {0, 0, zero_keeps};
  const Interval known = stats::share_within(*times, value_within);
  const double within = std::clamp(times->share_up_to(value_within), known.low, known.high);
  const Interval more{sign * n * (within - known.high), sign * n * (within - known.low)};
  return {sign * n * (1 - within - beyond), n * beyond * (1 - beyond), zero_keeps,
          sign > 0 ? more : Interval{more.high, more.low}};
}

Interval left_by(const Limits& limits, const Bound& bound, const Shown& shown) {
  if (bound.demand == Demand::equal || limits.confidence == 0 || shown.values.size() < 2) return {};
  // How far the metric lies above a value, which itself `demand` counts to what is above or to what is not; it falls as the
  // value rises.
  const auto above = [&](double value, Demand demand) {
    Bound moved = bound;
    moved.demand = demand;
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
  const bool from_below = upwards(bound.demand);
  const double to_be_above = from_below ? limits.below : limits.above;
  const double to_be_below = from_below ? limits.above : limits.below;
  /// The border between values at which `so` is true, which are on the side of `from`, and others.
  const auto border = [&](double from, double to, const auto& so) {
    if (!so(from)) return nothing_measured;
    for (int halved = 0; halved < 60; ++halved) {
      const double middle = from + (to - from) / 2;
      (so(middle) ? from : to) = middle;
    }
    return from;
  };
  return {border(least, most, [&](double value) { return above(value, Demand::below).low > to_be_above; }),
          border(most, least, [&](double value) { return above(value, Demand::at_most).high < -to_be_below; })};
}

}  // namespace vmbsim::plan
