#pragma once
/// What a histogram leaves open. It knows how many samples fell into a bucket, and not where in it: so a percentile is known to
/// its bucket, and the share of samples up to a value to those of one bucket. These are the worst cases, certain whatever the
/// samples are: what lies evenly in a bucket is guessed better, but packets that all cost the same do not lie evenly.
/// Source   Gray and Neuhoff, "Quantization", IEEE Transactions on Information Theory 44, 1998, section II (a cell bounds the
///          error; that it is uniform in it is an approximation for smooth densities and small cells).
#include "vmbsim/histogram.hpp"
#include "vmbsim/result.hpp"

namespace vmbsim::stats {

/// Where a value that a histogram holds may lie: from the beginning of its bucket to that of the next. In nanoseconds.
Interval bucket_of(Duration value);

/// Where the `share` quantile of the samples lies; quantile_ns() guesses in it. In nanoseconds; not known when empty.
Interval quantile_within(const Histogram& all, double share);

/// Between which shares the one of the samples lies that are not above `ns`; not known when empty.
Interval share_within(const Histogram& all, double ns);

}  // namespace vmbsim::stats
