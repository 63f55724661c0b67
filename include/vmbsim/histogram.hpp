#pragma once
/// A mergeable log-linear histogram of durations (HDR style): exact below 128 ns, then 128 sub-buckets per octave, so that
/// a reported quantile is at most 1/128 (0.8 %) above the true sample. Integers only: merging is exact and commutative.
///
///   Histogram latency;
///   latency.add(12us);
///   Duration p99 = latency.quantile(99, 100);
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vmbsim/assert.hpp"
#include "vmbsim/time.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim {

class Histogram {
 public:
  /// A bucket that holds samples, for export.
  struct Bucket {
    Duration upper;       ///< the largest duration that falls into it
    std::uint64_t count;  ///< positive
    friend bool operator==(const Bucket&, const Bucket&) = default;
  };

  /// Adds one sample; negative durations are an impossible state.
  void add(Duration value) {
    const std::int64_t ns = value.count();
    VMBSIM_ASSERT(ns >= 0, "a measured duration is never negative");
    const std::size_t index = index_of(static_cast<std::uint64_t>(ns));
    if (index >= buckets_.size()) [[unlikely]]
      grow(index);
    ++buckets_[index];
    if (count_ == 0 || ns < min_) min_ = ns;
    if (ns > max_) max_ = ns;
    sum_ += static_cast<std::uint64_t>(ns);
    ++count_;
  }
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  /// Exact sum of the samples over their number, in nanoseconds; 0 when empty.
  double mean_ns() const;
  Wide sum_ns() const { return sum_; }             ///< exact
  Duration min() const { return Duration{min_}; }  ///< exact; 0 when empty
  Duration max() const { return Duration{max_}; }  ///< exact; 0 when empty
  /// The smallest bucket bound that at least numerator/denominator of the samples do not exceed, never above max().
  /// quantile(99, 100) is p99; 0 when empty. Precondition: numerator <= denominator, denominator > 0.
  Duration quantile(std::uint64_t numerator, std::uint64_t denominator) const;

  /// The same between the buckets' bounds, as if the samples of a bucket lay evenly in it: for interval ends and ratios, of
  /// which many are put together. In nanoseconds; 0 when empty. `share` is from 0 to 1.
  double quantile_ns(double share) const;
  /// The inverse: the share of samples that `ns` is not below; 0 when empty.
  double share_up_to(double ns) const;

  /// The samples in coarse parts, for whoever keeps many of them: an eighth of an octave each. Part i ends below part_end(i).
  std::size_t parts() const { return buckets_.size() / part_buckets; }
  std::uint64_t in_part(std::size_t part) const {
    std::uint64_t sum = 0;
    for (std::size_t i = part * part_buckets; i < (part + 1) * part_buckets; ++i) sum += buckets_[i];
    return sum;
  }
  static double part_end(std::size_t part) { return static_cast<double>(lower_bound((part + 1) * part_buckets)); }

  /// The buckets that hold samples, smallest first.
  std::vector<Bucket> buckets() const;
  /// The histogram with these buckets, sum, min and max: equal to the one they were read from. Nothing when no samples
  /// could have given them (a bound that is none, a count of 0, wrong order, a sum or an extreme that does not fit).
  static std::optional<Histogram> restore(std::span<const Bucket> buckets, Wide sum_ns, Duration min, Duration max);

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  static constexpr std::size_t part_buckets = 16;
  // Bucket i < 256 holds the value i alone; from there each octave has 128 buckets of 2^shift nanoseconds.
  static std::size_t index_of(std::uint64_t ns) {
    const auto shift = static_cast<std::size_t>(std::bit_width(ns | 128)) - 8;
    return shift * 128 + (ns >> shift);
  }
  static std::uint64_t lower_bound(std::size_t index);
  static std::uint64_t upper_bound(std::size_t index) { return lower_bound(index + 1) - 1; }
  void grow(std::size_t index);

  std::vector<std::uint64_t> buckets_;  // whole octaves, up to that of the largest value seen
  std::uint64_t count_ = 0;
  Wide sum_ = 0;  // of nanoseconds
  std::int64_t min_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace vmbsim
