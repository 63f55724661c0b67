#include "sim/stats/resolution.hpp"

#include <algorithm>
#include <cmath>

#include "vmbsim/assert.hpp"

namespace vmbsim::stats {

namespace {

/// Those of the longest duration are among them.
constexpr std::size_t parts_at_most = 57 * 8;

double number(Duration duration) { return static_cast<double>(duration.count()); }

/// Of the samples of a bucket: none is beyond the extremes of all.
Interval held_in(const Histogram& all, const Histogram::Bucket& bucket) {
  const Interval whole = bucket_of(bucket.upper);
  return {std::max(whole.low, number(all.min())), std::min(whole.high, number(all.max()))};
}

}  // namespace

Interval bucket_of(Duration value) {
  constexpr double buckets_in_part = 128.0 / 8;  // those of an octave, in eighths of it
  const double ns = number(value);
  std::size_t part = 0;  // the first that ends above the value
  for (std::size_t step = 256; step != 0; step /= 2)
    if (part + step < parts_at_most && Histogram::part_end(part + step - 1) <= ns) part += step;
  const double begin = part == 0 ? 0 : Histogram::part_end(part - 1);
  const double width = (Histogram::part_end(part) - begin) / buckets_in_part;
  const double low = begin + width * std::floor((ns - begin) / width);
  return {low, low + width};
}

Interval quantile_within(const Histogram& all, double share) {
  VMBSIM_ASSERT(share >= 0 && share <= 1, "a quantile lies between 0 and 1");
  const double rank = share * static_cast<double>(all.count());
  double seen = 0;
  for (const Histogram::Bucket& bucket : all.buckets()) {
    seen += static_cast<double>(bucket.count);
    if (seen >= rank) return held_in(all, bucket);
  }
  return {};
}

Interval share_within(const Histogram& all, double ns) {
  if (all.count() == 0) return {};
  Interval out{0, 0};
  for (const Histogram::Bucket& bucket : all.buckets()) {
    const Interval held = held_in(all, bucket);
    if (held.low > ns) break;
    out.high += static_cast<double>(bucket.count);
    if (number(std::min(bucket.upper, all.max())) <= ns) out.low += static_cast<double>(bucket.count);
  }
  const auto count = static_cast<double>(all.count());
  return {out.low / count, out.high / count};
}

}  // namespace vmbsim::stats
