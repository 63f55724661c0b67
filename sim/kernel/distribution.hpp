#pragma once
/// Distributions of durations, sampled to whole nanoseconds, bit-equal on every compiler and optimisation level.
///
///   Distribution d = Distribution::exponential(10us);
///   Duration x = d.sample(stream);
#include <memory>
#include <vector>

#include "sim/kernel/random.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::kernel {

/// A distribution of non-negative durations. A value; cheap to copy; `fixed` is sampled without drawing.
class Distribution {
 public:
  Distribution() = default;                                            ///< always zero
  static Distribution fixed(Duration value);                           ///< value >= 0
  static Distribution exponential(Duration mean);                      ///< mean > 0
  static Distribution uniform(Duration low, Duration high);            ///< 0 <= low <= high, both ends included
  static Distribution lognormal(Duration median, Duration p99);        ///< 0 < median <= p99
  static Distribution empirical(std::vector<Duration> samples);        ///< not empty, each >= 0; drawn with replacement

  Duration sample(Stream& stream) const {
    return kind_ == Kind::fixed ? Duration{a_} : sample_varying(stream);
  }
  bool is_fixed() const { return kind_ == Kind::fixed; }
  /// The mean, rounded to whole nanoseconds.
  Duration mean() const;
  /// The smallest value a sample can take.
  Duration lowest() const;

 private:
  enum class Kind : std::uint8_t { fixed, exponential, uniform, lognormal, empirical };
  Duration sample_varying(Stream& stream) const;

  Kind kind_ = Kind::fixed;
  std::int64_t a_ = 0;  // value, mean, low or median, in ns
  std::int64_t b_ = 0;  // high or p99, in ns
  double log_sigma_ = 0;  // lognormal only
  std::shared_ptr<const std::vector<Duration>> samples_;
};

}  // namespace vmbsim::kernel
