// One long run: its beginning, and its mean.
#include "sim/stats/batch_means.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/stats/observations.hpp"
#include "tests/unit/sim_stats/single_server.hpp"

using namespace vmbsim;
using namespace vmbsim::stats;
using namespace vmbsim::testing;

namespace {

/// Roughly normal, mean 0, variance 1.
double noise(kernel::Stream& chance) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(chance.below(1'000'000)) / 1e6;
  return sum;
}

std::vector<double> correlated(std::uint64_t seed, std::size_t length, double with_the_one_before) {
  kernel::Stream chance(Seed{seed}, "series", "noise");
  std::vector<double> values{noise(chance)};
  const double fresh = std::sqrt(1 - with_the_one_before * with_the_one_before);
  while (values.size() < length) values.push_back(with_the_one_before * values.back() + fresh * noise(chance));
  return values;
}

}  // namespace

TEST_CASE("a beginning that differs is left out, and what has settled is not") {
  std::vector<double> batches = correlated(1, 400, 0);
  for (std::size_t i = 0; i < 60; ++i) batches[i] += 20 * std::exp(-static_cast<double>(i) / 15);
  const WarmUp found = warm_up_of(batches);
  CHECK(found.settled);
  CHECK(found.batches >= 30);
  CHECK(found.batches <= 70);
}

TEST_CASE("a series that was settled from the start loses next to nothing") {
  std::size_t left_out = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) left_out += warm_up_of(correlated(seed, 400, 0)).batches;
  CHECK(left_out < 50 * 400 / 8);
}

TEST_CASE("a series that drifts to its end has not settled") {
  std::vector<double> batches;
  for (int i = 0; i < 400; ++i) batches.push_back(i);
  CHECK_FALSE(warm_up_of(batches).settled);
  CHECK(warm_up_of(batches).batches == 200);
}

TEST_CASE("fifteen batches are too few to tell a beginning") {
  CHECK_FALSE(warm_up_of(std::vector<double>(15, 1.0)).settled);
  CHECK(warm_up_of(std::vector<double>(16, 1.0)).settled);
  CHECK(warm_up_of(std::vector<double>(16, 1.0)).batches == 0);
}

TEST_CASE("values that hang together make fewer batches, and a wider interval") {
  const SeriesEstimate apart = batch_means(correlated(5, 1024, 0), 0.95);
  CHECK(apart.independent);
  CHECK(apart.estimate.values == 64);
  const SeriesEstimate together = batch_means(correlated(5, 1024, 0.97), 0.95);
  CHECK(together.estimate.values < 64);
  CHECK(together.estimate.half_width > 4 * apart.estimate.half_width);  // sqrt((1 + 0.97) / (1 - 0.97)) = 8.1
}

TEST_CASE("correlation that no batch is long enough for is told, and widens the interval") {
  const SeriesEstimate found = batch_means(correlated(2, 32, 0.98), 0.95);
  CHECK_FALSE(found.independent);
  CHECK(found.estimate.values == 16);
}

TEST_CASE("fifteen values have no interval, sixteen have") {
  CHECK_FALSE(batch_means(correlated(1, 15, 0), 0.95).estimate.interval().known());
  CHECK(batch_means(correlated(1, 16, 0), 0.95).estimate.interval().known());
}

TEST_CASE("the warm-up of a queue that starts empty ends where it has filled") {
  // An M/M/1 queue at 90 % load forgets its start in some 1 / (1 - sqrt(load))^2 = 380 services.
  // Source: Kleinrock, "Queueing Systems", volume 2, section 2.11 (relaxation time).
  double mean_end = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SingleServer server(seed, 0.9);
    Histogram latency;
    Observations seen;
    seen.start(server.now);
    for (int i = 0; i < 100'000; ++i) {
      latency.add(server.next());
      seen.observed(latency, server.now);
    }
    mean_end += static_cast<double>(seen.beginning().length.count()) / 20;
  }
  CHECK(mean_end > 380 * 1e4);
  CHECK(mean_end < 0.4 * 100'000 * 1e4 / 0.9);
}

TEST_CASE("a run that never varies is known exactly") {
  Histogram latency;
  Observations seen;
  SimTime now = start_of_time;
  seen.start(now);
  for (int i = 0; i < 5000; ++i) {
    latency.add(7us);
    seen.observed(latency, now += 10us);
  }
  const ChannelIntervals found = seen.intervals(latency, now - start_of_time, 0.95);
  CHECK(found.mean.low == 7000);
  CHECK(found.mean.high == 7000);
  CHECK(found.p99.low == 7000);
  CHECK(found.p99.high == 7000);
  CHECK(found.throughput_per_s.low == Approx(100'000));
  CHECK(found.throughput_per_s.high == Approx(100'000));
}

TEST_CASE("what a run tells of itself lies inside of its intervals") {
  // One packet every 10 us, of 7 to 8.9 us, and then nothing for as long again: half the throughput that the gaps show.
  Histogram latency;
  Observations seen;
  SimTime now = start_of_time;
  seen.start(now);
  for (int i = 0; i < 20'000; ++i) {
    latency.add(Duration{7000 + i * 37 % 1900});
    seen.observed(latency, now += 10us);
  }
  const ChannelIntervals found = seen.intervals(latency, 2 * (now - start_of_time), 0.95);
  CHECK(found.throughput_per_s.holds(50'000));
  CHECK(found.p50.holds(static_cast<double>(latency.quantile(50, 100).count())));
  CHECK(found.p90.holds(static_cast<double>(latency.quantile(90, 100).count())));
  CHECK(found.p99.holds(static_cast<double>(latency.quantile(99, 100).count())));
}

TEST_CASE("too short a run says nothing of itself, and nothing of a percentile that it hardly saw") {
  const Run eight = run_queue(1, 0.5, 8);
  CHECK_FALSE(eight.seen.interval(Figure::mean, eight.latency, 0.95).known());
  CHECK_FALSE(eight.seen.interval(Figure::p50, eight.latency, 0.95).known());
  const Run some = run_queue(1, 0.5, 5000);
  CHECK(some.seen.interval(Figure::mean, some.latency, 0.95).known());
  CHECK(some.seen.interval(Figure::p50, some.latency, 0.95).known());
  CHECK_FALSE(some.seen.interval(Figure::p999, some.latency, 0.95).known());
}

TEST_CASE("latencies that lie within one part of the histogram bound their percentiles") {
  Histogram latency;
  Observations seen;
  SimTime now = start_of_time;
  seen.start(now);
  for (int i = 0; i < 5000; ++i) {
    latency.add(Duration{2048 + i % 100});  // an eighth of the octave from 2,048 ns is 256 ns long
    seen.observed(latency, now += 10us);
  }
  const Interval found = seen.interval(Figure::p90, latency, 0.95);
  CHECK(found.low == 2048);
  CHECK(found.high == 2147);
}
