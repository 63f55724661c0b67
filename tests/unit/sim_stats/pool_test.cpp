// Figures over the samples of several runs, and whether their intervals hold what they claim.
#include "sim/stats/pool.hpp"

#include <cmath>

#include "sim/stats/comparison.hpp"
#include "tests/unit/sim_stats/pooled_runs.hpp"
#include "tests/unit/sim_stats/single_server.hpp"

using namespace vmbsim;
using namespace vmbsim::stats;
using namespace vmbsim::testing;

namespace {

Histogram of(std::initializer_list<int> ns) {
  Histogram out;
  for (const int one : ns) out.add(Duration{one});
  return out;
}

Pool pool_of(std::uint64_t first_seed, std::uint64_t runs, std::uint64_t customers) {
  Pool pool(runs);
  for (std::uint64_t seed = first_seed; seed < first_seed + runs; ++seed) {
    SingleServer server(seed, 0.8);
    for (int i = 0; i < 2000; ++i) server.next();
    Histogram run;
    for (std::uint64_t i = 0; i < customers; ++i) run.add(server.next());
    pool.add(run);
  }
  return pool;
}

}  // namespace

TEST_CASE("a percentile over several runs is that of all their samples") {
  Pool pool(2);
  Histogram quick;
  Histogram slow;
  for (int i = 0; i < 9'000; ++i) quick.add(10us);
  for (int i = 0; i < 1'000; ++i) slow.add(100us);
  pool.add(quick);
  pool.add(slow);
  CHECK(pool.figure(0.8) == Approx(10'000).epsilon(0.01));
  CHECK(pool.figure(0.95) == Approx(100'000).epsilon(0.01));
  CHECK(pool.figure({}) == Approx(19'000));
}

TEST_CASE("of as many samples in each run, the mean is as sure as the mean of the runs' means") {
  const std::vector<double> means{100, 110, 96, 104};
  Pool pool(means.size());
  for (const double mean : means) {
    Histogram run;
    for (int i = 0; i < 50; ++i) run.add(Duration{static_cast<std::int64_t>(mean) + (i % 2 == 0 ? 5 : -5)});
    pool.add(run);
  }
  const Interval found = pool.interval({}, 0.95);
  const Interval plain = mean_of(means, 0.95).interval();
  CHECK(found.low == Approx(plain.low));
  CHECK(found.high == Approx(plain.high));
  const Sample sample = pool.sample({});
  CHECK(sample.figure == Approx(102.5));
  REQUIRE(sample.values.size() == means.size());
  for (std::size_t i = 0; i < means.size(); ++i) CHECK(sample.values[i] == Approx(means[i]));
}

TEST_CASE("how sure a figure is cannot be said of one run, nor of a percentile that few samples lie beyond") {
  Pool one(1);
  one.add(of({1, 2, 3}));
  CHECK(one.figure({}) == 2);
  CHECK_FALSE(one.interval({}, 0.95).known());
  Pool few(5);
  for (int run = 0; run < 5; ++run) {
    Histogram samples;
    for (int i = 0; i < 100; ++i) samples.add(Duration{i + run});
    few.add(samples);
  }
  CHECK(few.interval(0.9, 0.95).known());
  CHECK_FALSE(few.interval(0.99, 0.95).known());
  CHECK(few.sample(0.99).values.empty());
  Pool empty(2);
  empty.add({});
  empty.add({});
  CHECK(std::isnan(empty.figure(0.5)));
  CHECK(empty.sample(0.5).values.empty());
}

TEST_CASE("two runs that differ say nothing of a percentile, two that do not differ everything") {
  Pool pool(2);
  Pool same(2);
  Histogram first;
  for (int i = 0; i < 5'000; ++i) first.add(Duration{1000 + i});
  Histogram second = first;
  second.add(1us);
  for (const Histogram* run : {&first, &second}) pool.add(*run);
  for (int run = 0; run < 2; ++run) same.add(first);
  CHECK_FALSE(pool.interval(0.9, 0.95).known());
  // 5,499 ns lies in the bucket that begins at 5,472 and is 32 wide.
  CHECK(same.interval(0.9, 0.95).low == 5472);
  CHECK(same.interval(0.9, 0.95).high == 5504);
}

TEST_CASE("many runs are put together in groups of one size") {
  CHECK(Pool::groups_of(0) == 0);
  CHECK(Pool::groups_of(1) == 1);
  CHECK(Pool::groups_of(64) == 64);
  CHECK(Pool::groups_of(65) == 33);
  CHECK(Pool::groups_of(127) == 64);
  CHECK(Pool::groups_of(1000) == 63);
  CHECK(pool_of(1, 100, 500).sample(0.5).values.size() == 50);
}

TEST_CASE("the 95 % intervals of pooled percentiles hold them in 93 to 97 %, however many runs and samples") {
  for (const bool correlated : {false, true})
    for (const PooledRow& row : {PooledRow{5, 30, 600}, PooledRow{20, 30, 600}, PooledRow{65, 30, 400},
                                 PooledRow{100, 30, 400}, PooledRow{127, 30, 400}, PooledRow{1000, 30, 200},
                                 PooledRow{5, 3000, 300}, PooledRow{20, 3000, 200}, PooledRow{65, 3000, 100}})
      check_pooled(row, correlated);
}

TEST_CASE("the 95 % intervals of a percentile over several runs hold the true one") {
  const MarkovQueue queue{0.8e-4, 1e-4};
  Held p50, p99, mean;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Pool pool = pool_of(1 + seed * 10, 8, 30'000);
    mean.count(pool.interval({}, 0.95), queue.mean_sojourn());
    p50.count(pool.interval(0.5, 0.95), queue.sojourn_quantile(0.5));
    p99.count(pool.interval(0.99, 0.95), queue.sojourn_quantile(0.99));
  }
  fmt::print("pools of eight runs: intervals hold the mean in {}, the median in {}, the p99 in {}\n", mean.text(),
             p50.text(), p99.text());
  // Three standard deviations of 300 replications around 95 %: 3.8 %.
  for (const Held& figure : {mean, p50, p99}) {
    CHECK(figure.reported > 250);  // where runs differ much, eight are too few for a p99
    CHECK(figure.share() > 0.91);
    CHECK(figure.share() < 0.99);
  }
}

TEST_CASE("runs that happen to be calm have no interval of what lies beyond: few runs of a busy queue tell no p99") {
  int told = 0;
  for (std::uint64_t i = 0; i < 100; ++i) told += pool_of(1 + i * 10, 5, 3'000).interval(0.99, 0.95).known() ? 1 : 0;
  CHECK(told <=
        5);  // 15,000 samples are worth 170 independent ones: two lie beyond, where 95 % sure of four is asked for
}

TEST_CASE("the p99 of two groups of runs of one queue seldom differs") {
  int wrong = 0;
  int judged = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Sample first = pool_of(1 + i * 50, 20, 10'000).sample(0.99);
    const Sample second = pool_of(26 + i * 50, 20, 10'000).sample(0.99);
    const Difference found = difference(first, second, 0.95);
    judged += found.freedom > 0 ? 1 : 0;
    wrong += found.probability < 0.05 ? 1 : 0;
  }
  fmt::print("two groups of twenty runs of one queue: p99 differs at 5 % in {} of {}\n", wrong, judged);
  CHECK(judged > 80);
  CHECK(wrong <= 12);  // five expected
  CHECK(wrong >= 1);
}
