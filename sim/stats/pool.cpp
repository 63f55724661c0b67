#include "sim/stats/pool.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "sim/stats/batch_means.hpp"
#include "sim/stats/resolution.hpp"

namespace vmbsim::stats {

namespace {

constexpr std::size_t most_groups = 64;
/// With fewer samples on either side of a percentile, how much runs differ in their shares is hardly known.
constexpr double fewest_beyond = 10;
/// How sure it is to be that enough independent samples lie beyond a percentile.
constexpr double sure_enough = 0.95;
/// Runs that differ less than independent samples would, by more than chance of few runs explains, are as many samples more.
constexpr double most_worth = 2;

/// How many samples of a group lie in or below the bucket that ends at `upper`.
std::uint64_t up_to(const std::vector<Histogram::Bucket>& buckets, Duration upper) {
  std::uint64_t count = 0;
  for (const Histogram::Bucket& bucket : buckets) {
    if (bucket.upper > upper) break;
    count += bucket.count;
  }
  return count;
}

double number(std::uint64_t count) { return static_cast<double>(count); }

}  // namespace

Sample sample_of(std::span<const double> values) {
  Sample out;
  std::copy_if(values.begin(), values.end(), std::back_inserter(out.values), [](double v) { return !std::isnan(v); });
  if (!out.values.empty()) out.figure = mean_of(out.values, 0.95).mean;
  return out;
}

Sample sample_of_percentiles(std::span<const double> values) {
  Sample out = sample_of(values);
  if (out.values.empty()) return out;
  out.within = {0, 0};
  for (const double value : out.values) {
    const Interval bucket = bucket_of(Duration{std::llround(value)});
    out.within.low += bucket.low / number(out.values.size());
    out.within.high += bucket.high / number(out.values.size());
  }
  return out;
}

void judge_by(std::span<const Interval> intervals, Sample& sample) {
  if (intervals.empty() || intervals.size() >= fewest_runs) return;
  constexpr auto freedom_of_run = static_cast<double>(fewest_batches - 1);
  const double quantile = t_quantile(0.5 + interval_confidence / 2, freedom_of_run);
  double variance = 0;  // of the sum of the runs' figures
  double squares = 0;
  for (const Interval& one : intervals) {
    if (!one.known()) return;
    const double error = (one.high - one.low) / 2 / quantile;
    variance += error * error;
    squares += error * error * error * error;
  }
  sample.error = std::sqrt(variance) / number(intervals.size());
  sample.freedom = squares == 0 ? freedom_of_run : variance * variance / squares * freedom_of_run;
}

std::size_t Pool::groups_of(std::size_t runs) {
  const std::size_t size = (runs + most_groups - 1) / most_groups;
  return size == 0 ? 0 : (runs + size - 1) / size;
}

void Pool::add(const Histogram& run) {
  VMBSIM_ASSERT(added_ < runs_, "a pool gets as many runs as was said");
  if (added_ == 0) first_ = run;
  alike_ = alike_ && run == first_;
  groups_[added_++ / ((runs_ + most_groups - 1) / most_groups)].merge(run);
  all_.merge(run);
}

double Pool::figure(std::optional<double> share) const {
  if (all_.count() == 0) return nothing_measured;
  return share ? all_.quantile_ns(*share) : all_.mean_ns();
}

Pool::Spread Pool::spread_of_mean() const {
  Spread out;
  for (const Histogram& group : groups_)
    if (group.count() != 0)
      out.parts.push_back((static_cast<double>(group.sum_ns()) - all_.mean_ns() * number(group.count())) /
                          number(all_.count()));
  const auto n = static_cast<double>(out.parts.size());
  for (const double part : out.parts) out.variance += part * part * n / (n - 1);
  return out;
}

Pool::Spread Pool::spread_of_share(double share) const {
  // The end of the bucket at which about that share of the samples lies below.
  const auto all = number(all_.count());
  Duration nearest{};
  double below = 0;
  double least = 2;
  std::uint64_t seen = 0;
  for (const Histogram::Bucket& bucket : all_.buckets()) {
    seen += bucket.count;
    const double here = number(seen) / all;
    if (seen == all_.count() || std::abs(here - share) >= least) break;
    least = std::abs(here - share);
    nearest = bucket.upper;
    below = here;
  }
  Spread out;
  for (const Histogram& group : groups_) {
    if (group.count() == 0) continue;
    const double expected = least == 2 ? 0 : below * number(group.count());
    const double found = least == 2 ? 0 : number(up_to(group.buckets(), nearest));
    out.parts.push_back((expected - found) / all);
  }
  const auto n = static_cast<double>(out.parts.size());
  const double there = least == 2 ? 1 : share * (1 - share) / (below * (1 - below));
  for (const double part : out.parts) out.variance += part * part * n / (n - 1) * there;
  return out;
}

Interval Pool::interval_of_percentile(double share, double confidence) const {
  const auto all = number(all_.count());
  const Spread spread = spread_of_share(share);
  if (spread.parts.size() < 2 || all * std::min(share, 1 - share) < fewest_beyond) return {};
  // Runs that happen to be calm differ little, and tell least of what lies beyond: whether there is enough is asked of the largest
  // variance that they may have come from, and of no less than that of independent samples.
  const auto freedom = static_cast<double>(spread.parts.size() - 1);
  const double independent = share * (1 - share) / all;
  const double largest = std::max(spread.variance, independent) * variance_limit(freedom, sure_enough);
  if (!quantile_ranks(share * (1 - share) / largest, share, confidence).known()) return {};
  // As many independent samples tell as much as these do, as far as so few groups can tell that.
  const double known = t_quantile(0.5 + confidence / 2, all) / t_quantile(0.5 + confidence / 2, freedom);
  const double worth = std::min(share * (1 - share) / spread.variance * known * known, most_worth * all);
  const Interval ranks = quantile_ranks(worth, share, confidence);
  if (!ranks.known()) return {};
  // The middle of a rank lies inside of its sample's bucket.
  const auto sample = [&](double rank) { return quantile_within(all_, (std::clamp(rank, 1.0, all) - 0.5) / all); };
  const auto at = [&](double rank, double Interval::*end) {
    const double whole = std::floor(rank);
    return sample(whole).*end + (rank - whole) * (sample(whole + 1).*end - sample(whole).*end);
  };
  const Interval found = quantile_within(all_, share);
  return {std::min(at(ranks.low / worth * all, &Interval::low), found.low),
          std::max(at(ranks.high / worth * all, &Interval::high), found.high)};
}

Interval Pool::interval(std::optional<double> share, double confidence) const {
  const double found = figure(share);
  const auto filled = static_cast<std::size_t>(
      std::count_if(groups_.begin(), groups_.end(), [](const Histogram& one) { return one.count() != 0; }));
  if (filled < 2) return {};
  if (alike_) return share ? quantile_within(all_, *share) : Interval{found, found};
  if (share) return filled < fewest_runs ? Interval{} : interval_of_percentile(*share, confidence);
  const Spread spread = spread_of_mean();
  const double half = t_quantile(0.5 + confidence / 2, static_cast<double>(filled - 1)) * std::sqrt(spread.variance);
  return {std::max(found - half, 0.0), found + half};
}

Sample Pool::sample(std::optional<double> share) const {
  Sample out;
  out.figure = figure(share);
  if (share) out.within = quantile_within(all_, *share);
  const Spread spread = share ? spread_of_share(*share) : spread_of_mean();
  const auto n = static_cast<double>(spread.parts.size());
  if (n < 2 || (share && !interval(share, interval_confidence).known())) return out;
  double slope = 1;
  if (share) {
    const double rarer = std::min(*share, 1 - *share);
    const auto all = number(all_.count());
    // What a percentile moves by for a share: between the samples on either side of it, a standard error away if they are there;
    // no less than one of independent samples, for few runs may lie close together by chance.
    const double independent = *share * (1 - *share) / all;
    const double step = std::min(std::sqrt(std::max(spread.variance, independent)), rarer / 2);
    slope = (all_.quantile_ns(*share + step) - all_.quantile_ns(*share - step)) / (2 * step);
    if (!alike_) out.step = n * slope / all;
  }
  for (const double part : spread.parts) out.values.push_back(out.figure + n * part * slope);
  return out;
}

}  // namespace vmbsim::stats
