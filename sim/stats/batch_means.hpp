#pragma once
/// One long run: where its beginning ends, and how sure its mean is though its values hang together.
#include <span>

#include "sim/stats/interval.hpp"

namespace vmbsim::stats {

/// How much of a series is its beginning.
struct WarmUp {
  std::size_t batches = 0;  ///< to be left out
  bool settled = true;      ///< false: the series still drifts in its second half; a longer run could tell
};

/// MSER-5: leaves out as many of the first batches (of five observations each, or a multiple) as make the standard error of
/// what is left smallest, half of them at most. Of fewer than 16 it leaves out none, and they are not settled.
/// Source: White, Cobb, Spratt, "A comparison of five steady-state truncation heuristics for simulation", WSC 2000.
WarmUp warm_up_of(std::span<const double> batches);

/// The mean of a stationary series whose neighbours are correlated.
struct SeriesEstimate {
  Estimate estimate;         ///< `values` is the number of batches
  bool independent = false;  ///< the batches passed von Neumann's test, so that half_width can be relied on
};

/// Batches that a series is put together into at the fewest: what is known of the error of its mean.
inline constexpr std::size_t fewest_batches = 16;

/// Batch means: neighbours are put together, into 64 batches or some more and then into fewer, down to 16, until von Neumann's ratio of
/// the mean square successive difference to the variance shows no correlation (one-sided, 20 %). Correlation that is left
/// widens the interval as that of a first-order autoregressive series. Fewer than 16 values: nothing is estimated.
/// Sources: Law, "Simulation Modeling and Analysis", 5th ed., section 9.5.3; von Neumann, "Distribution of the ratio of the
/// mean square successive difference to the variance", Annals of Mathematical Statistics 12, 1941; Tafazzoli and Wilson,
/// "Skart: a skewness- and autoregression-adjusted batch-means procedure", IIE Transactions 43, 2011 (the widening).
SeriesEstimate batch_means(std::span<const double> series, double confidence);

}  // namespace vmbsim::stats
