// Figures over the samples of several runs, and whether their intervals hold what they claim.
#include "sim/stats/pool.hpp"

#include <cmath>

#include "sim/stats/comparison.hpp"
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
  CHECK(pool.figure(0.8).figure == Approx(10'000).epsilon(0.01));
  CHECK(pool.figure(0.95).figure == Approx(100'000).epsilon(0.01));
  CHECK(pool.figure({}).figure == Approx(19'000));
}

TEST_CASE("of as many samples in each run, the mean is as sure as the mean of the runs' means") {
  const std::vector<double> means{100, 110, 96, 104};
  Pool pool(means.size());
  for (const double mean : means) {
    Histogram run;
    for (int i = 0; i < 50; ++i) run.add(Duration{static_cast<std::int64_t>(mean) + (i % 2 == 0 ? 5 : -5)});
    pool.add(run);
  }
  const Estimate found = pool.figure({}).estimate(0.95);
  const Estimate plain = mean_of(means, 0.95);
  CHECK(found.mean == Approx(plain.mean));
  CHECK(found.half_width == Approx(plain.half_width));
}

TEST_CASE("how sure a figure is cannot be said of one run, nor of a percentile that few samples lie beyond") {
  Pool one(1);
  one.add(of({1, 2, 3}));
  CHECK(one.figure({}).figure == 2);
  CHECK_FALSE(one.figure({}).estimate(0.95).interval().known());
  Pool few(4);
  for (int run = 0; run < 4; ++run) {
    Histogram samples;
    for (int i = 0; i < 400; ++i) samples.add(Duration{i + run});
    few.add(samples);
  }
  CHECK(few.figure(0.9).estimate(0.95).interval().known());
  CHECK_FALSE(few.figure(0.99).estimate(0.95).interval().known());
  Pool empty(2);
  empty.add({});
  empty.add({});
  CHECK(std::isnan(empty.figure(0.5).figure));
  CHECK(empty.figure(0.5).values.empty());
}

TEST_CASE("a thousand runs are as sure as they are when they are put together in groups") {
  const Pool pool = pool_of(1, 640, 500);
  CHECK(pool.figure(0.9).values.size() == 64);
  const MarkovQueue queue{0.8e-4, 1e-4};
  CHECK(pool.figure(0.9).estimate(0.999).interval().holds(queue.sojourn_quantile(0.9)));
}

TEST_CASE("the 95 % intervals of a percentile over several runs hold the true one") {
  const MarkovQueue queue{0.8e-4, 1e-4};
  Held p50, p99, mean;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Pool pool = pool_of(1 + seed * 10, 8, 10'000);
    mean.count(pool.figure({}).estimate(0.95).interval(), queue.mean_sojourn());
    p50.count(pool.figure(0.5).estimate(0.95).interval(), queue.sojourn_quantile(0.5));
    p99.count(pool.figure(0.99).estimate(0.95).interval(), queue.sojourn_quantile(0.99));
  }
  fmt::print("pools of eight runs: intervals hold the mean in {}, the median in {}, the p99 in {}\n", mean.text(),
             p50.text(), p99.text());
  // Three standard deviations of 300 replications around 95 %: 3.8 %.
  for (const Held& figure : {mean, p50, p99}) {
    CHECK(figure.reported == 300);
    CHECK(figure.share() > 0.91);
    CHECK(figure.share() < 0.99);
  }
}

TEST_CASE("the p99 of two groups of runs of one queue seldom differs, and that of a slower one does") {
  int wrong = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Sample first = pool_of(1 + i * 20, 5, 4'000).figure(0.99);
    const Sample second = pool_of(11 + i * 20, 5, 4'000).figure(0.99);
    wrong += difference(first.values, second.values, 0.95).probability < 0.05 ? 1 : 0;
  }
  fmt::print("two groups of five runs of one queue: p99 differs at 5 % in {} of 200\n", wrong);
  CHECK(wrong <= 20);  // ten expected
  CHECK(wrong >= 1);
}
