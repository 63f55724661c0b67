// Whether two groups of runs differ.
#include "sim/stats/comparison.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/kernel/random.hpp"

using namespace vmbsim;
using namespace vmbsim::stats;

namespace {

Sample of(const std::vector<double>& values) { return sample_of(values); }

}  // namespace

TEST_CASE("what two runs with one seed share cancels in their difference") {
  const Sample before = of({100, 250, 70, 180, 120});
  const Sample after = of({101, 252, 71, 182, 121});
  const Difference pairs = paired_difference(before, after, 0.95);
  CHECK(pairs.estimate.mean == Approx(1.4));
  CHECK(pairs.estimate.interval().low > 0.7);
  CHECK(pairs.probability < 0.01);
  const Difference apart = difference(before, after, 0.95);
  CHECK(apart.estimate.mean == Approx(1.4));
  CHECK(apart.probability > 0.9);
  CHECK(apart.estimate.interval().holds(0));
}

TEST_CASE("two groups that vary differently are compared after Welch") {
  // Source: computed by hand from Welch's formulas: variances 2.5 and 40, five values each.
  const Sample first = of({1, 2, 3, 4, 5});
  const Sample second = of({2, 6, 10, 14, 18});
  const Difference found = difference(first, second, 0.95);
  CHECK(found.estimate.mean == 7);
  const double freedom = 8.5 * 8.5 / (0.25 / 4 + 64.0 / 4);  // 4.498
  CHECK(found.estimate.half_width == Approx(t_quantile(0.975, freedom) * std::sqrt(8.5)));
  CHECK(found.probability > 0.05);
  CHECK(found.probability < 0.08);
}

TEST_CASE("values that never vary differ for certain, or not at all") {
  const Sample two = of({2, 2, 2});
  const Sample three = of({3, 3, 3});
  CHECK(paired_difference(two, three, 0.95).probability == 0);
  CHECK(paired_difference(two, two, 0.95).probability == 1);
  CHECK(difference(two, three, 0.95).probability == 0);
  CHECK(difference(two, two, 0.95).probability == 1);
}

TEST_CASE("one run on each side shows no difference") {
  const Sample one = of({1});
  const Sample other = of({2});
  CHECK(paired_difference(one, other, 0.95).probability == 1);
  CHECK(difference(one, other, 0.95).probability == 1);
  CHECK_FALSE(difference(one, other, 0.95).estimate.interval().known());
}

TEST_CASE("of many questions the least probable answer counts most") {
  // Source: Holm, 1979: the smallest times four, the next times three and so on, never below the one before.
  const std::vector<double> probabilities{0.01, 0.04, 0.03, 0.005};
  const std::vector<double> corrected = holm(probabilities);
  CHECK(corrected[3] == Approx(0.02));
  CHECK(corrected[0] == Approx(0.03));
  CHECK(corrected[2] == Approx(0.06));
  CHECK(corrected[1] == Approx(0.06));
  CHECK(holm(std::vector<double>{0.7, 0.9}) == std::vector<double>{1, 1});
  CHECK(holm({}).empty());
}

TEST_CASE("where nothing differs, one in twenty families of twenty questions says otherwise") {
  kernel::Stream chance(Seed{3}, "groups", "values");
  int wrong = 0;
  for (int family = 0; family < 500; ++family) {
    std::vector<double> probabilities;
    for (int question = 0; question < 20; ++question) {
      std::vector<double> a, b;
      for (int run = 0; run < 8; ++run) {
        a.push_back(static_cast<double>(chance.below(1000) + chance.below(1000) + chance.below(1000)));
        b.push_back(static_cast<double>(chance.below(1000) + chance.below(1000) + chance.below(1000)));
      }
      probabilities.push_back(difference(of(a), of(b), 0.95).probability);
    }
    const std::vector<double> corrected = holm(probabilities);
    if (*std::min_element(corrected.begin(), corrected.end()) < 0.05) ++wrong;
  }
  CHECK(wrong > 5);  // 25 expected
  CHECK(wrong < 45);
}
