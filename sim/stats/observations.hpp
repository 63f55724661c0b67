#pragma once
/// The latencies of one run as a series, in bounded memory: what its warm-up and the confidence of its own figures are found
/// from.
///
///   Observations seen;
///   seen.start(now);
///   latency.add(span);  seen.observed(latency, now);
///   Interval p99 = seen.interval(Figure::p99, latency, 0.95);
///
/// Memory   At most 2,048 sums of five observations each, and 64 rows of what fell into each eighth of an octave. When there
///          are more, neighbours are put together. A packet pays for a count; nothing is kept of it alone.
/// Source   five to a batch: White, Cobb, Spratt (see batch_means.hpp); putting neighbours together: Law and Carson, "A
///          sequential procedure for determining the length of a steady-state simulation", Operations Research 27, 1979.
#include <cstdint>
#include <vector>

#include "sim/stats/batch_means.hpp"
#include "vmbsim/histogram.hpp"

namespace vmbsim::stats {

/// What a series tells an interval of.
enum class Figure : std::uint8_t { throughput, mean, p50, p90, p99, p999 };

class Observations {
 public:
  /// Measuring begins; the histogram that observed() gets is empty.
  void start(SimTime now) { begun_ = now; }
  /// `all` got one more sample at `now`. True when it is time to look whether an interval is narrow enough: eight times for every
  /// doubling of the samples.
  bool observed(const Histogram& all, SimTime now) {
    if (--left_ != 0) return false;
    return close(all, now);
  }

  /// Where the true value lies; unknown where there are too few samples to say. `all` as observed() got it last.
  /// Percentiles: how many samples of each row lie below a value is a series of its own, whose interval becomes one of the
  /// percentile through the histogram of all samples, from the beginning of the bucket of its one end to the end of that of the
  /// other (stats/resolution.hpp).
  /// Source: Asmussen and Glynn, "Stochastic Simulation", 2007, section III.4 (quantiles); batch_means.hpp.
  Interval interval(Figure figure, const Histogram& all, double confidence) const;
  /// Of all figures as a run tells them, each inside of its interval: throughput is the samples over the `measured` time, which
  /// goes on after the last of them.
  ChannelIntervals intervals(const Histogram& all, Duration measured, double confidence) const;
  /// Half of the interval is at most `relative` of what it lies around, and there is enough to believe it.
  bool narrow(Figure figure, const Histogram& all, double confidence, double relative) const;

  /// What is to be left out of it, by MSER-5.
  FoundWarmUp beginning() const;

 private:
  static constexpr std::size_t most_sums = 2048;
  static constexpr std::size_t most_rows = 64;

  bool close(const Histogram& all, SimTime now);
  void close_row(const Histogram& all);
  void halve_sums();
  void halve_rows();
  SeriesEstimate latency_mean(double confidence) const;
  double worth(const Histogram& all, double confidence) const;  // as many independent samples say as much of the mean
  SeriesEstimate gap(double confidence) const;
  struct QuantileEstimate {
    Interval interval;
    bool independent = false;
  };
  QuantileEstimate quantile(double share, const Histogram& all, double confidence) const;
  struct Judged {
    Interval interval;
    bool independent;
  };
  Judged judged(Figure figure, const Histogram& all, double confidence) const;
  std::size_t rows() const { return columns_ == 0 ? 0 : table_.size() / columns_; }

  SimTime begun_ = start_of_time;
  std::uint64_t batch_ = 5;  // observations in each sum
  std::uint64_t left_ = 5;   // until the next sum
  Wide sum_before_ = 0;
  std::vector<double> sums_;   // ns
  std::vector<SimTime> ends_;  // when the last observation of each sum came
  std::uint64_t row_ = 25;     // observations in each row
  std::uint64_t row_from_ = 0;
  std::vector<std::uint64_t> before_;  // samples by part when the row began
  std::size_t columns_ = 0;            // parts that a row tells
  std::vector<std::uint32_t> table_;   // rows of columns_
};

/// Says when a run has shown enough of one figure: half of its interval is at most `relative_half_width` of it at every look while
/// the samples become a third more, so that a narrow interval by chance ends nothing.
/// Source: Law, "Simulation Modeling and Analysis", 5th ed., section 9.5.3 (sequential procedures).
class Stopping {
 public:
  struct Config {
    Figure figure = Figure::mean;
    double relative_half_width = 0.05;  ///< above 0
    double confidence = 0.95;
  };
  explicit Stopping(Config config) : config_(config) {}

  /// At a look that observed() asked for.
  bool enough(const Observations& seen, const Histogram& all) {
    if (!seen.narrow(config_.figure, all, config_.confidence, config_.relative_half_width))
      narrow_from_ = 0;
    else if (narrow_from_ == 0)
      narrow_from_ = all.count();
    return narrow_from_ != 0 && all.count() - narrow_from_ >= narrow_from_ / 3;
  }

 private:
  Config config_;
  std::uint64_t narrow_from_ = 0;  // samples at the first of the looks since which it is narrow; 0: it is not
};

}  // namespace vmbsim::stats
