#include "sim/stats/pool.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

namespace vmbsim::stats {

namespace {

constexpr double fewest_beyond = 20;

double figure_of(const Histogram& samples, std::optional<double> share) {
  if (samples.count() == 0) return nothing_measured;
  return share ? samples.quantile_ns(*share) : samples.mean_ns();
}

}  // namespace

Estimate Sample::estimate(double confidence) const {
  Estimate out = mean_of(values, confidence);
  out.mean = figure;
  return out;
}

Interval Sample::interval_from_zero(double confidence) const {
  Interval interval = estimate(confidence).interval();
  if (interval.low < 0) interval.low = 0;
  return interval;
}

Sample sample_of(std::span<const double> values) {
  Sample out;
  std::copy_if(values.begin(), values.end(), std::back_inserter(out.values), [](double v) { return !std::isnan(v); });
  if (!out.values.empty()) out.figure = mean_of(out.values, 0.95).mean;
  return out;
}

void Pool::add(const Histogram& run) {
  VMBSIM_ASSERT(added_ < runs_, "a pool gets as many runs as was said");
  groups_[added_++ * groups_.size() / runs_].merge(run);
  all_.merge(run);
}

Sample Pool::figure(std::optional<double> share) const {
  Sample out;
  out.figure = figure_of(all_, share);
  const auto filled =
      std::count_if(groups_.begin(), groups_.end(), [](const Histogram& one) { return one.count() != 0; });
  const double beyond = share ? std::min(*share, 1 - *share) : 1;
  if (filled < 2 || static_cast<double>(all_.count()) * beyond < fewest_beyond) return out;
  // What comes after each group; what comes before is gathered on the way.
  std::vector<Histogram> after(groups_.size());
  for (std::size_t i = groups_.size(); i-- > 1;) (after[i - 1] = after[i]).merge(groups_[i]);
  Histogram before;
  const auto n = static_cast<double>(groups_.size());
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    Histogram others = before;
    others.merge(after[i]);
    out.values.push_back(-(n - 1) * figure_of(others, share));
    before.merge(groups_[i]);
  }
  // Pseudo-values differ as those of the runs that were left out do; they belong around the figure itself.
  const double shift = out.figure - std::accumulate(out.values.begin(), out.values.end(), 0.0) / n;
  for (double& value : out.values) value += shift;
  return out;
}

}  // namespace vmbsim::stats
