#pragma once
/// An M/M/1 queue without a simulator: Lindley's recursion, and what a run over it says of itself.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

#include "sim/kernel/distribution.hpp"
#include "sim/stats/observations.hpp"
#include "tests/support/queueing.hpp"

namespace vmbsim::testing {

/// Sojourn times of the customers of one server, in order; service takes 10 us on average.
class SingleServer {
 public:
  SingleServer(std::uint64_t seed, double load)
      : arrivals_(Seed{seed}, "server", "arrivals"),
        services_(Seed{seed}, "server", "services"),
        gap_(kernel::Distribution::exponential(Duration{static_cast<std::int64_t>(1e4 / load)})) {}

  /// The next customer's sojourn; `now` is then when it ends.
  Duration next() {
    arrived_ += gap_.sample(arrivals_);
    now = std::max(arrived_, now) + service_.sample(services_);
    return now - arrived_;
  }
  SimTime now{};

 private:
  kernel::Stream arrivals_, services_;
  kernel::Distribution gap_;
  kernel::Distribution service_ = kernel::Distribution::exponential(10us);
  SimTime arrived_{};
};

struct Run {
  Histogram latency;
  stats::Observations seen;
  Duration measured{};
};

/// `customers` of them after the first 2,000, fewer where `figure` is known to `relative` before (0: never).
inline Run run_queue(std::uint64_t seed, double load, std::uint64_t customers, stats::Figure figure = {},
                     double relative = 0) {
  SingleServer server(seed, load);
  for (int i = 0; i < 2000; ++i) server.next();
  Run run;
  const SimTime begun = server.now;
  run.seen.start(begun);
  stats::Stopping stopping({.figure = figure, .relative_half_width = relative, .confidence = 0.95});
  for (std::uint64_t i = 0; i < customers; ++i) {
    run.latency.add(server.next());
    if (run.seen.observed(run.latency, server.now) && relative > 0 && stopping.enough(run.seen, run.latency)) break;
  }
  run.measured = server.now - begun;
  return run;
}

/// Of the intervals that were reported, how many held the true value.
struct Held {
  std::uint64_t reported = 0;
  std::uint64_t held = 0;

  void count(const Interval& interval, double value) {
    reported += interval.known() ? 1 : 0;
    held += interval.holds(value) ? 1 : 0;
  }
  double share() const { return static_cast<double>(held) / static_cast<double>(reported); }
  std::string text() const { return reported == 0 ? "none" : fmt::format("{:.1f} % of {}", 100 * share(), reported); }
};

struct Coverage {
  Held mean, p50, p99, throughput;
  double customers = 0;      ///< on average
  double width_of_mean = 0;  ///< relative half width, on average
};

inline Coverage coverage(std::uint64_t runs, double load, std::uint64_t customers, stats::Figure figure = {},
                         double relative = 0) {
  const MarkovQueue queue{load * 1e-4, 1e-4};
  Coverage out;
  const double one = 1 / static_cast<double>(runs);
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const Run run = run_queue(seed, load, customers, figure, relative);
    const ChannelIntervals found = run.seen.intervals(run.latency, run.measured, 0.95);
    out.mean.count(found.mean, queue.mean_sojourn());
    out.p50.count(found.p50, queue.sojourn_quantile(0.5));
    out.p99.count(found.p99, queue.sojourn_quantile(0.99));
    out.throughput.count(found.throughput_per_s, load * 1e5);
    out.customers += one * static_cast<double>(run.latency.count());
    out.width_of_mean += one * (found.mean.high - found.mean.low) / 2 / queue.mean_sojourn();
  }
  fmt::print(
      "{} runs at load {}, {:.0f} customers each: intervals hold the mean in {}, the median in {}, "
      "the p99 in {}, the throughput in {}; the mean's half width is {:.1f} %\n",
      runs, load, out.customers, out.mean.text(), out.p50.text(), out.p99.text(), out.throughput.text(),
      100 * out.width_of_mean);
  return out;
}

}  // namespace vmbsim::testing
