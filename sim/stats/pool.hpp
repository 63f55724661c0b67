#pragma once
/// The samples of several runs as those of one, and how sure their figures are.
///
///   Pool latencies(runs.size());
///   for (const Run& run : runs) latencies.add(run.latency);
///   latencies.figure(0.99), latencies.interval(0.99, 0.95)
///
/// A percentile over several runs is that of all their samples: the mean of the runs' percentiles is another thing, and wrong by
/// more the fewer samples a run has. How sure it is shows in how much the runs differ in their shares of samples below it: what
/// samples of one run have in common is counted, and no run needs a percentile of its own.
///
/// Runs     may have different numbers of samples. More than 64 are put together by equally many neighbours, so that memory stays
///          flat; what depends on which comes when, is told by their order, which is the caller's: by seed.
/// Alike    Runs that are equal to the last sample are of something without chance: the interval is the figure, and of a
///          percentile its bucket.
/// Ends     of a percentile's interval are those of the buckets that they fall into (stats/resolution.hpp).
/// Source   Woodruff, "Confidence intervals for medians and other position measures", Journal of the American Statistical
///          Association 47, 1952; shares by clusters: Korn and Graubard, Survey Methodology 24, 1998; of independent samples:
///          the binomial interval of order statistics (quantile_ranks); what a percentile moves by for a share: Siddiqui,
///          "Distribution of quantiles in samples from a bivariate population", Journal of Research of the National Bureau of
///          Standards 64B, 1960.
#include <optional>
#include <span>
#include <vector>

#include "sim/stats/interval.hpp"
#include "vmbsim/histogram.hpp"

namespace vmbsim::stats {

/// A figure of several runs, and values that count as independent observations of it, one per run or group of runs; their mean
/// is the figure. No values where there is too little to say how much it may be off.
struct Sample {
  double figure = nothing_measured;
  std::vector<double> values;
  /// Where the figure lies for certain, whatever is not known of the samples themselves; not known: the figure is exact.
  Interval within{};
  /// What one sample of a group more or less does to its value: values that differ by less are told as equal. 0: by nothing.
  double step = 0;
  /// Standard error of the figure as few runs know it of themselves, which counts in place of how their values differ; not a
  /// number: nothing is known.
  double error = nothing_measured;
  double freedom = 0;  ///< degrees of freedom with which `error` is known
};

/// Of runs that give one value each. What is not a number is left out.
Sample sample_of(std::span<const double> values);
/// The same of percentiles that were read from a histogram, in nanoseconds.
Sample sample_of_percentiles(std::span<const double> values);
/// Runs whose differences say how sure a figure is: fewer may lie close together by chance, and leave Student's t so few degrees of
/// freedom that it sees nothing.
inline constexpr std::size_t fewest_runs = 5;
/// What a figure of fewer runs than that is worth: `intervals` are those of each of them, by batch means, of interval_confidence.
/// Where one is not known, nothing. It is their number that decides, before anything is compared.
/// Source: Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics Bulletin 2, 1946 (the
/// freedom of a sum of variances).
void judge_by(std::span<const Interval> intervals, Sample& sample);

class Pool {
 public:
  /// `runs` that are going to be added.
  explicit Pool(std::size_t runs) : runs_(runs), groups_(groups_of(runs)) {}
  /// The next run.
  void add(const Histogram& run);
  const Histogram& all() const { return all_; }

  // Of all samples so far: the percentile of a share above 0 and below 1; nothing: the mean. In nanoseconds.

  double figure(std::optional<double> share) const;
  /// Around the figure, never below zero; not known of one run, nor of a percentile that too few independent samples lie beyond.
  Interval interval(std::optional<double> share, double confidence) const;
  /// With values that differ as the groups do; none of one group, nor of a percentile whose interval is not known.
  Sample sample(std::optional<double> share) const;

  /// Of so many runs: as many, up to 64; else 33 to 64 of the same size, but the last, which may be smaller.
  static std::size_t groups_of(std::size_t runs);

 private:
  /// How the groups differ around a figure.
  struct Spread {
    std::vector<double> parts;  // of each group that has samples: what it adds to the error of a mean or a share
    double variance = 0;        // of the sum
  };
  Spread spread_of_mean() const;
  Spread spread_of_share(double share) const;
  Interval interval_of_percentile(double share, double confidence) const;

  std::size_t runs_;
  std::size_t added_ = 0;
  Histogram all_;
  Histogram first_;
  bool alike_ = true;
  std::vector<Histogram> groups_;
};

}  // namespace vmbsim::stats
