#pragma once
/// Confidence intervals from independent values: replications of a run, or batches long enough to count as such.
///
///   const Estimate latency = mean_of(means_of_runs, 0.95);
///   latency.interval().low
///
/// Confidence  the share of intervals, over many repetitions of the whole experiment, that hold the true value; 0 to 1,
///             both excluded.
#include <cstddef>
#include <span>

#include "vmbsim/result.hpp"

namespace vmbsim::stats {

/// A mean and how far it may be off. Not numbers where there were fewer than two values.
struct Estimate {
  double mean = nothing_measured;
  double half_width = nothing_measured;
  std::size_t values = 0;

  Interval interval() const { return {mean - half_width, mean + half_width}; }
};

/// The `probability` quantile of Student's t with `freedom` degrees of freedom, rounded to 1e-6: what is decided with it does
/// not hang on the last digit of a library function.
double t_quantile(double probability, double freedom);

/// How many times the variance of a normal distribution may be what was measured of it with `freedom`: the upper end of its one-sided
/// interval. Rounded to 1e-6, as above.
/// Source: Cochran, "The distribution of quadratic forms in a normal system", Mathematical Proceedings of the Cambridge
/// Philosophical Society 30, 1934 (a variance of samples is chi-square).
double variance_limit(double freedom, double confidence);

/// By Student's t over independent values, each of them roughly normal.
/// Source: Law, "Simulation Modeling and Analysis", 5th ed., section 4.5.
Estimate mean_of(std::span<const double> values, double confidence);

/// A share of which `samples` independent ones show `found`; neither must be whole.
/// Source: Clopper and Pearson, Biometrika 26, 1934; Korn and Graubard, "Confidence intervals for proportions with small
/// expected number of positive counts estimated from survey data", Survey Methodology 24, 1998 (samples that hang together
/// count as fewer independent ones).
Interval share_interval(double found, double samples, double confidence);

/// Ranks of the order statistics of `samples` independent samples, from 1 to `samples`, between which their `share` quantile
/// lies. Neither `samples` nor the ranks need be whole: samples that hang together count as fewer independent ones. Not known
/// where so few samples cannot say. Distribution-free.
/// Sources: David and Nagaraja, "Order Statistics", 3rd ed., section 7.1 (the number below a quantile is binomial); Nyblom,
/// "Note on interpolated order statistics", Statistics & Probability Letters 14, 1992 (between whole ranks).
Interval quantile_ranks(double samples, double share, double confidence);

}  // namespace vmbsim::stats
