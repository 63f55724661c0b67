// Two campaigns side by side: a planted regression is found, chance is not.
#include "sim/plan/compare.hpp"

#include <tinyxml2.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/kernel/random.hpp"

using namespace vmbsim;
using namespace vmbsim::plan;

namespace {

/// Ten points of eight runs: latencies that vary by seed, and a tenth of that by whatever else changed.
Side campaign(std::uint64_t version, double slower_at_4 = 1, std::uint64_t first_seed = 1) {
  Side side;
  side.units = {{"channel.disk.latency.p99", report::Unit::nanoseconds},
                {"channel.disk.throughput", report::Unit::per_second},
                {"run.findings", report::Unit::count}};
  for (int depth = 0; depth < 10; ++depth)
    for (std::uint64_t seed = first_seed; seed < first_seed + 8; ++seed) {
      kernel::Stream shared(Seed{seed}, "run", std::to_string(depth));
      kernel::Stream own(Seed{seed * 1000 + version}, "version", std::to_string(depth));
      const double noise = static_cast<double>(shared.below(2'000'000)) + static_cast<double>(own.below(200'000));
      const double factor = depth == 4 ? slower_at_4 : 1;
      side.points["depth=" + std::to_string(depth)].push_back(
          {seed,
           {{"channel.disk.latency.p99", (1e7 + noise) * factor},
            {"channel.disk.throughput", (1e4 - noise / 1e3) / factor},
            {"run.findings", 0}}});
    }
  return side;
}

}  // namespace

TEST_CASE("a planted regression is found where it was planted, and nowhere else") {
  const Comparison found = compare(campaign(1), campaign(2, 1.1), {});
  CHECK(found.regressed());
  CHECK(found.changes.size() == 30);
  std::size_t worse = 0;
  for (const Change& change : found.changes) {
    CHECK(change.paired);
    worse += change.worse ? 1 : 0;
    CHECK(change.worse == (change.point == "depth=4" && change.metric != "run.findings"));
  }
  CHECK(worse == 2);
}

TEST_CASE("what got worse within the tolerance is a change, and no regression") {
  const Comparison found = compare(campaign(1), campaign(2, 1.1), {.relative = 0.2});
  CHECK_FALSE(found.regressed());
  CHECK_THAT(comparison_text(found, {.relative = 0.2}), Catch::Contains("changed  depth=4: channel.disk.latency.p99"));
}

TEST_CASE("what got better is no regression") {
  const Comparison found = compare(campaign(1), campaign(2, 0.8), {});
  CHECK_FALSE(found.regressed());
  CHECK_THAT(comparison_text(found, {}), Catch::Contains("30 figures compared: 2 changed, 0 worse by more than 5 %"));
}

TEST_CASE("with the same seeds a smaller change shows than with others") {
  const Comparison paired = compare(campaign(1), campaign(2, 1.02), {.relative = 0.01});
  CHECK(paired.regressed());
  const Comparison apart = compare(campaign(1), campaign(2, 1.02, 100), {.relative = 0.01});
  CHECK_FALSE(apart.changes.front().paired);
  CHECK_FALSE(apart.regressed());
}

TEST_CASE("two campaigns that differ by chance alone seldom show a change") {
  int wrong = 0;
  for (std::uint64_t version = 2; version < 102; ++version)
    if (compare(campaign(1, 1, version * 8), campaign(version, 1, 10'000 + version * 8), {.relative = 0}).regressed())
      ++wrong;
  CHECK(wrong <= 12);  // five expected
}

TEST_CASE("a finding where there was none is a regression") {
  Side after = campaign(1);
  for (Measured& run : after.points["depth=0"]) run.figures["run.findings"] = 1;
  const Comparison found = compare(campaign(1), after, {});
  CHECK(found.regressed());
  CHECK_THAT(comparison_text(found, {}), Catch::Contains("worse    depth=0: run.findings 0 -> 1 (from 0"));
}

TEST_CASE("points that only one campaign has, and those with one run, are told") {
  Side before = campaign(1);
  Side after = campaign(2);
  after.points.erase("depth=3");
  after.points["depth=11"] = after.points["depth=2"];
  after.points["depth=5"].resize(1);
  const std::string text = comparison_text(compare(before, after, {}), {});
  CHECK_THAT(text, Catch::Contains("only in the first: depth=3\n"));
  CHECK_THAT(text, Catch::Contains("only in the second: depth=11\n"));
  CHECK_THAT(text, Catch::Contains("1 point with one run on a side"));
}

TEST_CASE("more is worse of times and findings, less of throughput") {
  CHECK(sense_of("channel.disk.latency.p99") == Sense::more_is_worse);
  CHECK(sense_of("workload.load.response.mean") == Sense::more_is_worse);
  CHECK(sense_of("channel.disk.ring.to_host.full_events") == Sense::more_is_worse);
  CHECK(sense_of("run.findings") == Sense::more_is_worse);
  CHECK(sense_of("channel.web[*].disk.throughput") == Sense::less_is_worse);
  CHECK(sense_of("processor.host.cpu0.dpc") == Sense::neither);
  CHECK(compared_by_default("channel.web[*].disk.latency.p99"));
  CHECK_FALSE(compared_by_default("channel.web[3].disk.latency.p99"));
  CHECK_FALSE(compared_by_default("channel.disk.signals.sent"));
}

TEST_CASE("JUnit has a test case for every figure, and a failure for what got worse") {
  const std::string text = comparison_junit(compare(campaign(1), campaign(2, 1.1), {}), {});
  tinyxml2::XMLDocument page;
  REQUIRE(page.Parse(text.c_str()) == tinyxml2::XML_SUCCESS);
  const auto* suite = page.FirstChildElement("testsuites")->FirstChildElement("testsuite");
  CHECK(suite->IntAttribute("tests") == 30);
  CHECK(suite->IntAttribute("failures") == 2);
  int cases = 0;
  int failures = 0;
  for (const auto* one = suite->FirstChildElement("testcase"); one; one = one->NextSiblingElement("testcase")) {
    ++cases;
    if (one->FirstChildElement("failure") != nullptr) {
      ++failures;
      CHECK(std::string(one->Attribute("classname")) == "depth=4");
    }
  }
  CHECK(cases == 30);
  CHECK(failures == 2);
}

TEST_CASE("the JSON has every figure with its interval") {
  const auto json = nlohmann::json::parse(comparison_json(compare(campaign(1), campaign(2, 1.1), {}), {}));
  CHECK(json["regressed"] == true);
  CHECK(json["changes"].size() == 30);
  CHECK(json["changes"][0]["difference"].size() == 2);
  CHECK(json["changes"][0]["unit"] == "ns");
}
