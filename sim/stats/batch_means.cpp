#include "sim/stats/batch_means.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace vmbsim::stats {

namespace {

constexpr std::size_t fewest_at_first = 64;
constexpr double eighty_percent = 0.841621;  // quantile of the normal distribution

/// Means of `size` values each; what does not fill a batch is the oldest.
std::vector<double> put_together(std::span<const double> series, std::size_t size) {
  std::vector<double> means;
  for (auto rest = series.last(series.size() / size * size); !rest.empty(); rest = rest.subspan(size))
    means.push_back(std::accumulate(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size), 0.0) /
                    static_cast<double>(size));
  return means;
}

/// The correlation of neighbours that von Neumann's ratio shows: 0 in expectation when there is none.
double correlation(std::span<const double> values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  double squares = 0;
  double steps = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    squares += (values[i] - mean) * (values[i] - mean);
    if (i > 0) steps += (values[i] - values[i - 1]) * (values[i] - values[i - 1]);
  }
  return squares == 0 ? 0 : 1 - steps / squares / 2;
}

}  // namespace

WarmUp warm_up_of(std::span<const double> batches) {
  if (batches.size() < fewest_batches) return {0, false};
  // From the end backwards: mean and sum of squares of what is left grow by one batch at a time.
  double mean = 0;
  double squares = 0;
  double left = 0;
  double least = std::numeric_limits<double>::infinity();
  std::size_t best = 0;
  const std::size_t half = batches.size() / 2;
  for (std::size_t i = batches.size(); i-- > 0;) {
    ++left;
    const double step = batches[i] - mean;
    mean += step / left;
    squares += step * (batches[i] - mean);
    if (i > half) continue;
    const double error = squares / (left * left);
    if (error > least) continue;
    least = error;
    best = i;
  }
  return {best, best < half};
}

SeriesEstimate batch_means(std::span<const double> series, double confidence) {
  SeriesEstimate out;
  if (series.size() < fewest_batches) return out;
  for (std::size_t size = std::max<std::size_t>(series.size() / fewest_at_first, 1);; size *= 2) {
    const std::vector<double> means = put_together(series, size);
    const auto n = static_cast<double>(means.size());
    const double neighbours = correlation(means);
    out.estimate = mean_of(means, confidence);
    out.independent = neighbours <= eighty_percent * std::sqrt((n - 2) / (n * n - 1));
    if (!out.independent && means.size() / 2 >= fewest_batches) continue;
    if (!out.independent) out.estimate.half_width *= std::sqrt((1 + neighbours) / (1 - neighbours));
    return out;
  }
}

}  // namespace vmbsim::stats
