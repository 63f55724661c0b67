#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "vmbsim/histogram.hpp"

using namespace vmbsim;
using kernel::Distribution;
using kernel::Stream;

namespace {

std::vector<Duration> drawn(const Distribution& distribution, std::size_t n, const char* purpose = "latencies") {
  Stream stream(Seed{9}, "test", purpose);
  std::vector<Duration> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(distribution.sample(stream));
  return values;
}

Histogram histogram_of(const std::vector<Duration>& values) {
  Histogram histogram;
  for (const Duration value : values) histogram.add(value);
  return histogram;
}

constexpr Duration longest{std::numeric_limits<std::int64_t>::max()};

}  // namespace

TEST_CASE("an empty histogram says zero to every question") {
  const Histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.mean_ns() == 0);
  CHECK(empty.min() == 0ns);
  CHECK(empty.max() == 0ns);
  CHECK(empty.quantile(99, 100) == 0ns);
  CHECK(empty.buckets().empty());
}

// Source: the definition in histogram.hpp, against the sorted samples.
TEST_CASE("a quantile lies at most 1/128 above the sample of that rank, and never below it") {
  struct Row {
    const char* what;
    Distribution distribution;
  };
  struct Quantile {
    std::uint64_t numerator, denominator;
  };
  for (const Row& row :
       {Row{"nanoseconds", Distribution::uniform(0ns, 300ns)}, Row{"exponential", Distribution::exponential(20us)},
        Row{"lognormal", Distribution::lognormal(80us, 4ms)}, Row{"years", Distribution::lognormal(1s, 8760h)}}) {
    INFO(row.what);
    for (const std::size_t n :
         {std::size_t{1}, std::size_t{2}, std::size_t{99}, std::size_t{100}, std::size_t{20'000}}) {
      INFO(n << " samples");
      auto values = drawn(row.distribution, n);
      const Histogram histogram = histogram_of(values);
      std::sort(values.begin(), values.end());
      for (const Quantile q :
           {Quantile{0, 1}, Quantile{1, 2}, Quantile{9, 10}, Quantile{99, 100}, Quantile{999, 1000}, Quantile{1, 1}}) {
        INFO(q.numerator << " in " << q.denominator);
        const std::size_t rank = std::max<std::size_t>((n * q.numerator + q.denominator - 1) / q.denominator, 1);
        const Duration exact = values[rank - 1];
        const Duration reported = histogram.quantile(q.numerator, q.denominator);
        CHECK(reported >= exact);
        CHECK(reported - exact <= exact / 128);
        CHECK(reported <= histogram.max());
      }
    }
  }
}

TEST_CASE("count, mean, min and max are exact") {
  const auto values = drawn(Distribution::lognormal(80us, 4ms), 20'000);
  Wide sum = 0;
  for (const Duration value : values) sum += static_cast<std::uint64_t>(value.count());
  const Histogram histogram = histogram_of(values);
  CHECK(histogram.count() == values.size());
  CHECK(histogram.sum_ns() == sum);
  CHECK(histogram.mean_ns() == Approx(static_cast<double>(sum) / 20'000.0).epsilon(1e-15));
  CHECK(histogram.min() == *std::min_element(values.begin(), values.end()));
  CHECK(histogram.max() == *std::max_element(values.begin(), values.end()));
}

TEST_CASE("the shortest and the longest duration have buckets, and their sum does not overflow") {
  Histogram histogram;
  for (int i = 0; i < 4; ++i) histogram.add(longest);
  CHECK(histogram.min() == longest);
  CHECK(histogram.quantile(1, 2) == longest);
  CHECK(histogram.mean_ns() == static_cast<double>(longest.count()));
  histogram.add(0ns);
  CHECK(histogram.min() == 0ns);
  CHECK(histogram.quantile(1, 5) == 0ns);
  CHECK(histogram.sum_ns() == Wide{4} * static_cast<std::uint64_t>(longest.count()));
}

TEST_CASE("durations below 256 ns are told apart, longer ones to 1/128") {
  for (std::int64_t ns = 0; ns < 256; ++ns) {
    const Histogram histogram = histogram_of({Duration{ns}, Duration{ns + 1}});
    REQUIRE(histogram.quantile(1, 2) == Duration{ns});
  }
  CHECK(histogram_of({256ns, 257ns}).buckets() == std::vector<Histogram::Bucket>{{257ns, 2}});
  CHECK(histogram_of({257ns, 258ns}).buckets() == std::vector<Histogram::Bucket>{{257ns, 1}, {259ns, 1}});
}

TEST_CASE("merging gives what one histogram of all samples would be, in any order") {
  const auto short_ones = drawn(Distribution::uniform(10ns, 900ns), 3000, "short");
  const auto long_ones = drawn(Distribution::lognormal(1ms, 1s), 5000, "long");
  auto all = short_ones;
  all.insert(all.end(), long_ones.begin(), long_ones.end());
  const Histogram serial = histogram_of(all);
  std::reverse(all.begin(), all.end());
  CHECK(histogram_of(all) == serial);

  Histogram short_first = histogram_of(short_ones);
  short_first.merge(histogram_of(long_ones));
  Histogram long_first = histogram_of(long_ones);
  long_first.merge(histogram_of(short_ones));
  CHECK(short_first == serial);
  CHECK(long_first == serial);

  Histogram with_empty = serial;
  with_empty.merge(Histogram{});
  CHECK(with_empty == serial);
  Histogram into_empty;
  into_empty.merge(serial);
  CHECK(into_empty == serial);
}

TEST_CASE("one more sample makes another histogram, and a cleared one is new") {
  Histogram histogram = histogram_of({1us, 2us});
  Histogram other = histogram;
  other.add(1us);
  CHECK_FALSE(histogram == other);
  histogram.clear();
  CHECK(histogram == Histogram{});
}

TEST_CASE("a histogram is restored from its buckets, sum and extremes") {
  for (const Histogram& histogram :
       {Histogram{}, histogram_of({0ns}), histogram_of({longest, 0ns, 777us}), histogram_of({5us, 5us}),
        histogram_of(drawn(Distribution::lognormal(80us, 4ms), 20'000))}) {
    const auto buckets = histogram.buckets();
    const auto restored = Histogram::restore(buckets, histogram.sum_ns(), histogram.min(), histogram.max());
    REQUIRE(restored.has_value());
    CHECK(*restored == histogram);
  }
}

TEST_CASE("buckets that no samples could have filled are not restored") {
  using Buckets = std::vector<Histogram::Bucket>;
  struct Row {
    const char* what;
    Buckets buckets;
    Wide sum;
    Duration min, max;
  };
  // 999 ns and 1003 ns are bounds: between 512 and 1024 ns a bucket spans 4 ns.
  const Row fine{"as it should be", {{999ns, 2}, {1003ns, 1}}, 997 + 999 + 1001, 997ns, 1001ns};
  CHECK(Histogram::restore(fine.buckets, fine.sum, fine.min, fine.max).has_value());
  CHECK(Histogram::restore(fine.buckets, 997 + 997 + 1001, fine.min, fine.max).has_value());
  for (const Row& row :
       {Row{"not a bound", {{998ns, 2}, {1003ns, 1}}, 2997, 997ns, 1001ns},
        Row{"a count of zero", {{999ns, 3}, {1003ns, 0}}, 2997, 997ns, 1001ns},
        Row{"twice the same bucket", {{999ns, 1}, {999ns, 2}}, 2997, 997ns, 999ns},
        Row{"descending", {{1003ns, 1}, {999ns, 2}}, 2997, 997ns, 1001ns},
        Row{"a negative bound", {{-1ns, 1}, {999ns, 2}}, 2997, 997ns, 999ns},
        Row{"counts that overflow", {{999ns, UINT64_MAX}, {1003ns, 1}}, Wide{UINT64_MAX} * 998, 997ns, 1001ns},
        Row{"a minimum in another bucket", fine.buckets, 2997, 995ns, 1001ns},
        Row{"a maximum in another bucket", fine.buckets, 2997, 997ns, 1004ns},
        Row{"a negative minimum", fine.buckets, 2997, -1ns, 1001ns},
        Row{"a sum too small", fine.buckets, 997 + 997 + 1001 - 1, 997ns, 1001ns},
        Row{"a sum too large", fine.buckets, 997 + 999 + 1001 + 1, 997ns, 1001ns},
        Row{"one sample with two values", {{999ns, 1}}, 998, 997ns, 999ns}, Row{"a sum of nothing", {}, 1, 0ns, 0ns}}) {
    INFO(row.what);
    CHECK_FALSE(Histogram::restore(row.buckets, row.sum, row.min, row.max).has_value());
  }
}
