#include "sim/stats/observations.hpp"

#include <algorithm>
#include <cmath>

#include "sim/stats/resolution.hpp"
#include "vmbsim/assert.hpp"

namespace vmbsim::stats {

namespace {

/// Independent samples, on either side of a quantile, that all samples must be worth before it has an interval: with fewer, the
/// intervals of M/M/1 at 80 % load hold the true p99 less often than they say.
constexpr double fewest_beyond = 20;
/// The same before a run may end by its precision, and of all samples: early looks see too little to know how wide an interval
/// should be, and a run ends when one happens to be narrow.
constexpr double fewest_beyond_to_stop = 50;
constexpr double fewest_to_stop = 1500;

double share_of(Figure figure) {
  switch (figure) {
    case Figure::p50: return 0.5;
    case Figure::p90: return 0.9;
    case Figure::p99: return 0.99;
    default: return 0.999;
  }
}

double beyond(Figure figure, double worth) {
  if (figure == Figure::throughput || figure == Figure::mean) return worth;
  return worth * std::min(share_of(figure), 1 - share_of(figure));
}

double number(std::size_t count) { return static_cast<double>(count); }
double number(SimTime from, SimTime to) { return static_cast<double>((to - from).count()); }

}  // namespace

bool Observations::close(const Histogram& all, SimTime now) {
  const Wide sum = all.sum_ns();
  sums_.push_back(static_cast<double>(sum - sum_before_));
  sum_before_ = sum;
  ends_.push_back(now);
  const bool row = all.count() - row_from_ >= row_;
  if (row) close_row(all);
  const bool look = row && rows() > most_rows / 2 && rows() % (most_rows / 16) == 0;
  if (rows() == most_rows) halve_rows();
  if (sums_.size() == most_sums) halve_sums();
  left_ = batch_;
  return look;
}

void Observations::close_row(const Histogram& all) {
  const std::size_t columns = all.parts();
  if (columns > columns_) {
    std::vector<std::uint32_t> wider(rows() * columns);
    for (std::size_t row = 0; row < rows(); ++row)
      std::copy_n(table_.begin() + static_cast<std::ptrdiff_t>(row * columns_), columns_,
                  wider.begin() + static_cast<std::ptrdiff_t>(row * columns));
    table_ = std::move(wider);
    columns_ = columns;
    before_.resize(columns);
  }
  for (std::size_t part = 0; part < columns_; ++part) {
    const std::uint64_t now = all.in_part(part);
    table_.push_back(static_cast<std::uint32_t>(now - before_[part]));
    before_[part] = now;
  }
  row_from_ = all.count();
}

void Observations::halve_sums() {
  for (std::size_t i = 0; i < most_sums / 2; ++i) {
    sums_[i] = sums_[2 * i] + sums_[2 * i + 1];
    ends_[i] = ends_[2 * i + 1];
  }
  sums_.resize(most_sums / 2);
  ends_.resize(most_sums / 2);
  batch_ *= 2;
}

void Observations::halve_rows() {
  const std::size_t c = columns_;
  for (std::size_t row = 0; row < most_rows / 2; ++row)
    for (std::size_t part = 0; part < c; ++part)
      table_[row * c + part] = table_[2 * row * c + part] + table_[(2 * row + 1) * c + part];
  table_.resize(most_rows / 2 * c);
  row_ *= 2;
}

SeriesEstimate Observations::latency_mean(double confidence) const {
  std::vector<double> means = sums_;
  for (double& mean : means) mean /= static_cast<double>(batch_);
  return batch_means(means, confidence);
}

double Observations::worth(const Histogram& all, double confidence) const {
  const SeriesEstimate found = latency_mean(confidence);
  const auto samples = static_cast<double>(all.count());
  if (!(found.estimate.half_width > 0)) return found.estimate.values == 0 ? 0 : samples;
  const double error = found.estimate.half_width / t_quantile(0.5 + confidence / 2, number(found.estimate.values) - 1);
  double squares = 0;
  for (std::size_t part = 0; part < columns_; ++part) {
    const double middle = (Histogram::part_end(part) + (part == 0 ? 0 : Histogram::part_end(part - 1))) / 2;
    squares += static_cast<double>(before_[part]) * (middle - all.mean_ns()) * (middle - all.mean_ns());
  }
  return std::min(samples, squares / static_cast<double>(row_from_) / (error * error));
}

/// From one completion to the next.
SeriesEstimate Observations::gap(double confidence) const {
  std::vector<double> gaps;
  SimTime from = begun_;
  for (const SimTime end : ends_) {
    gaps.push_back(number(from, end) / static_cast<double>(batch_));
    from = end;
  }
  return batch_means(gaps, confidence);
}

Observations::QuantileEstimate Observations::quantile(double share, const Histogram& all, double confidence) const {
  const auto samples = static_cast<double>(all.count());
  if (rows() < most_rows / 4 || worth(all, confidence) * std::min(share, 1 - share) < fewest_beyond) return {};
  if (all.min() == all.max()) return {quantile_within(all, share), true};
  // The end of a part at which about that share of the samples lies below.
  std::size_t nearest = 0;
  double below = 0;
  double least = 2;
  double seen = 0;
  for (std::size_t part = 0; part < columns_; ++part) {
    seen += static_cast<double>(before_[part]);
    const double here = seen / static_cast<double>(row_from_);
    if (here <= 0 || here >= 1 || std::abs(here - share) >= least) continue;
    least = std::abs(here - share);
    nearest = part;
    below = here;
  }
  if (least == 2)  // all in one part: that is how far apart they are
    return {{static_cast<double>(all.min().count()), static_cast<double>(all.max().count())}, true};
  std::vector<double> shares;
  for (std::size_t row = 0; row < rows(); ++row) {
    std::uint64_t count = 0;
    for (std::size_t part = 0; part <= nearest; ++part) count += table_[row * columns_ + part];
    shares.push_back(static_cast<double>(count) / static_cast<double>(row_));
  }
  const SeriesEstimate found = batch_means(shares, confidence);
  const double half = found.estimate.half_width * std::sqrt(share * (1 - share) / (below * (1 - below)));
  // As many independent samples would tell as much of the share; their number below is binomial.
  const double error = half / t_quantile(0.5 + confidence / 2, number(found.estimate.values) - 1);
  const double independent = error == 0 ? samples : std::min(samples, share * (1 - share) / (error * error));
  const auto [low, high] = share_interval(independent * share, independent, confidence);
  return {{quantile_within(all, low).low, quantile_within(all, high).high}, found.independent};
}

Observations::Judged Observations::judged(Figure figure, const Histogram& all, double confidence) const {
  if (figure == Figure::throughput) {
    const SeriesEstimate found = gap(confidence);
    const Interval gaps = found.estimate.interval();
    if (!(gaps.low > 0)) return {{}, false};
    return {{1e9 / gaps.high, 1e9 / gaps.low}, found.independent};
  }
  if (figure == Figure::mean) {
    const SeriesEstimate found = latency_mean(confidence);
    const double half = found.estimate.half_width;
    return {{all.mean_ns() - half, all.mean_ns() + half}, found.independent};
  }
  const QuantileEstimate found = quantile(share_of(figure), all, confidence);
  return {found.interval, found.independent};
}

Interval Observations::interval(Figure figure, const Histogram& all, double confidence) const {
  return judged(figure, all, confidence).interval;
}

ChannelIntervals Observations::intervals(const Histogram& all, Duration measured, double confidence) const {
  ChannelIntervals out{.throughput_per_s = interval(Figure::throughput, all, confidence),
                       .mean = interval(Figure::mean, all, confidence),
                       .p50 = interval(Figure::p50, all, confidence),
                       .p90 = interval(Figure::p90, all, confidence),
                       .p99 = interval(Figure::p99, all, confidence),
                       .p999 = interval(Figure::p999, all, confidence)};
  if (out.throughput_per_s.known()) {
    const double counted = static_cast<double>(all.count()) * 1e9 / static_cast<double>(measured.count());
    const double by_gaps = 1e9 / gap(confidence).estimate.mean;
    out.throughput_per_s.low *= counted / by_gaps;
    out.throughput_per_s.high *= counted / by_gaps;
  }
  return out;
}

bool Observations::narrow(Figure figure, const Histogram& all, double confidence, double relative) const {
  const double samples = worth(all, confidence);
  if (samples < fewest_to_stop || beyond(figure, samples) < fewest_beyond_to_stop) return false;
  const Judged found = judged(figure, all, confidence);
  const double width = found.interval.high - found.interval.low;
  return found.interval.known() && found.independent && width <= relative * (found.interval.high + found.interval.low);
}

FoundWarmUp Observations::beginning() const {
  const WarmUp found = warm_up_of(sums_);
  return {found.batches == 0 ? Duration{} : ends_[found.batches - 1] - begun_, found.settled};
}

}  // namespace vmbsim::stats
