#include "sim/sweep/sweep.hpp"

#include <catch2/catch.hpp>

using namespace vmbsim;
using namespace vmbsim::sweep;
using Catch::Matchers::Contains;

namespace {

Axis axis(std::vector<std::string> keys, std::vector<std::string> values) {
  return {std::move(keys), std::move(values), {"s.toml", 3, 1}, {}};
}

Condition where(const char* text) { return {std::get<Constraint>(parse_constraint(text)), {"s.toml", 9, 9}}; }

Sweep two_axes() {
  Sweep sweep;
  sweep.axes = {axis({"depth"}, {"1", "8"}), axis({"ring", "other"}, {"\"4KiB\"", "\"64KiB\"", "\"2 pages\""})};
  return sweep;
}

/// All points on a line, as a reader would write them; or the problem.
std::string told(const Sweep& sweep, const std::vector<std::string>& only = {}) {
  Points points(sweep);
  if (const auto wrong = points.prepare(only)) return wrong->line();
  std::string text;
  for (std::uint64_t i = 0; i < points.size(); ++i) {
    const Point point = points.at(i);
    text += (i == 0 ? "" : " | ") + point.variant;
    for (const std::string& setting : point.overrides()) text += " " + setting;
  }
  return text;
}

}  // namespace

TEST_CASE("a product has every value with every other, the last axis fastest") {
  Sweep sweep;
  sweep.axes = {axis({"a"}, {"1", "2"}), axis({"b", "c"}, {"3", "4"})};
  CHECK(told(sweep) == " a=1 b=3 c=3 |  a=1 b=4 c=4 |  a=2 b=3 c=3 |  a=2 b=4 c=4");
}

TEST_CASE("axes that go side by side have as many points as values") {
  Sweep sweep;
  sweep.combine = Sweep::Combine::zip;
  sweep.axes = {axis({"a"}, {"1", "2"}), axis({"b"}, {"3", "4"})};
  CHECK(told(sweep) == " a=1 b=3 |  a=2 b=4");
  sweep.variants = {{"x", {{"c", "5"}}, {}}, {"y", {{"c", "6"}}, {}}};
  CHECK(told(sweep) == "x c=5 a=1 b=3 | x c=5 a=2 b=4 | y c=6 a=1 b=3 | y c=6 a=2 b=4");
  sweep.axes[1].values.pop_back();
  CHECK(told(sweep) == "s.toml:3:1: [sweep]: axes that go side by side need as many values each: a has 2, b 1");
}

TEST_CASE("a sweep that only repeats has one point") {
  Sweep sweep;
  sweep.repeat = 5;
  CHECK(told(sweep).empty());
  Points points(sweep);
  REQUIRE_FALSE(points.prepare().has_value());
  CHECK(points.size() == 1);
}

TEST_CASE("constraints leave the points that fulfil all of them") {
  Sweep sweep = two_axes();
  sweep.where = {where("depth * '4KiB' <= ring")};
  CHECK(told(sweep) ==
        " depth=1 ring=\"4KiB\" other=\"4KiB\" |  depth=1 ring=\"64KiB\" other=\"64KiB\" |  depth=1 "
        "ring=\"2 pages\" other=\"2 pages\" |  depth=8 ring=\"64KiB\" other=\"64KiB\"");
  sweep.where = {where("depth > 8")};
  CHECK(told(sweep) == "s.toml:9:9: [sweep]: no point fulfils every constraint");
  sweep.where = {where("dept > 8")};
  CHECK_THAT(told(sweep), Contains("\"dept\" has no value at every point") && Contains("did you mean \"depth\"?"));
  sweep.where = {where("depth < ring")};
  CHECK(told(sweep) == "s.toml:9:9: [sweep]: a number is not compared with a size");
}

TEST_CASE("the command line may choose among the values; those of one key are alternatives") {
  CHECK(told(two_axes(), {"depth=8", "ring=2 pages", "ring=64KiB"}) ==
        " depth=8 ring=\"64KiB\" other=\"64KiB\" |  depth=8 ring=\"2 pages\" other=\"2 pages\"");
  Sweep variants;
  variants.variants = {{"x", {{"c", "5"}}, {}}, {"y", {{"c", "6"}}, {}}};
  CHECK(told(variants, {"variant=y"}) == "y c=6");
  CHECK(told(two_axes(), {"depth=7"}) == "--only: \"depth\" never is 7; it is: 1, 8");
  Sweep again = two_axes();
  again.combine = Sweep::Combine::zip;
  again.axes[0].values = {"1", "1", "2"};
  CHECK(told(again, {"depth=7"}) == "--only: \"depth\" never is 7; it is: 1, 2");
  CHECK_THAT(told(two_axes(), {"dept=8"}), Contains("--only: \"dept\" is not swept (did you mean \"depth\"?)"));
  CHECK_THAT(told(two_axes(), {"depth"}), Contains("is no choice; write it as in"));
  Sweep constrained = two_axes();
  constrained.where = {where("depth < 8")};
  Points some(constrained);
  CHECK_FALSE(some.prepare({"ring=64KiB"}));
  CHECK(some.size() == 1);
  CHECK(some.whole() == 3);  // of the six points those that the constraint leaves
  CHECK(told(constrained, {"depth=8"}) ==
        "--only: leaves no point of the sweep: depth=8 is at none that the constraints leave");
  CHECK_THAT(told(two_axes(), {"8"}), Contains("\"8\" is no choice; write it as in depth=8; swept are: depth, ring"));
  CHECK(told(Sweep{}, {"x"}) == "--only: \"x\" chooses nothing: the scenario has no sweep");
  CHECK(told(Sweep{}, {"x=1"}) == "--only: \"x\" is not swept; the scenario sweeps nothing");
}

