// Intervals from independent values, against tables and closed forms.
#include "sim/stats/interval.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "sim/kernel/random.hpp"

using namespace vmbsim;
using namespace vmbsim::stats;

TEST_CASE("Student's t has the quantiles of the tables") {
  // Source: NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2.
  CHECK(t_quantile(0.975, 1) == Approx(12.706).margin(5e-4));
  CHECK(t_quantile(0.975, 10) == Approx(2.228).margin(5e-4));
  CHECK(t_quantile(0.95, 29) == Approx(1.699).margin(5e-4));
  CHECK(t_quantile(0.025, 10) == -t_quantile(0.975, 10));
}

TEST_CASE("the mean of five runs lies within t times its standard error") {
  const std::vector<double> values{10, 12, 14, 16, 18};  // variance 10, t(0.975, 4) = 2.776
  const Estimate found = mean_of(values, 0.95);
  CHECK(found.mean == 14);
  CHECK(found.half_width == Approx(2.776 * std::sqrt(2.0)).epsilon(1e-3));
  CHECK(found.interval().holds(14));
  CHECK_FALSE(found.interval().holds(18.1));
}

TEST_CASE("one value has no interval") {
  const std::vector<double> one{7};
  CHECK(mean_of(one, 0.95).mean == 7);
  CHECK_FALSE(mean_of(one, 0.95).interval().known());
  CHECK_FALSE(mean_of({}, 0.95).interval().known());
}

TEST_CASE("the median of ten samples lies between the second and the ninth") {
  // Source: David and Nagaraja, "Order Statistics", section 7.1: the second and the ninth 1 - 2 (1 + 10) / 2^10 = 97.9 %; the
  // third and the eighth 89.1 %.
  const Interval ranks = quantile_ranks(10, 0.5, 1 - 22.0 / 1024);
  CHECK(ranks.low == Approx(2).margin(1e-6));
  CHECK(ranks.high == Approx(9).margin(1e-6));
  const Interval between = quantile_ranks(10, 0.5, 0.95);
  CHECK(between.low > 2);
  CHECK(between.low < 3);
  CHECK(between.high == Approx(11 - between.low));
}

TEST_CASE("five samples say too little of their median, and three hundred of their p99") {
  CHECK_FALSE(quantile_ranks(5, 0.5, 0.95).known());  // 1 - 2 / 2^5 = 93.8 % at most
  CHECK(quantile_ranks(5, 0.5, 0.93).known());
  // None of n samples lies above the p99 with probability 0.99^n: below 2.5 % from 368 on.
  CHECK_FALSE(quantile_ranks(367, 0.99, 0.95).known());
  CHECK(quantile_ranks(368, 0.99, 0.95).known());
  CHECK_FALSE(quantile_ranks(0, 0.5, 0.95).known());
}

TEST_CASE("a share of which nothing was found may still be there") {
  // Source: Clopper and Pearson: the upper end for 0 of n is 1 - (alpha / 2)^(1 / n).
  const Interval none = share_interval(0, 10, 0.95);
  CHECK(none.low == 0);
  CHECK(none.high == Approx(1 - std::pow(0.025, 0.1)));
  const Interval all = share_interval(10, 10, 0.95);
  CHECK(all.low == Approx(std::pow(0.025, 0.1)));
  CHECK(all.high == 1);
  CHECK(share_interval(5, 10, 0.95).low == Approx(1 - share_interval(5, 10, 0.95).high));
}
