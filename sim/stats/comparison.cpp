#include "sim/stats/comparison.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "vmbsim/assert.hpp"

namespace vmbsim::stats {

namespace {

/// Values that do not vary at all differ for certain, or not at all.
double two_sided(double mean, double error, double freedom) {
  if (mean == 0) return 1;
  if (error == 0) return 0;
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(freedom), std::abs(mean / error)));
}

struct Moments {
  double mean;
  double of_mean;  // variance of the mean
  double freedom;  // with which that is known; 0: not at all
};

/// `least` is the variance that the steps of the values alone make.
Moments moments(std::span<const double> values, double least) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::max(squares / (n - 1), least) / n, n - 1};
}

double variance_of_step(const Sample& sample) { return sample.step * sample.step / 12; }

Moments moments(const Sample& sample) {
  if (!std::isnan(sample.error)) return {sample.figure, sample.error * sample.error, sample.freedom};
  if (sample.values.size() < 2) return {sample.figure, 0, 0};
  return moments(sample.values, variance_of_step(sample));
}

Interval open_of(const Sample& first, const Sample& second) {
  const auto around = [](const Sample& one) {
    return one.within.known() ? Interval{one.within.low - one.figure, one.within.high - one.figure} : Interval{0, 0};
  };
  const Interval before = around(first);
  const Interval after = around(second);
  return {after.low - before.high, after.high - before.low};
}

/// With what its error is; how many values there are is told already.
void settle(Difference& out, double mean, double error, double freedom, double confidence) {
  out.estimate.mean = mean;
  out.estimate.half_width = t_quantile(0.5 + confidence / 2, freedom) * error;
  out.freedom = freedom;
  const double smallest = std::clamp(0.0, mean + out.open.low, mean + out.open.high);
  out.probability = two_sided(smallest, error, freedom);
}

}  // namespace

Interval Difference::interval() const {
  const Interval by_chance = estimate.interval();
  return {by_chance.low + open.low, by_chance.high + open.high};
}

Difference paired_difference(const Sample& first, const Sample& second, double confidence) {
  VMBSIM_ASSERT(first.values.size() == second.values.size(), "pairs have two sides");
  std::vector<double> steps;
  for (std::size_t i = 0; i < first.values.size(); ++i) steps.push_back(second.values[i] - first.values[i]);
  Difference out{.estimate = mean_of(steps, confidence), .open = open_of(first, second)};
  if (steps.size() < 2) return out;
  const Moments of = moments(steps, variance_of_step(first) + variance_of_step(second));
  settle(out, of.mean, std::sqrt(of.of_mean), of.freedom, confidence);
  return out;
}

Difference difference(const Sample& first, const Sample& second, double confidence) {
  Difference out{.estimate = {}, .open = open_of(first, second)};
  out.estimate.values = first.values.size() + second.values.size();
  const Moments a = moments(first);
  const Moments b = moments(second);
  if (a.freedom == 0 || b.freedom == 0) return out;
  const double variance = a.of_mean + b.of_mean;
  const double freedom =
      variance == 0 ? 1 : variance * variance / (a.of_mean * a.of_mean / a.freedom + b.of_mean * b.of_mean / b.freedom);
  settle(out, b.mean - a.mean, std::sqrt(variance), freedom, confidence);
  return out;
}

std::vector<double> holm(std::span<const double> probabilities) {
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return probabilities[a] < probabilities[b]; });
  std::vector<double> corrected(probabilities.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double others = static_cast<double>(order.size() - i);
    largest = std::max(largest, std::min(1.0, others * probabilities[order[i]]));
    corrected[order[i]] = largest;
  }
  return corrected;
}

}  // namespace vmbsim::stats