TEST_CASE("a sweep that contradicts itself is refused where it does") {
  Sweep sweep = two_axes();
  sweep.axes[1].keys = {"depth"};
  CHECK_THAT(told(sweep), Contains("\"depth\" has two axes"));
  sweep = two_axes();
  sweep.axes[0].values.clear();
  CHECK_THAT(told(sweep), Contains("an axis without values leaves no point"));
  sweep = two_axes();
  sweep.axes[0].values = {"1", "1"};
  CHECK(told(sweep) == "s.toml:3:1: [sweep]: the value 1 stands twice");
  sweep = two_axes();
  sweep.variants = {{"x", {{"depth", "5"}}, {"s.toml", 5, 1}}};
  CHECK(told(sweep) == "s.toml:5:1: [sweep]: \"depth\" is set by a variant and has an axis");
  sweep.variants = {{"x", {{"c", "5"}}, {}}, {"x", {{"c", "6"}}, {}}};
  CHECK_THAT(told(sweep), Contains("two variants are named \"x\""));
  sweep = two_axes();
  sweep.axes[0].keys = {"seed"};
  sweep.repeat = 2;
  CHECK_THAT(told(sweep), Contains("seeds are swept or repeated, not both"));
}

TEST_CASE("a value that stands twice in two spellings is refused where it stands the second time") {
  Sweep sweep = two_axes();
  sweep.axes[1].values = {"\"64KiB\"", "\"4KiB\"", "\"16 pages\""};
  sweep.axes[1].places = {{"s.toml", 7, 1}, {"s.toml", 7, 9}, {"s.toml", 7, 17}};
  CHECK(told(sweep) == "s.toml:7:17: [sweep]: the value \"16 pages\" stands twice, once as \"64KiB\"");
  sweep.axes[1].values = {"9007199254740993", "9007199254740992"};  // one and the same as floating point
  CHECK(told(sweep).find("stands twice") == std::string::npos);
}

TEST_CASE("side by side a value may stand as often as it likes, but not beside the same ones") {
  Sweep sweep;
  sweep.combine = Sweep::Combine::zip;
  sweep.axes = {axis({"a"}, {"1", "1", "2"}), axis({"b"}, {"3", "4", "3"})};
  CHECK(told(sweep) == " a=1 b=3 |  a=1 b=4 |  a=2 b=3");
  sweep.axes[1].values = {"3", "3", "3"};
  CHECK(told(sweep) == "s.toml:3:1: [sweep]: the value 1 stands twice, with the same values beside it");
}

TEST_CASE("more runs than the limit are refused before they are counted out, and the limit can be raised") {
  Sweep sweep;
  std::vector<std::string> values;
  for (int i = 0; i < 1000; ++i) values.push_back(std::to_string(i));
  sweep.axes = {axis({"a"}, values), axis({"b"}, values)};
  CHECK(told(sweep) == "s.toml:3:1: [sweep]: 1000000 runs are more than 100000; sweep.most_runs raises the limit");
  sweep.axes.push_back(axis({"c"}, values));
  sweep.axes.push_back(axis({"d"}, values));
  CHECK_THAT(told(sweep), Contains("1000000000000 runs are more than 100000"));
  sweep.where = {where("a < 10")};
  CHECK_THAT(told(sweep), Contains("combinations are more than can be looked through"));
  sweep.axes.resize(2);
  CHECK_FALSE(told(sweep).rfind("s.toml", 0) == 0);  // 10,000 points
  sweep.repeat = 11;
  CHECK_THAT(told(sweep), Contains("more than 100000 runs: 9091 of the first 9091 combinations are left, of 1000000 in "
                                   "all, with 11 runs each; sweep.most_runs raises the limit"));
  sweep.most_runs = 110'000;
  CHECK_FALSE(told(sweep).rfind("s.toml", 0) == 0);
}

TEST_CASE("repetition r has the same seed at all points, or one of each point's own") {
  Sweep sweep = two_axes();
  Points points(sweep);
  REQUIRE_FALSE(points.prepare().has_value());
  CHECK(seed_of(sweep, Seed{40}, points.at(0), 2).value == 42);
  CHECK(seed_of(sweep, Seed{40}, points.at(3), 2).value == 42);
  sweep.common_random_numbers = false;
  const Seed first = seed_of(sweep, Seed{40}, points.at(0), 2);
  CHECK(first != seed_of(sweep, Seed{40}, points.at(3), 2));
  CHECK(first != seed_of(sweep, Seed{40}, points.at(0), 3));
  CHECK(first != seed_of(sweep, Seed{41}, points.at(0), 2));
  CHECK(first == seed_of(sweep, Seed{40}, points.at(0), 2));
  CHECK(first.value < std::uint64_t{1} << 63);
}

TEST_CASE("a few points take every value of every axis between them") {
  Sweep sweep = two_axes();
  Points points(sweep);
  REQUIRE_FALSE(points.prepare().has_value());
  CHECK(points.samples(100) == std::vector<std::uint64_t>{0, 1, 2, 3});
  CHECK(points.samples(2) == std::vector<std::uint64_t>{0, 1});
}
