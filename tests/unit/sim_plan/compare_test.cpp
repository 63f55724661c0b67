// Two campaigns side by side: a planted regression is found, chance is not.
#include "sim/plan/compare.hpp"

#include <tinyxml2.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
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
  for (int depth = 0; depth < 10; ++depth) {
    Measured& point = side.points["depth=" + std::to_string(depth)];
    std::vector<double> latencies, throughputs;
    for (std::uint64_t seed = first_seed; seed < first_seed + 8; ++seed) {
      kernel::Stream shared(Seed{seed}, "run", std::to_string(depth));
      kernel::Stream own(Seed{seed * 1000 + version}, "version", std::to_string(depth));
      const double noise = static_cast<double>(shared.below(2'000'000)) + static_cast<double>(own.below(200'000));
      const double factor = depth == 4 ? slower_at_4 : 1;
      point.seeds.push_back(seed);
      latencies.push_back((1e7 + noise) * factor);
      throughputs.push_back((1e4 - noise / 1e3) / factor);
    }
    point.figures["channel.disk.latency.p99"] = stats::sample_of(latencies);
    point.figures["channel.disk.throughput"] = stats::sample_of(throughputs);
    point.figures["run.findings"] = stats::sample_of(std::vector<double>(8, 0));
  }
  return side;
}

/// What of a point is left with one run.
void keep_one_run(Measured& point) {
  point.seeds.resize(1);
  for (auto& [metric, sample] : point.figures) sample.values.resize(1);
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
  after.points["depth=0"].figures["run.findings"] = stats::sample_of(std::vector<double>(8, 1));
  const Comparison found = compare(campaign(1), after, {});
  CHECK(found.regressed());
  CHECK_THAT(comparison_text(found, {}), Catch::Contains("worse    depth=0: run.findings 0 -> 1 (from 0"));
}

TEST_CASE("a text has a line for a metric, with the number of points and the worst of them; on request one for each") {
  Side after = campaign(2, 1.1);
  for (const char* point : {"depth=6", "depth=9"})
    for (double& value : after.points[point].figures["channel.disk.latency.p99"].values) value *= 1.3;
  for (const char* point : {"depth=6", "depth=9"})
    after.points[point].figures["channel.disk.latency.p99"].figure *= point == std::string("depth=6") ? 1.2 : 1.3;
  const Comparison found = compare(campaign(1), after, {});
  const std::string text = comparison_text(found, {});
  INFO(text);
  CHECK_THAT(text, Catch::StartsWith("worse    3 of 10 points, most at depth=9: channel.disk.latency.p99 "));
  CHECK_THAT(text, Catch::Contains("\nworse    depth=4: channel.disk.throughput "));
  const std::string all = comparison_text(found, {}, Detail::all);
  for (const char* line : {"worse    depth=9: channel.disk.latency.p99 ", "worse    depth=6: channel.disk.latency.p99 ",
                           "worse    depth=4: channel.disk.latency.p99 "})
    CHECK_THAT(all, Catch::Contains(line));
}

TEST_CASE("what could not have been seen is said: a change that large is seen, one of half of it is not") {
  const Comparison found = compare(campaign(1), campaign(2), {.relative = 0.001});
  const std::string text = comparison_text(found, {.relative = 0.001});
  INFO(text);
  CHECK_THAT(text, Catch::Contains("changes below ") && Catch::Contains(" could not have been seen in half of them") &&
                       Catch::Contains("; 20 may be worse by 0.1 % unseen: more runs of a point (repeat) show"));
  const auto of_point_4 = [](const Comparison& comparison) {
    for (const Change& change : comparison.changes)
      if (change.point == "depth=4" && change.metric == "channel.disk.latency.p99") return change;
    return Change{};
  };
  const Change quiet = of_point_4(found);
  REQUIRE(quiet.visible > 0);
  const double by_chance = quiet.relative();
  CHECK(of_point_4(compare(campaign(1), campaign(2, 1 + 1.2 * quiet.visible - by_chance), {})).significant);
  CHECK_FALSE(of_point_4(compare(campaign(1), campaign(2, 1 + 0.6 * quiet.visible - by_chance), {})).significant);
  const auto json = nlohmann::json::parse(comparison_json(found, {}));
  CHECK(json["changes"][0]["visible"].is_number());
  CHECK(comparison_text(compare(campaign(1), campaign(1), {}), {}).find("could not") == std::string::npos);
}

TEST_CASE("what was seen is not told as what could not have been seen") {
  Side before = campaign(1);
  Side after = campaign(2, 1.5);
  for (Side* side : {&before, &after})
    for (auto point = side->points.begin(); point != side->points.end();)
      point = point->first == "depth=4" ? std::next(point) : side->points.erase(point);
  const Tolerance tight{.relative = 0.0001};
  const std::string all_seen = comparison_text(compare(before, after, tight), tight);
  INFO(all_seen);
  CHECK_THAT(all_seen, Catch::Contains("3 figures compared: 2 changed, 2 worse by more than 0.01 %\n"));
  CHECK(all_seen.find("seen") == std::string::npos);
  const std::string text = comparison_text(compare(campaign(1), campaign(2, 1.5), tight), tight);
  CHECK_THAT(text, Catch::Contains(" could not have been seen in half of the others, below ") &&
                       Catch::Contains("; 18 may be worse by 0.01 % unseen: "));
}

TEST_CASE("a guest more that finds no place is a regression, even of one run, for it is no matter of chance") {
  const auto fleet = [](double refused) {
    Side side;
    side.units = {{"fleet.refused", report::Unit::count}};
    side.points["count=9"].seeds = {1};
    side.points["count=9"].figures["fleet.refused"] = stats::sample_of(std::vector<double>{refused});
    return side;
  };
  CHECK(compare(fleet(0), fleet(1), {}).regressed());
  CHECK_FALSE(compare(fleet(2), fleet(2), {}).regressed());
  CHECK_FALSE(compare(fleet(2), fleet(1), {}).regressed());
  CHECK_FALSE(compare(fleet(100), fleet(104), {}).regressed());  // within the tolerance
}

TEST_CASE("points that only one campaign has, and those with one run, are told") {
  Side before = campaign(1);
  Side after = campaign(2);
  after.points.erase("depth=3");
  after.points["depth=11"] = after.points["depth=2"];
  keep_one_run(after.points["depth=5"]);
  const std::string text = comparison_text(compare(before, after, {}), {});
  CHECK_THAT(text, Catch::Contains("only in the first: depth=3\n"));
  CHECK_THAT(text, Catch::Contains("only in the second: depth=11\n"));
  CHECK_THAT(text, Catch::Contains("could not be judged: one run on a side"));
}

TEST_CASE("runs that failed where none did before are a regression; fewer of them are none") {
  Side after = campaign(1);
  after.points["depth=7"].failed = 2;
  const Comparison found = compare(campaign(1), after, {});
  CHECK(found.regressed());
  CHECK_THAT(comparison_text(found, {}), Catch::StartsWith("worse    depth=7: 2 runs failed, before 0\n"));
  CHECK(nlohmann::json::parse(comparison_json(found, {}))["failing"][0]["worse"] == true);
  const Comparison mended = compare(after, campaign(1), {});
  CHECK_FALSE(mended.regressed());
  CHECK_THAT(comparison_text(mended, {}), Catch::StartsWith("failed   depth=7: 0 runs failed, before 2\n"));
}

TEST_CASE("the last line counts what is measured no more, and points where more runs fail, as the lines before it do") {
  Side after = campaign(1);
  after.points["depth=7"].failed = 2;
  for (const char* point : {"depth=2", "depth=3"}) after.points[point].figures.erase("channel.disk.latency.p99");
  CHECK_THAT(comparison_text(compare(campaign(1), after, {}), {}),
             Catch::Contains("\n30 figures compared: 2 changed, 2 worse by more than 5 %, 2 of them measured no more; "
                             "more runs fail at 1 of 10 points\n"));
}

TEST_CASE("runs that are the same to the last value are no change, and hide none") {
  Side side = campaign(1);
  Side other = campaign(1);
  for (Side* one : {&side, &other})
    for (auto& [name, point] : one->points) {
      for (const auto& [metric, sample] : point.figures) point.runs[metric] = sample.values;
      point.figures["channel.disk.latency.p99"].values.clear();  // of which nothing could be told
    }
  const Tolerance tight{.relative = 0.0001};
  const Comparison same = compare(side, other, tight);
  CHECK_FALSE(same.undecided());
  CHECK(comparison_text(same, tight) == "30 figures compared: 0 changed, 0 worse by more than 0.01 %\n");
  other.points["depth=4"].runs["channel.disk.throughput"][3] += 1;
  CHECK(compare(side, other, tight).unjudged() == 1);
}

TEST_CASE("a figure that has no values to tell chance by shows no change") {
  Side before = campaign(1);
  Side after = campaign(2, 2);
  for (Side* side : {&before, &after}) side->points["depth=4"].figures["channel.disk.latency.p99"].values.clear();
  const Comparison found = compare(before, after, {});
  for (const Change& change : found.changes)
    if (change.point == "depth=4" && change.metric == "channel.disk.latency.p99") CHECK_FALSE(change.significant);
}

TEST_CASE("more is worse of times and findings, less of throughput") {
  CHECK(sense_of("channel.disk.latency.p99") == Sense::more_is_worse);
  CHECK(sense_of("workload.load.response.mean") == Sense::more_is_worse);
  CHECK(sense_of("channel.disk.ring.to_host.full_events") == Sense::more_is_worse);
  CHECK(sense_of("run.findings") == Sense::more_is_worse);
  CHECK(sense_of("fleet.refused") == Sense::more_is_worse);
  CHECK(sense_of("template.web.refused") == Sense::more_is_worse);
  CHECK(sense_of("channel.web[*].disk.throughput") == Sense::less_is_worse);
  CHECK(sense_of("processor.host.cpu0.dpc") == Sense::neither);
}

TEST_CASE(
    "what a packet does is judged once: of its channel and its workload, and not of template, host and fleet again") {
  for (const char* metric :
       {"channel.disk.latency.mean", "channel.disk.latency.p999", "channel.disk.throughput",
        "channel.web[*].disk.latency.p99", "workload.load.response.p99", "run.findings", "fleet.refused"}) {
    CAPTURE(metric);
    CHECK(role_of(metric) == Role::judged);
  }
  for (const char* metric :
       {"fleet.latency.p99", "fleet.throughput", "fleet.worst_host.latency.p99", "host.node[*].latency.mean",
        "host.node[*].throughput", "template.web.latency.p99", "template.web.throughput",
        "channel.web[3].disk.latency.p99", "channel.disk.signals.sent"}) {
    CAPTURE(metric);
    CHECK(role_of(metric) == Role::aside);
  }
  CHECK(role_of("channel.disk.latency.max") == Role::told);
  CHECK(role_of("workload.web[*].load.response.max") == Role::told);
}

TEST_CASE("a maximum is told, is no regression, and asks nothing of the others") {
  Side before = campaign(1);
  Side after = campaign(2, 1.1);
  const Comparison alone = compare(before, after, {});
  for (auto& [side, largest] : {std::pair{&before, 2e7}, std::pair{&after, 5e7}}) {
    side->units["channel.disk.latency.max"] = report::Unit::nanoseconds;
    side->points["depth=2"].maxima["channel.disk.latency.max"] = largest;
    side->points["depth=3"].maxima["channel.disk.latency.max"] = 3e7;
  }
  const Comparison found = compare(before, after, {});
  REQUIRE(found.changes.size() == alone.changes.size());
  for (std::size_t i = 0; i < found.changes.size(); ++i)
    CHECK(found.changes[i].probability == alone.changes[i].probability);
  CHECK_THAT(comparison_text(found, {}),
             Catch::EndsWith("of 2 maxima, which single packets decide and nobody judges, most moved depth=2: "
                             "channel.disk.latency.max 20.0 ms -> 50.0 ms (+150.0 %)\n"));
  CHECK_THAT(comparison_text(found, {}, Detail::all),
             Catch::EndsWith("not judged  depth=2: channel.disk.latency.max 20.0 ms -> 50.0 ms (+150.0 %)\n"));
  const auto json = nlohmann::json::parse(comparison_json(found, {}));
  CHECK(json["maxima"].size() == 2);
  CHECK(json["maxima"][0]["after"] == 5e7);
  for (Side* side : {&before, &after})
    for (auto& [name, point] : side->points) point.figures.clear();
  CHECK_FALSE(compare(before, after, {}).regressed());
}

TEST_CASE("a figure that chance cannot be told from makes no other harder to judge") {
  Side before = campaign(1);
  Side after = campaign(2, 1.1);
  const Comparison alone = compare(before, after, {});
  for (Side* side : {&before, &after}) {
    side->units["channel.disk.latency.p999"] = report::Unit::nanoseconds;
    for (auto& [name, point] : side->points) {
      point.figures["channel.disk.latency.p999"].figure = 1e7;
      point.figures["fleet.refused"] = stats::sample_of(std::vector<double>(8, 3));
    }
    side->units["fleet.refused"] = report::Unit::count;
  }
  const Comparison found = compare(before, after, {});
  CHECK(found.changes.size() == alone.changes.size() + 20);
  std::size_t same = 0;
  for (const Change& change : found.changes) {
    const auto before_them = std::find_if(alone.changes.begin(), alone.changes.end(), [&](const Change& one) {
      return one.point == change.point && one.metric == change.metric;
    });
    if (before_them == alone.changes.end()) continue;
    ++same;
    CHECK(change.probability == before_them->probability);
  }
  CHECK(same == alone.changes.size());
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

// Source: what JUnit's reader in Jenkins (junit-10.xsd of its xUnit plugin), GitLab ("Unit test reports") and GitHub's reporters
// ask for: counts on both levels that fit, a class and a name for every case, a message and a type for every failure.
TEST_CASE("JUnit's counts fit its cases, failed runs are failures and missing points are skipped") {
  Side before = campaign(1);
  Side after = campaign(2, 1.1);
  after.points["depth=7"].failed = 1;
  after.points.erase("depth=3");
  after.points["\"<&> depth"] = after.points["depth=2"];
  const std::string text = comparison_junit(compare(before, after, {}), {});
  tinyxml2::XMLDocument page;
  REQUIRE(page.Parse(text.c_str()) == tinyxml2::XML_SUCCESS);
  const auto* suites = page.FirstChildElement("testsuites");
  const auto* suite = suites->FirstChildElement("testsuite");
  int cases = 0, failures = 0, skipped = 0;
  for (const auto* one = suite->FirstChildElement("testcase"); one; one = one->NextSiblingElement("testcase")) {
    ++cases;
    REQUIRE(one->Attribute("classname") != nullptr);
    REQUIRE(one->Attribute("name") != nullptr);
    skipped += one->FirstChildElement("skipped") != nullptr;
    const auto* failure = one->FirstChildElement("failure");
    if (failure == nullptr) continue;
    ++failures;
    CHECK(std::string(failure->Attribute("message")) == failure->GetText());
    CHECK(std::string(failure->Attribute("type")) == "regression");
  }
  CHECK(cases == 27 + 1 + 2);
  CHECK(failures == 3);
  CHECK(skipped == 2);
  for (const auto* level : {suites, suite}) {
    CHECK(level->IntAttribute("tests") == cases);
    CHECK(level->IntAttribute("failures") == failures);
    CHECK(level->IntAttribute("skipped") == skipped);
    CHECK(level->IntAttribute("errors", -1) == 0);
  }
}

TEST_CASE("the JSON has every figure with its interval") {
  const auto json = nlohmann::json::parse(comparison_json(compare(campaign(1), campaign(2, 1.1), {}), {}));
  CHECK(json["regressed"] == true);
  CHECK(json["changes"].size() == 30);
  CHECK(json["changes"][0]["difference"].size() == 2);
  CHECK(json["changes"][0]["unit"] == "ns");
}
