// Which inputs an answer hangs on, for responses whose effects are known.
#include "sim/plan/sensitivity.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "vmbsim/result.hpp"

using namespace vmbsim;
using namespace vmbsim::plan;

namespace {

std::vector<double> answers(const std::vector<Levels>& points, double (*response)(const Levels&)) {
  std::vector<double> out;
  for (const Levels& point : points) out.push_back(response(point));
  return out;
}

}  // namespace

TEST_CASE("of a sum each input has the effect of its factor, everywhere the same") {
  const auto found = effects(4, 10, Seed{1}, [](const std::vector<Levels>& points) {
    return answers(points, [](const Levels& x) { return 2 * x[0] - 7 * x[1] + 0.5 * x[3]; });
  });
  REQUIRE(found.size() == 4);
  CHECK(found[0].input == 1);
  CHECK(found[0].mean == Approx(7));
  CHECK(found[0].scatter == Approx(0).margin(1e-9));
  CHECK(found[0].down == Approx(3.5));
  CHECK(found[0].up == Approx(-3.5));
  CHECK(found[1].input == 0);
  CHECK(found[2].input == 3);
  CHECK(found[3].input == 2);
  CHECK(found[3].mean == Approx(0).margin(1e-9));
}

TEST_CASE("what inputs do together shows in the walks, and not one at a time") {
  const auto found = effects(2, 40, Seed{1}, [](const std::vector<Levels>& points) {
    return answers(points, [](const Levels& x) { return (x[0] - 0.5) * (x[1] - 0.5); });
  });
  for (const Effect& effect : found) {
    CHECK(effect.up == 0);
    CHECK(effect.mean > 0.2);
    CHECK(effect.scatter > 0.2);
  }
}

TEST_CASE("a point is asked for as often as was said") {
  std::size_t asked = 0;
  effects(5, 3, Seed{1}, [&](const std::vector<Levels>& points) {
    asked = points.size();
    for (const Levels& point : points)
      for (const double level : point) {
        CHECK(level >= 0);
        CHECK(level <= 1);
      }
    return std::vector<double>(points.size());
  });
  CHECK(asked == 2 * 5 + 1 + (5 + 1) * 3);
}

TEST_CASE("a combination that cannot be run says nothing, and the other steps of its inputs are counted") {
  std::size_t without = 0;
  const auto found = effects(3, 20, Seed{1}, [&](const std::vector<Levels>& points) {
    std::vector<double> out;
    for (const Levels& x : points) {
      const bool runs = x[0] + x[1] < 1.9 && x[2] < 0.9;
      without += runs ? 0 : 1;
      out.push_back(runs ? 2 * x[0] - 7 * x[1] : nothing_measured);
    }
    return out;
  });
  REQUIRE(without > 5);
  CHECK(found[0].input == 1);
  CHECK(found[0].mean == Approx(7));
  CHECK(found[0].scatter == Approx(0).margin(1e-9));
  CHECK(found[1].mean == Approx(2));
  const auto none = effects(1, 4, Seed{1}, [](const std::vector<Levels>& points) {
    return std::vector<double>(points.size(), nothing_measured);
  });
  CHECK(std::isnan(none[0].mean));
  CHECK(std::isnan(none[0].scatter));
}
