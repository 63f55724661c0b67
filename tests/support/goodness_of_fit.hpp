#pragma once
/// Goodness-of-fit tests. Every limit here is passed by a healthy sampler with probability 1 - 1e-6; as the seeds of a test
/// are fixed, it then passes for ever, and the probability speaks of the day the numbers were first drawn.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace vmbsim::testing {

/// A standard normal variable is farther than this from 0 with probability 1e-6.
inline constexpr double limit_of_z = 4.8917;

/// Largest distance between the empirical distribution of `samples` and `cdf`.
template <class Cdf>
double kolmogorov_smirnov_distance(std::vector<double> samples, Cdf cdf) {
  std::sort(samples.begin(), samples.end());
  const double n = static_cast<double>(samples.size());
  double distance = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double p = cdf(samples[i]);
    const double rank = static_cast<double>(i);
    distance = std::max({distance, p - rank / n, (rank + 1) / n - p});
  }
  return distance;
}

/// Exceeded with probability 1e-6. Source: Kolmogorov's limit, P(D > d) = 2 exp(-2 n d^2) for large n.
inline double kolmogorov_smirnov_limit(std::size_t n) {
  return std::sqrt(std::log(2e6) / (2 * static_cast<double>(n)));
}

/// Pearson's statistic of counts that are expected to be equal.
inline double chi_square(const std::vector<std::uint64_t>& counts) {
  double total = 0;
  for (const std::uint64_t count : counts) total += static_cast<double>(count);
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (const std::uint64_t count : counts)
    sum += (static_cast<double>(count) - expected) * (static_cast<double>(count) - expected) / expected;
  return sum;
}

/// Exceeded with probability 1e-6. Source: Wilson and Hilferty, "The distribution of chi-square", PNAS 17, 1931.
inline double chi_square_limit(std::size_t cells) {
  const double freedom = static_cast<double>(cells - 1);
  const double root = 1 - 2 / (9 * freedom) + 4.7534 * std::sqrt(2 / (9 * freedom));
  return freedom * root * root * root;
}

}  // namespace vmbsim::testing
