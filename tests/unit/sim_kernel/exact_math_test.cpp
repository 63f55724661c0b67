#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

#include "sim/kernel/exact_math.hpp"
#include "sim/kernel/random.hpp"

using namespace vmbsim;
using namespace vmbsim::kernel;

namespace {

/// Distance of `x` from `expected` in units of the last place of `expected`.
double ulps(double x, double expected) {
  const double unit = std::nextafter(std::abs(expected), std::numeric_limits<double>::infinity()) - std::abs(expected);
  return std::abs(x - expected) / unit;
}

}  // namespace

// The expected values were computed with 200 bits and rounded once.
TEST_CASE("the logarithm is right to the last place") {
  struct Row {
    double x, expected;
  };
  for (const Row& row :
       {Row{0x1p-64, -0x1.62e42fefa39efp+5}, Row{0x1.8p-10, -0x1.a1aa17feccee6p+2}, Row{0.5, -0x1.62e42fefa39efp-1},
        Row{0.99999999, -0x1.5798ee5cd2b2ap-27}, Row{1.0000001, 0x1.ad7f2847b6492p-24}, Row{3.5, 0x1.40b512eb53d60p+0},
        Row{1e18, 0x1.4b927f32bffb8p+5}}) {
    INFO(row.x);
    CHECK(ulps(exact_log(row.x), row.expected) <= 1);
  }
  CHECK(exact_log(1) == 0);
}

TEST_CASE("the exponential is right to the last place") {
  struct Row {
    double x, expected;
  };
  for (const Row& row :
       {Row{-650.25, 0x1.d99ba65a1c91fp-939}, Row{-1, 0x1.78b56362cef38p-2}, Row{-1e-9, 0x1.fffffff768fa1p-1},
        Row{0, 1}, Row{1e-3, 0x1.0041919b7ee34p+0}, Row{1, 0x1.5bf0a8b145769p+1}, Row{17.3, 0x1.f1864fb8932f7p+24},
        Row{690.5, 0x1.2234558ba71ecp+996}}) {
    INFO(row.x);
    CHECK(ulps(exact_exp(row.x), row.expected) <= 1);
  }
}

// Each is off by less than 0.8 units in the last place, so as whole units they differ by at most 1 (where a power of 2
// lies between them, by 2 of the smaller).
TEST_CASE("logarithm and exponential agree with the C library everywhere, bins and octaves included") {
  Stream stream(Seed{3}, "test", "arguments");
  for (int i = 0; i < 200'000; ++i) {
    const double spread =
        std::ldexp(static_cast<double>(stream.next()) + 0.5, static_cast<int>(stream.below(200)) - 164);
    REQUIRE(ulps(exact_log(spread), std::log(spread)) <= 2);
    const double near_one = 1 + static_cast<double>(static_cast<std::int64_t>(stream.next())) * 0x1p-68;
    REQUIRE((near_one == 1 || ulps(exact_log(near_one), std::log(near_one)) <= 2));
    const double x = static_cast<double>(static_cast<std::int64_t>(stream.next())) * 0x1p-63 * 700;
    REQUIRE(ulps(exact_exp(x), std::exp(x)) <= 2);
  }
}

// Source: quantiles computed with 200 bits from the error function.
TEST_CASE("the normal quantile is right in the centre and in both tails") {
  struct Row {
    const char* probability;
    std::int64_t draw;
    double z;
  };
  for (const Row& row : {Row{"0.5000001", 1844674407370, 2.5066282746304082573e-7},
                         Row{"0.75", 4611686018427387904, 0.67448975019608174329},
                         Row{"0.92", 7747632510958011678, 1.4050715603096325559},
                         Row{"0.93", 7932099951695107194, 1.4757910281791707351},
                         Row{"0.99", 9038904596117680291, 2.3263478740408411002},
                         Row{"0.999999", 9223353590110702098, 4.7534243088228995137},
                         Row{"0.9999999999999", 9223372036852931133, 7.3487960960877554039},
                         Row{"1 - 2^-65", std::numeric_limits<std::int64_t>::max(), 9.155293772686072546}}) {
    INFO(row.probability);
    CHECK(std::abs(normal_quantile(row.draw) / row.z - 1) < 1e-15);
    CHECK(normal_quantile(~row.draw) == -normal_quantile(row.draw));
  }
}

TEST_CASE("quantiles never step back from one draw to the next, over the seams of their parts too") {
  constexpr std::int64_t centre_ends = 7839866231326559436;                                  // 0.425 * 2^64
  constexpr std::int64_t far_tail = std::numeric_limits<std::int64_t>::max() - 256'184'000;  // exp(-25) * 2^64
  for (const std::int64_t seam : {std::int64_t{0}, centre_ends, far_tail})
    for (std::int64_t step = -200; step < 200; ++step) {
      const std::int64_t stride = seam == far_tail ? 1000 : std::int64_t{1} << 40;
      const double before = normal_quantile(seam + step * stride);
      REQUIRE(normal_quantile(seam + (step + 1) * stride) >= before);
    }
}

TEST_CASE("the exponential quantile reaches from zero to forty-five") {
  CHECK(exponential_quantile(~std::uint64_t{0}) == 0);
  CHECK(ulps(exponential_quantile(0), 65 * std::log(2.0)) <= 1);  // probability 2^-65
  CHECK(ulps(exponential_quantile(std::uint64_t{1} << 63), std::log(2.0)) <= 1);
}

TEST_CASE("a sample is rounded to the nearest nanosecond and held at 2^62") {
  CHECK(to_nanoseconds(0) == 0);
  CHECK(to_nanoseconds(2.4) == 2);
  CHECK(to_nanoseconds(2.6) == 3);
  CHECK(to_nanoseconds(0x1p61) == std::int64_t{1} << 61);
  CHECK(to_nanoseconds(0x1p62) == std::int64_t{1} << 62);
  CHECK(to_nanoseconds(1e300) == std::int64_t{1} << 62);
}
