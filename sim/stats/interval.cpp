#include "sim/stats/interval.hpp"

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <numeric>

#include "vmbsim/assert.hpp"

namespace vmbsim::stats {

double t_quantile(double probability, double freedom) {
  VMBSIM_ASSERT(probability > 0 && probability < 1 && freedom > 0, "Student's t has quantiles between 0 and 1");
  return std::round(boost::math::quantile(boost::math::students_t(freedom), probability) * 1e6) / 1e6;
}

double variance_limit(double freedom, double confidence) {
  VMBSIM_ASSERT(confidence > 0 && confidence < 1 && freedom > 0, "a variance has a limit where something varied");
  const double least = boost::math::quantile(boost::math::chi_squared(freedom), 1 - confidence);
  return std::round(freedom / least * 1e6) / 1e6;
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

Interval quantile_ranks(double samples, double share, double confidence) {
  VMBSIM_ASSERT(share > 0 && share < 1 && confidence > 0 && confidence < 1, "a quantile lies inside of a distribution");
  const double outside = (1 - confidence) / 2;
  // At least `rank` samples are below the quantile, and more seldom the higher the rank.
  const auto below = [&](double rank) { return boost::math::ibeta(rank, samples - rank + 1, share); };
  if (!(samples >= 1) || below(1) < 1 - outside || below(samples) > outside) return {};
  const auto rank_where = [&](double probability) {
    double low = 1;
    double high = samples;
    for (int halved = 0; halved < 60 && high - low > 1e-9 * high; ++halved) {
      const double middle = low + (high - low) / 2;
      (below(middle) >= probability ? low : high) = middle;
    }
    return low + (high - low) / 2;
  };
  return {rank_where(1 - outside), rank_where(outside)};
}

}  // namespace vmbsim::stats
