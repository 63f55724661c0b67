#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include "sim/kernel/arrival_process.hpp"
#include "tests/support/digest.hpp"
#include "tests/support/goodness_of_fit.hpp"

using namespace vmbsim;
using namespace vmbsim::kernel;
using namespace vmbsim::testing;

namespace {

ArrivalProcess arrivals(ArrivalProcess::Spec spec, const char* purpose = "arrivals") {
  return {std::move(spec), Stream(Seed{42}, "test", purpose)};
}

/// Number of arrivals in each of `windows` windows.
std::vector<double> counts_per_window(ArrivalProcess process, Duration window, std::size_t windows) {
  std::vector<double> counts(windows);
  Duration at{};
  for (;;) {
    at += process.next_gap();
    const auto index = static_cast<std::size_t>(at / window);
    if (index >= windows) return counts;
    ++counts[index];
  }
}

struct Moments {
  double mean, variance;
};
Moments moments(const std::vector<double>& values) {
  Moments m{};
  for (const double x : values) m.mean += x / static_cast<double>(values.size());
  for (const double x : values) m.variance += (x - m.mean) * (x - m.mean) / static_cast<double>(values.size() - 1);
  return m;
}

}  // namespace

// The scatter of the samples hides any bias below it (3e-4 of the mean in 10 million gaps). It cancels against the same
// draws at a rate a million times lower: the same arrivals, in units a million times finer. Had the gaps been rounded one by
// one, or the mean gap beforehand, a million arrivals would have drifted apart.
TEST_CASE("rounding to whole nanoseconds does not bias a poisson rate: the millionth arrival is off by at most one") {
  struct Row {
    const char* what;
    std::int64_t events;
  };
  for (const Row& row : {Row{"20 thousand per second", 20'000}, Row{"5 million per second, mean gap 200 ns", 5'000'000},
                         Row{"7 million per second, mean gap not whole", 7'000'000},
                         Row{"3 thousand million per second, mean gap a third of a nanosecond", 3'000'000'000}}) {
    INFO(row.what);
    ArrivalProcess process = arrivals(Poisson{{row.events, 1s}});
    ArrivalProcess fine = arrivals(Poisson{{row.events, 1'000'000s}});
    Duration sum{};
    Duration fine_sum{};
    constexpr int n = 1'000'000;
    for (int i = 0; i < n; ++i) {
      sum += process.next_gap();
      fine_sum += fine.next_gap();
    }
    CHECK(std::abs(sum.count() - fine_sum.count() / 1'000'000) <= 1);
  }
}

// Fails by luck with probability 1e-6 for each row: limit_of_z standard errors are 1.5e-3 of the mean.
TEST_CASE("ten million poisson gaps have the mean of their rate") {
  for (const std::int64_t events : {20'000, 5'000'000}) {
    INFO(events << " per second");
    ArrivalProcess process = arrivals(Poisson{{events, 1s}});
    constexpr int n = 10'000'000;
    Duration sum{};
    for (int i = 0; i < n; ++i) sum += process.next_gap();
    const double mean = static_cast<double>(sum.count()) / n;
    CHECK(std::abs(mean * static_cast<double>(events) / 1e9 - 1) < limit_of_z / std::sqrt(n));
  }
}

// Fails by luck with probability 1e-6.
TEST_CASE("poisson gaps are exponential") {
  ArrivalProcess process = arrivals(Poisson{{1000, 1s}});
  std::vector<double> gaps;
  for (int i = 0; i < 100'000; ++i) gaps.push_back(static_cast<double>(process.next_gap().count()));
  CHECK(kolmogorov_smirnov_distance(gaps, [](double x) { return 1 - std::exp(-x / 1e6); }) <
        kolmogorov_smirnov_limit(gaps.size()));
}

// The index of dispersion of n Poisson counts has standard deviation sqrt(2/n). Fails by luck with probability 1e-6.
TEST_CASE("poisson counts vary as much as their mean") {
  const Moments m = moments(counts_per_window(arrivals(Poisson{{20'000, 1s}}), 1ms, 20'000));
  CHECK(std::abs(m.mean / 20 - 1) < limit_of_z / std::sqrt(20.0 * 20'000));
  CHECK(std::abs(m.variance / m.mean - 1) < limit_of_z * std::sqrt(2.0 / 20'000));
}

TEST_CASE("periodic arrivals keep the exact long-run rate and differ by at most a nanosecond") {
  struct Row {
    Rate rate;
    Duration shortest;
  };
  for (const Row& row : {Row{{20'000, 1s}, 50us}, Row{{3, 1s}, 333'333'333ns}, Row{{7'000'000, 1s}, 142ns},
                         Row{{3'000'000'000, 1s}, 0ns}, Row{{1, 1h}, 1h}}) {
    INFO(row.rate.events << " in " << row.rate.per.count() << " ns");
    ArrivalProcess process = arrivals(Periodic{row.rate});
    Duration sum{};
    for (std::int64_t i = 1; i <= 100'000; ++i) {
      const Duration gap = process.next_gap();
      REQUIRE((gap == row.shortest || gap == row.shortest + 1ns));
      sum += gap;
      // Arrival i is due at i * per / events, rounded down.
      REQUIRE(static_cast<Wide>(sum.count()) ==
              static_cast<Wide>(i) * static_cast<Wide>(row.rate.per.count()) / static_cast<Wide>(row.rate.events));
    }
  }
}

TEST_CASE("renewal gaps are the samples of their distribution") {
  const Distribution gap = Distribution::lognormal(80us, 400us);
  ArrivalProcess process = arrivals(Renewal{gap});
  Stream twin(Seed{42}, "test", "arrivals");
  for (int i = 0; i < 1000; ++i) REQUIRE(process.next_gap() == gap.sample(twin));
}

// With one state nothing is modulated. The process draws its stays in between, hence other gaps than Poisson's. The index
// of dispersion of n counts has standard deviation sqrt(2/n). Fails by luck with probability 1e-6.
TEST_CASE("an mmpp of one state is poisson") {
  const Moments m = moments(counts_per_window(arrivals(Mmpp{{{{20'000, 1s}, 700us}}}), 1ms, 20'000));
  CHECK(std::abs(m.mean / 20 - 1) < limit_of_z / std::sqrt(20.0 * 20'000));
  CHECK(std::abs(m.variance / m.mean - 1) < limit_of_z * std::sqrt(2.0 / 20'000));
}

// Source: Fischer and Meier-Hellstern, 1993, the two-state MMPP: with rates a, b and rates of leaving s, r the mean rate
// is (a r + b s) / (s + r), and the index of dispersion of counts over time t is
//   1 + 2 (a - b)^2 s r / ((s + r)^2 (a r + b s)) (1 - (1 - exp(-(s + r) t)) / ((s + r) t)).
// Windows far longer than the stays are nearly independent and normal. Fails by luck with probability about 1e-6.
TEST_CASE("a two-state mmpp has the rate and the burstiness of the cookbook") {
  struct Row {
    const char* what;
    Rate first, second;
    double a, b;
  };  // a, b per millisecond
  for (const Row& row :
       {Row{"busy and idle", {20'000, 1s}, {2'000, 1s}, 20, 2}, Row{"silent in between", {20'000, 1s}, {0, 1s}, 20, 0},
        Row{"silent at first", {0, 1s}, {20'000, 1s}, 0, 20}}) {
    INFO(row.what);
    const double s = 1;    // leaves the first state after 1 ms
    const double r = 0.5;  // and the second after 2 ms
    const double t = 100;
    const std::size_t n = 20'000;
    const Moments m = moments(counts_per_window(arrivals(Mmpp{{{row.first, 1ms}, {row.second, 2ms}}}), 100ms, n));
    const double mean = (row.a * r + row.b * s) / (s + r) * t;
    const double dispersion = 1 + 2 * (row.a - row.b) * (row.a - row.b) * s * r /
                                      ((s + r) * (s + r) * (row.a * r + row.b * s)) *
                                      (1 - (1 - std::exp(-(s + r) * t)) / ((s + r) * t));
    CHECK(std::abs(m.mean - mean) < limit_of_z * std::sqrt(mean * dispersion / static_cast<double>(n)));
    CHECK(std::abs(m.variance / m.mean / dispersion - 1) < limit_of_z * std::sqrt(2.0 / static_cast<double>(n)) * 1.2);
  }
}

// A cycle of three states in the listed order: while one state lasts, its rate is seen.
TEST_CASE("the states of an mmpp follow one another in a circle") {
  ArrivalProcess process = arrivals(Mmpp{{{{1'000'000, 1s}, 1s}, {{1'000, 1s}, 100s}, {{30'000, 1s}, 10s}}});
  Duration at{};
  Duration block_start{};
  int seen = 0;
  int in_block = 0;
  std::vector<int> order;  // the rate of each block of 200 arrivals, repeats left out
  while (seen < 60'000'000 && order.size() < 7) {
    at += process.next_gap();
    ++seen;
    if (++in_block < 200) continue;
    const double rate = 200 / std::chrono::duration<double>(at - block_start).count();
    block_start = at;
    in_block = 0;
    const int state = rate > 500'000 ? 0 : rate > 10'000 && rate < 60'000 ? 2 : rate < 2'000 ? 1 : -1;
    if (state >= 0 && (order.empty() || order.back() != state)) order.push_back(state);
  }
  CHECK(order == std::vector<int>{0, 1, 2, 0, 1, 2, 0});
}

TEST_CASE("an mmpp says how often it changes state between arrivals") {
  CHECK(Mmpp{{{{1000, 1s}, 1ms}, {{3000, 1s}, 1ms}}}.changes_per_arrival() == Approx(0.5));
  CHECK(Mmpp{{{{1, 1s}, 1ms}, {{0, 1s}, 1ms}}}.changes_per_arrival() == Approx(2000));
  CHECK(std::isinf(Mmpp{{{{0, 1s}, 1ms}}}.changes_per_arrival()));
}

// The digests were made once; gcc and clang must reproduce them with and without optimisation. A new one means that
// every recorded result changes.
TEST_CASE("a hundred thousand gaps of each process have the bits they always had") {
  struct Row {
    const char* what;
    ArrivalProcess::Spec spec;
    std::uint64_t digest;
  };
  for (const Row& row :
       {Row{"poisson", Poisson{{20'000, 1s}}, 0xab69dc2fe86d5f4c},
        Row{"fast poisson", Poisson{{7'000'000, 1s}}, 0x44b504f41ade5d7e},
        Row{"periodic", Periodic{{30'000, 1s}}, 0x0b76c05ec90aa696},
        Row{"renewal", Renewal{Distribution::lognormal(80us, 400us)}, 0x1da679887ae72618},
        Row{"mmpp", Mmpp{{{{20'000, 1s}, 1ms}, {{0, 1s}, 2ms}, {{700, 1s}, 5ms}}}, 0x6bc98ac39bdc392c}}) {
    INFO(row.what);
    ArrivalProcess process = arrivals(row.spec, row.what);
    Digest digest;
    for (int i = 0; i < 100'000; ++i) digest.add(process.next_gap().count());
    CHECK(digest.value() == row.digest);
  }
}
