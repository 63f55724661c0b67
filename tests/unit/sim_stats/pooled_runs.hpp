#pragma once
/// Pools of runs whose true percentiles are known, and whether their intervals hold them.
#include <cmath>

#include "sim/stats/pool.hpp"
#include "tests/unit/sim_stats/single_server.hpp"

namespace vmbsim::testing {

/// Samples are x / (1 - x) of a uniform x, times what all samples of a run have in common: 1, or uniform between 1 and 2.
struct PooledRuns {
  bool correlated;

  stats::Pool pool(std::uint64_t replication, std::size_t runs, int samples) const {
    kernel::Stream chance(Seed{replication}, "pooled runs", correlated ? "correlated" : "independent");
    const auto uniform = [&] { return static_cast<double>(chance.next() >> 11) * 0x1p-53; };
    stats::Pool pool(runs);
    for (std::size_t run = 0; run < runs; ++run) {
      const double level = correlated ? 1 + uniform() : 1;
      Histogram times;
      for (int i = 0; i < samples; ++i) {
        const double x = uniform();
        times.add(Duration{static_cast<std::int64_t>(1e5 * level * x / (1 - x))});
      }
      pool.add(times);
    }
    return pool;
  }

  /// Where F(t) = t / (1 + t), or its mean over the levels, t ln((t + 2) / (t + 1)), is `share`.
  double percentile(double share) const {
    double low = 0;
    double high = 1e6;
    for (int halved = 0; halved < 100; ++halved) {
      const double t = (low + high) / 2;
      const double below = correlated ? t * std::log((t + 2) / (t + 1)) : t / (1 + t);
      (below < share ? low : high) = t;
    }
    return 1e5 * low;
  }
};

struct PooledRow {
  std::size_t runs;
  int samples;  // of each
  std::uint64_t replications;
};

/// 93 to 97 % of the intervals hold the true value, give or take three standard deviations of so many replications. Those that are
/// not much wider than a bucket of a histogram, which they reach to the end of on either side, may do so more often.
inline void check_pooled(const PooledRow& row, bool correlated) {
  constexpr double shares[] = {0.5, 0.9, 0.99};
  const PooledRuns runs{correlated};
  Held held[3];
  double widths[3] = {};
  for (std::uint64_t i = 1; i <= row.replications; ++i) {
    const stats::Pool pool = runs.pool(i, row.runs, row.samples);
    for (int figure = 0; figure < 3; ++figure) {
      const Interval found = pool.interval(shares[figure], 0.95);
      held[figure].count(found, runs.percentile(shares[figure]));
      if (found.known()) widths[figure] += (found.high - found.low) / runs.percentile(shares[figure]);
      if (found.known() && !found.holds(pool.figure(shares[figure]))) FAIL("a figure lies outside of its interval");
    }
  }
  fmt::print("{} runs of {} samples{}: intervals hold the p50 in {}, the p90 in {}, the p99 in {}\n", row.runs,
             row.samples, correlated ? " that hang together" : "", held[0].text(), held[1].text(), held[2].text());
  INFO(row.runs << " runs of " << row.samples << (correlated ? " that hang together" : ""));
  for (int figure = 0; figure < 3; ++figure) {
    // Fewer than ten samples beyond a percentile say nothing, nor do 25 where a few runs may be calm by chance.
    const double beyond = static_cast<double>(row.runs) * row.samples * (1 - shares[figure]);
    const bool enough = beyond >= (row.runs < 20 ? 25 : 10);
    CHECK((held[figure].reported > 0) == enough);
    if (!enough) continue;
    const double chance = 3 * std::sqrt(0.95 * 0.05 / static_cast<double>(held[figure].reported));
    CHECK(held[figure].share() >= 0.93 - chance);
    constexpr double many_buckets = 0.05;
    if (widths[figure] / static_cast<double>(held[figure].reported) > many_buckets)
      CHECK(held[figure].share() <= 0.97 + chance);
  }
}

}  // namespace vmbsim::testing
