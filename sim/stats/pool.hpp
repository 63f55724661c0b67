#pragma once
/// The samples of several runs as those of one, and how sure their figures are.
///
///   Pool latencies(runs.size());
///   for (const Run& run : runs) latencies.add(run.latency);
///   const Sample p99 = latencies.figure(0.99);
///   p99.estimate(0.95).interval()
///
/// A percentile over several runs is that of all their samples: the mean of the runs' percentiles is another thing, and wrong by
/// more the fewer samples a run has. How sure it is shows when each run in turn is left out.
/// Source  the jackknife over groups: Miller, "The jackknife - a review", Biometrika 61, 1974; that it holds for quantiles when
///         a group has many samples: Shao and Wu, "A general theory for jackknife variance estimation", Annals of Statistics 17,
///         1989.
#include <optional>
#include <span>
#include <vector>

#include "sim/stats/interval.hpp"
#include "vmbsim/histogram.hpp"

namespace vmbsim::stats {

/// A figure of several runs, and values that count as independent observations of it, one per run or group of runs; their mean
/// is the figure. No values where there is too little to say how sure it is.
struct Sample {
  double figure = nothing_measured;
  std::vector<double> values;

  Estimate estimate(double confidence) const;
  /// The same as an interval, of a figure that cannot be below zero, as an interval of few values can.
  Interval interval_from_zero(double confidence) const;
};

/// Of runs that give one value each. What is not a number is left out.
Sample sample_of(std::span<const double> values);

class Pool {
 public:
  /// `runs` that are going to be added; more than 64 are put together in groups of neighbours.
  explicit Pool(std::size_t runs) : runs_(runs), groups_(runs < most_groups ? runs : most_groups) {}
  /// The next run.
  void add(const Histogram& run);
  /// Of all samples so far: the percentile of a share above 0 and below 1; nothing: the mean. Fewer than twenty samples beyond
  /// a percentile do not say how sure it is.
  Sample figure(std::optional<double> share) const;
  const Histogram& all() const { return all_; }

  static constexpr std::size_t most_groups = 64;

 private:
  std::size_t runs_;
  std::size_t added_ = 0;
  Histogram all_;
  std::vector<Histogram> groups_;
};

}  // namespace vmbsim::stats
