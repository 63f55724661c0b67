// What a histogram leaves open, against samples one by one.
#include "sim/stats/resolution.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/kernel/random.hpp"

using namespace vmbsim;
using namespace vmbsim::stats;

// Source: the buckets of histogram.hpp: 128 to an octave, a nanosecond each below 256.
TEST_CASE("a value lies in its bucket, and so does every other that the histogram cannot tell from it") {
  for (const std::int64_t ns :
       {0L, 1L, 255L, 256L, 257L, 511L, 512L, 100'000L, 1'000'000'007L, 5'000'000'000'000'000'000L}) {
    CAPTURE(ns);
    const Interval found = bucket_of(Duration{ns});
    CHECK(found.low <= static_cast<double>(ns));
    CHECK(found.high > static_cast<double>(ns));
    CHECK(found.high - found.low <= std::max(1.0, static_cast<double>(ns) / 128));
    Histogram one;
    one.add(Duration{ns});
    CHECK(found.high == static_cast<double>(one.buckets().front().upper.count()) + 1);
  }
  CHECK(bucket_of(257ns).low == 256);
  CHECK(bucket_of(257ns).high == 258);
}

TEST_CASE("percentiles and shares of samples lie where a histogram says that they do, and its guesses too") {
  kernel::Stream chance(Seed{7}, "samples", "times");
  for (int set = 0; set < 200; ++set) {
    Histogram all;
    std::vector<double> samples;
    const std::uint64_t distinct = 1 + chance.below(4);
    const std::uint64_t from = 1 + chance.below(1'000'000);
    const std::size_t count = 1 + chance.below(500);
    for (std::size_t i = 0; i < count; ++i) {
      const auto ns = static_cast<std::int64_t>(set % 2 == 0 ? from + chance.below(distinct) : chance.below(from) + 1);
      all.add(Duration{ns});
      samples.push_back(static_cast<double>(ns));
    }
    std::sort(samples.begin(), samples.end());
    for (const double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
      CAPTURE(set, count, share);
      const Interval within = quantile_within(all, share);
      CHECK(within.holds(samples[static_cast<std::size_t>(std::ceil(share * static_cast<double>(count))) - 1]));
      CHECK(within.holds(all.quantile_ns(share)));
    }
    for (int i = 0; i < 5; ++i) {
      const double ns = samples[chance.below(count)] + static_cast<double>(chance.below(3)) - 1;
      const auto up_to = std::upper_bound(samples.begin(), samples.end(), ns) - samples.begin();
      CAPTURE(set, ns);
      CHECK(share_within(all, ns).holds(static_cast<double>(up_to) / static_cast<double>(count)));
    }
  }
  CHECK_FALSE(quantile_within({}, 0.5).known());
  CHECK_FALSE(share_within({}, 5).known());
}
