#pragma once
/// Distributions of durations, sampled to whole nanoseconds, bit-equal on every compiler and optimisation level.
///
///   Distribution d = Distribution::exponential(10us);
///   Duration x = d.sample(stream);
///
/// Samples are rounded to the nearest nanosecond; samples and parameters are held at 2^62 ns (146 years). Exponential and lognormal samples are
/// drawn by inversion of one 64-bit number, so their tails are cut where the probability is 2^-65 (5 in 10^20): at 45
/// means, and at 9.16 sigma.
#include <memory>
#include <vector>

#include "sim/kernel/random.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::kernel {

/// A distribution of non-negative durations. A value; cheap to copy; `fixed` is sampled without drawing.
class Distribution {
 public:
  Distribution() = default;                                      ///< always zero
  static Distribution fixed(Duration value);                     ///< value >= 0
  static Distribution exponential(Duration mean);                ///< mean > 0
  static Distribution uniform(Duration low, Duration high);      ///< 0 <= low <= high, both ends included
  static Distribution lognormal(Duration median, Duration p99);  ///< 0 < median <= p99
  static Distribution empirical(std::vector<Duration> samples);  ///< not empty, each >= 0; drawn with replacement

  Duration sample(Stream& stream) const { return kind_ == Kind::fixed ? Duration{a_} : sample_varying(stream); }
  bool is_fixed() const { return kind_ == Kind::fixed; }
  /// The mean, rounded to whole nanoseconds and held at 2^62 ns.
  Duration mean() const;
  /// The smallest value a sample can take.
  Duration lowest() const;

 private:
  enum class Kind : std::uint8_t { fixed, exponential, uniform, lognormal, empirical };
  Duration sample_varying(Stream& stream) const;

  Kind kind_ = Kind::fixed;
  std::int64_t a_ = 0;  // value, mean, low or median, in ns
  std::int64_t b_ = 0;  // uniform: high, in ns
  double sigma_ = 0;    // lognormal: standard deviation of the logarithm
  std::shared_ptr<const std::vector<Duration>> samples_;
};

}  // namespace vmbsim::kernel
