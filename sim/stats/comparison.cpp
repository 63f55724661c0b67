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
};

Moments moments(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, squares / (n - 1) / n};
}

}  // namespace

Difference paired_difference(std::span<const double> first, std::span<const double> second, double confidence) {
  VMBSIM_ASSERT(first.size() == second.size(), "pairs have two sides");
  std::vector<double> steps;
  for (std::size_t i = 0; i < first.size(); ++i) steps.push_back(second[i] - first[i]);
  Difference out{mean_of(steps, confidence)};
  if (steps.size() < 2) return out;
  const Moments of = moments(steps);
  out.probability = two_sided(of.mean, std::sqrt(of.of_mean), static_cast<double>(steps.size()) - 1);
  return out;
}

Difference difference(std::span<const double> first, std::span<const double> second, double confidence) {
  Difference out;
  out.estimate.values = first.size() + second.size();
  if (first.size() < 2 || second.size() < 2) return out;
  const Moments a = moments(first);
  const Moments b = moments(second);
  const double variance = a.of_mean + b.of_mean;
  const double error = std::sqrt(variance);
  out.estimate.mean = b.mean - a.mean;
  const double freedom = variance == 0 ? 1
                                       : variance * variance /
                                             (a.of_mean * a.of_mean / static_cast<double>(first.size() - 1) +
                                              b.of_mean * b.of_mean / static_cast<double>(second.size() - 1));
  out.estimate.half_width = t_quantile(0.5 + confidence / 2, freedom) * error;
  out.probability = two_sided(out.estimate.mean, error, freedom);
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
