#include "sim/stats/interval.hpp"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "vmbsim/assert.hpp"

namespace vmbsim::stats {

double t_quantile(double probability, double freedom) {
  VMBSIM_ASSERT(probability > 0 && probability < 1 && freedom > 0, "Student's t has quantiles between 0 and 1");
  return std::round(boost::math::quantile(boost::math::students_t(freedom), probability) * 1e6) / 1e6;
}

Estimate mean_of(std::span<const double> values, double confidence) {
  Estimate out;
  out.values = values.size();
  if (values.empty()) return out;
  const auto n = static_cast<double>(values.size());
  out.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return out;
  double squares = 0;
  for (const double value : values) squares += (value - out.mean) * (value - out.mean);
  out.half_width = t_quantile(0.5 + confidence / 2, n - 1) * std::sqrt(squares / (n - 1) / n);
  return out;
}

Interval share_interval(double found, double samples, double confidence) {
  using boost::math::beta_distribution;
  VMBSIM_ASSERT(found >= 0 && found <= samples && samples > 0, "what was found is a part of the samples");
  const double outside = (1 - confidence) / 2;
  Interval out{0, 1};
  if (found > 0) out.low = boost::math::quantile(beta_distribution(found, samples - found + 1), outside);
  if (found < samples)
    out.high = boost::math::quantile(boost::math::complement(beta_distribution(found + 1, samples - found), outside));
  return out;
}

std::optional<std::pair<std::size_t, std::size_t>> quantile_ranks(std::size_t values, double share, double confidence) {
  using boost::math::binomial;
  VMBSIM_ASSERT(share > 0 && share < 1 && confidence > 0 && confidence < 1, "a quantile lies inside of a distribution");
  if (values == 0) return std::nullopt;
  // The quantile lies above the rank-th sample when at least rank samples are below it.
  const binomial below(static_cast<double>(values), share);
  const double outside = (1 - confidence) / 2;
  std::size_t low = 0;
  std::size_t high = values + 1;
  const auto at = [](std::size_t rank) { return static_cast<double>(rank); };
  const auto guess = static_cast<std::size_t>(share * static_cast<double>(values));
  for (low = guess; low > 0 && boost::math::cdf(below, at(low) - 1) > outside; --low) {}
  for (high = guess + 1; high <= values && boost::math::cdf(boost::math::complement(below, at(high) - 1)) > outside;
       ++high) {}
  if (low == 0 || high > values) return std::nullopt;
  return std::pair{low, high};
}

Interval quantile_interval(std::vector<double> values, double share, double confidence) {
  const auto ranks = quantile_ranks(values.size(), share, confidence);
  if (!ranks) return {};
  std::sort(values.begin(), values.end());
  return {values[ranks->first - 1], values[ranks->second - 1]};
}

}  // namespace vmbsim::stats
