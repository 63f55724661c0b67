#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "tests/support/digest.hpp"
#include "tests/support/goodness_of_fit.hpp"

using namespace vmbsim;
using namespace vmbsim::kernel;
using namespace vmbsim::testing;

namespace {

std::vector<double> samples(const Distribution& distribution, int n) {
  Stream stream(Seed{5}, "test", "samples");
  std::vector<double> values;
  for (int i = 0; i < n; ++i) values.push_back(static_cast<double>(distribution.sample(stream).count()));
  return values;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

constexpr double z99 = 2.3263478740408408;
constexpr Duration longest{std::int64_t{1} << 62};

}  // namespace

TEST_CASE("a fixed duration is always the same and draws nothing") {
  Stream stream(Seed{5}, "test", "samples");
  Stream untouched = stream;
  CHECK(Distribution::fixed(12us).sample(stream) == 12us);
  CHECK(Distribution{}.sample(stream) == 0ns);
  CHECK(stream.next() == untouched.next());
  CHECK(Distribution::fixed(12us).is_fixed());
  CHECK_FALSE(Distribution::exponential(12us).is_fixed());
}

TEST_CASE("every other distribution draws one number per sample") {
  for (const Distribution& distribution :
       {Distribution::exponential(10us), Distribution::uniform(1us, 9us), Distribution::lognormal(80us, 400us),
        Distribution::empirical({1us, 2us, 3us})}) {
    Stream stream(Seed{5}, "test", "samples");
    Stream counted = stream;
    distribution.sample(stream);
    counted.next();
    CHECK(stream.next() == counted.next());
  }
}

// Means of n samples: within limit_of_z standard errors. Fails by luck with probability 1e-6 for each row.
TEST_CASE("the mean of many samples is the mean it states") {
  constexpr int n = 1'000'000;
  for (const Distribution& distribution :
       {Distribution::exponential(10us), Distribution::exponential(7ns), Distribution::uniform(1us, 9us),
        Distribution::uniform(0ns, 1ns), Distribution::lognormal(80us, 400us),
        Distribution::empirical({1us, 1us, 1us, 97us})}) {
    const auto values = samples(distribution, n);
    const double error = deviation_of(values) / std::sqrt(n);
    INFO("stated mean " << distribution.mean().count() << " ns");
    CHECK(std::abs(mean_of(values) - static_cast<double>(distribution.mean().count())) <
          limit_of_z * error + 0.5);  // the stated mean is rounded to whole nanoseconds
  }
}

// Fails by luck with probability 1e-6.
TEST_CASE("exponential samples follow the exponential law") {
  const auto values = samples(Distribution::exponential(1ms), 100'000);
  CHECK(kolmogorov_smirnov_distance(values, [](double x) { return 1 - std::exp(-x / 1e6); }) <
        kolmogorov_smirnov_limit(values.size()));
  CHECK(std::abs(deviation_of(values) / 1e6 - 1) < limit_of_z * std::sqrt(8.0 / 4 / 100'000));  // kurtosis 9
}

// In 4 million samples about 4e6 exp(-k) exceed k means, with Poisson scatter. Fails by luck with probability 1e-4 for
// each row (the normal limit is only rough at so few samples).
TEST_CASE("the exponential tail is not cut short") {
  Stream stream(Seed{23}, "test", "tail");
  const Distribution distribution = Distribution::exponential(1s);
  int beyond[3] = {};
  for (int i = 0; i < 4'000'000; ++i) {
    const Duration x = distribution.sample(stream);
    beyond[0] += x > 5s;
    beyond[1] += x > 8s;
    beyond[2] += x > 11s;
  }
  const double expected[3] = {4e6 * std::exp(-5.0), 4e6 * std::exp(-8.0), 4e6 * std::exp(-11.0)};
  for (int i = 0; i < 3; ++i) CHECK(std::abs(beyond[i] - expected[i]) < limit_of_z * std::sqrt(expected[i]));
}

// Fails by luck with probability 1e-6.
TEST_CASE("uniform samples take each whole nanosecond equally often, both ends included") {
  std::vector<std::uint64_t> counts(11);
  for (const double x : samples(Distribution::uniform(100ns, 110ns), 100'000))
    ++counts.at(static_cast<std::size_t>(x) - 100);
  CHECK(chi_square(counts) < chi_square_limit(counts.size()));
  CHECK(samples(Distribution::uniform(5us, 5us), 3) == std::vector<double>{5000, 5000, 5000});
}

// Source of sigma: p99 = median exp(z99 sigma). Fails by luck with probability 1e-6.
TEST_CASE("lognormal samples have the median and the p99 that were asked for") {
  const auto values = samples(Distribution::lognormal(80us, 400us), 100'000);
  const double sigma = std::log(400.0 / 80.0) / z99;
  CHECK(kolmogorov_smirnov_distance(values, [&](double x) { return normal_cdf(std::log(x / 80e3) / sigma); }) <
        kolmogorov_smirnov_limit(values.size()));
  double above_median = 0;
  double above_p99 = 0;
  for (const double x : values) {
    above_median += x > 80e3;
    above_p99 += x > 400e3;
  }
  const double n = 100'000;
  CHECK(std::abs(above_median - n / 2) < limit_of_z * std::sqrt(n / 4));
  CHECK(std::abs(above_p99 - n / 100) < limit_of_z * std::sqrt(n * 0.01 * 0.99));
}

TEST_CASE("a lognormal whose p99 is its median is fixed in effect") {
  for (const double x : samples(Distribution::lognormal(80us, 80us), 1000)) CHECK(x == 80e3);
}

// Fails by luck with probability 1e-6.
TEST_CASE("empirical samples are drawn with replacement, each as often as any") {
  std::vector<std::uint64_t> counts(5);
  for (const double x : samples(Distribution::empirical({0ns, 1ns, 2ns, 3ns, 4ns}), 100'000))
    ++counts.at(static_cast<std::size_t>(x));
  CHECK(chi_square(counts) < chi_square_limit(counts.size()));
}

TEST_CASE("mean and lowest are those of the law") {
  struct Row {
    const char* what;
    Distribution distribution;
    Duration mean, lowest;
  };
  for (const Row& row :
       {Row{"fixed", Distribution::fixed(7us), 7us, 7us}, Row{"exponential", Distribution::exponential(7us), 7us, 0ns},
        Row{"uniform", Distribution::uniform(1ns, 4ns), 3ns, 1ns},
        // exp(ln(5)^2 / (2 z99^2)) = 1.2703780...; exp(-9.155293772686 ln(5) / z99) = 0.0017750...
        Row{"lognormal", Distribution::lognormal(1ms, 5ms), 1270378ns, 1775ns},
        Row{"empirical", Distribution::empirical({3us, 1us, 4us}), 2667ns, 1us}}) {
    INFO(row.what);
    CHECK(row.distribution.mean() == row.mean);
    CHECK(row.distribution.lowest() == row.lowest);
  }
}

TEST_CASE("no sample exceeds 2^62 nanoseconds, however large the parameters") {
  constexpr Duration huge{std::numeric_limits<std::int64_t>::max()};
  for (const Distribution& distribution :
       {Distribution::fixed(huge), Distribution::exponential(huge), Distribution::uniform(0ns, huge),
        Distribution::uniform(huge, huge), Distribution::lognormal(1ns, huge), Distribution::lognormal(huge, huge),
        Distribution::empirical({huge})}) {
    Stream stream(Seed{5}, "test", "samples");
    for (int i = 0; i < 1000; ++i) {
      const Duration x = distribution.sample(stream);
      REQUIRE((x >= 0ns && x <= longest));
    }
    CHECK(distribution.mean() <= longest);
    CHECK(distribution.lowest() <= longest);
  }
}

// The digests were made once; gcc and clang must reproduce them with and without optimisation. A new one means that
// every recorded result changes.
TEST_CASE("a hundred thousand samples of each distribution have the bits they always had") {
  struct Row {
    const char* what;
    Distribution distribution;
    std::uint64_t digest;
  };
  std::vector<Duration> recorded;
  for (int i = 0; i < 1000; ++i) recorded.push_back(Duration{i * i});
  for (const Row& row : {Row{"exponential 10us", Distribution::exponential(10us), 0x890958a1062cb83b},
                         Row{"exponential 1h", Distribution::exponential(1h), 0x1938d4ece6a27f99},
                         Row{"uniform", Distribution::uniform(900ns, 1500ns), 0x2617996b0bee2396},
                         Row{"lognormal", Distribution::lognormal(80us, 400us), 0xb4764f9fc250b9b2},
                         Row{"lognormal, wide", Distribution::lognormal(1ms, 10h), 0xa1b2f27e822a0150},
                         Row{"empirical", Distribution::empirical(recorded), 0xaa32baed9db6f90a}}) {
    INFO(row.what);
    Stream stream(Seed{42}, "golden", row.what);
    Digest digest;
    for (int i = 0; i < 100'000; ++i) digest.add(row.distribution.sample(stream).count());
    CHECK(digest.value() == row.digest);
  }
}
