#pragma once
/// A mergeable log-linear histogram of durations (HDR style): exact below 128 ns, then 128 sub-buckets per octave, so that
/// a reported quantile is at most 1/128 (0.8 %) above the true sample. Integers only: merging is exact and commutative.
#include <cstdint>
#include <vector>

#include "vmbsim/time.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim {

class Histogram {
 public:
  /// Adds one sample; negative durations are an impossible state.
  void add(Duration value);
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  /// Exact sum of the samples over their number, in nanoseconds; 0 when empty.
  double mean_ns() const;
  Duration min() const;   ///< exact; 0 when empty
  Duration max() const;   ///< exact; 0 when empty
  /// The smallest bucket bound that at least numerator/denominator of the samples do not exceed, never above max().
  /// quantile(99, 100) is p99; 0 when empty.
  Duration quantile(std::uint64_t numerator, std::uint64_t denominator) const;

  friend bool operator==(const Histogram&, const Histogram&);

 private:
  std::vector<std::uint64_t> buckets_;   // grows to the largest value seen
  std::uint64_t count_ = 0;
  Wide sum_ = 0; // of nanoseconds
  std::int64_t min_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace vmbsim
