// The keys that say how sure figures are to be, and runs that keep to them.
#include <catch2/catch.hpp>

#include "models/scenario/warm_up.hpp"
#include "tests/support/queueing.hpp"
#include "tests/support/runs.hpp"
#include "tests/unit/models_scenario/texts.hpp"

using namespace vmbsim;
using namespace vmbsim::scenario;
using namespace vmbsim::scenario::test;

namespace {

std::string precision(const std::string& lines) { return with("", "[precision]\n" + lines); }

std::string problems_of(const std::string& text) { return texts_of(load_text(text).problems); }

/// An M/M/1 queue at 80 % load that starts empty: a mean latency of 500 us.
const std::vector<std::string> busy{"workload.arrivals.arrivals={ poisson = \"8000/s\" }", "warm_up=\"500ms\"",
                                    "packets=2000000"};

std::vector<std::string> busy_and(std::vector<std::string> more) {
  more.insert(more.begin(), busy.begin(), busy.end());
  return more;
}

const char* const queue = VMBSIM_SOURCE "/scenarios/theory/mm1.toml";

}  // namespace

TEST_CASE("a warm-up is a span, or found in a run before") {
  CHECK_FALSE(loaded({"warm_up=\"2ms\""}).warm_up_auto);
  const Scenario s = loaded({"warm_up=\"auto\""});
  CHECK(s.warm_up_auto);
  CHECK(s.warm_up == 0ns);
  CHECK_THAT(s.resolved, Catch::Contains("warm_up = \"auto\""));
  CHECK_THAT(describe(s), Catch::Contains("10ms after a warm-up that is found before the run"));
  CHECK_THAT(problems_after({"warm_up=\"automatic\""}), Catch::Contains("warm_up = \"automatic\""));
}

TEST_CASE("a precision names a figure of one channel, how narrow and how sure") {
  const auto loaded =
      load_text(precision("metric = \"channel.disk.latency.p99\"\nrelative_half_width = 0.02\n"
                          "confidence = 0.99\n"));
  REQUIRE(texts_of(loaded.problems) == "");
  REQUIRE(loaded.scenario->precision.has_value());
  const PrecisionSpec& found = *loaded.scenario->precision;
  CHECK(found.channel == "disk");
  CHECK(found.target.figure == stats::Figure::p99);
  CHECK(found.target.relative_half_width == 0.02);
  CHECK(found.target.confidence == 0.99);
  CHECK_THAT(describe(*loaded.scenario), Catch::Contains("or when a figure of disk is known to 2 %"));
  CHECK_FALSE(scenario::test::loaded({}).precision.has_value());
}

TEST_CASE("what a precision leaves out is five percent, ninety-five times in a hundred") {
  const auto loaded = load_text(precision("metric = \"channel.disk.throughput\"\n"));
  REQUIRE(loaded.scenario.has_value());
  CHECK(loaded.scenario->precision->target.figure == stats::Figure::throughput);
  CHECK(loaded.scenario->precision->target.relative_half_width == 0.05);
  CHECK(loaded.scenario->precision->target.confidence == 0.95);
}

TEST_CASE("a precision of what no run knows is refused") {
  CHECK_THAT(problems_of(precision("")), Catch::Contains("metric is missing"));
  CHECK_THAT(problems_of(precision("metric = \"channel.disc.latency.p99\"\n")),
             Catch::Contains("there is no channel \"disc\" (did you mean \"disk\"?)"));
  CHECK_THAT(problems_of(precision("metric = \"channel.disk.signals.sent\"\n")),
             Catch::Contains("no run knows how sure this is"));
  CHECK_THAT(problems_of(precision("metric = \"processor.host.cpu0.dpc\"\n")),
             Catch::Contains("no run knows how sure this is"));
  const std::string fine = "metric = \"channel.disk.latency.mean\"\n";
  CHECK_THAT(problems_of(precision(fine + "relative_half_width = 0\n")), Catch::Contains("0.001 to 0.999"));
  for (const char* wrong : {"1.0", "1.5", "-0.5", "0.9999", "nan", "7"})
    CHECK_THAT(problems_of(precision(fine + "confidence = " + wrong + "\n")),
               Catch::Contains("out of range; right would be 0.001 to 0.999"));
  CHECK_THAT(problems_of(precision(fine + "half_width = 0.1\n")), Catch::Contains("unknown key \"half_width\""));
}

TEST_CASE("a run with a precision ends when it is reached, and holds the true value") {
  Scenario s = testing::scenario_in(queue, busy);
  PrecisionSpec precision;
  precision.channel = "disk";
  precision.target.relative_half_width = 0.06;
  s.precision = precision;
  const RunResult result = testing::run(s);
  const ChannelResult& disk = result.channels.front();
  const Interval mean = disk.intervals.mean;
  CHECK(disk.measured < 500'000);
  CHECK(mean.high - mean.low <= 2 * 0.06 * disk.latency.mean_ns());
  CHECK(mean.holds(testing::MarkovQueue{8e-6, 1e-5}.mean_sojourn()));
  CHECK(result.fingerprint == testing::run(s).fingerprint);
}

TEST_CASE("a precision that is not reached leaves the run its other end") {
  Scenario s = testing::scenario_in(queue, busy_and({"packets=20000"}));
  PrecisionSpec precision;
  precision.channel = "disk";
  precision.target.relative_half_width = 0.001;
  s.precision = precision;
  CHECK(testing::run(s).channels.front().measured == 20'000);
}

TEST_CASE("the warm-up that is found is that of the filling queue") {
  // An M/M/1 queue at 80 % load forgets its start in some 1 / (1 - sqrt(load))^2 = 90 services of 100 us.
  // Source: Kleinrock, "Queueing Systems", volume 2, section 2.11 (relaxation time).
  const Scenario s = testing::scenario_in(queue, busy_and({"warm_up=\"auto\"", "packets=50000"}));
  const FoundWarmUp found = find_warm_up(s, {}, nullptr);
  CHECK(found.settled);
  CHECK(found.length < 3s);
  CHECK(found.length == find_warm_up(s, {}, nullptr).length);
  const Scenario shorter = testing::scenario_in(queue, busy_and({"packets=40"}));
  CHECK_FALSE(find_warm_up(shorter, {}, nullptr).settled);
}

TEST_CASE("a plan varies keys in steps of one unit, from what is easiest to keep") {
  const std::string plan =
      "[plan]\nconfidence = 0.9\nfirst_runs = 3\n[[plan.vary]]\nkey = \"workload.load.queue_depth\"\nfrom = 1\nto = 9\n"
      "[[plan.vary]]\nkey = [\"channel.disk.ring.to_host\", \"channel.disk.ring.to_guest\"]\nfrom = \"4 pages\"\n"
      "to = \"33 pages\"\nstep = \"4 pages\"\ngoal = \"minimise\"\n"
      "[[plan.vary]]\nkey = \"workload.load.read_fraction\"\nfrom = 0.5\nto = 1\nstep = 0.25\n";
  const Loaded loaded = load_text(with("", plan));
  REQUIRE(texts_of(loaded.problems) == "");
  const PlanSpec& found = loaded.scenario->plan;
  CHECK(found.confidence == 0.9);
  CHECK(found.first_runs == 3);
  CHECK(found.most_runs == 100);
  REQUIRE(found.axes.size() == 3);
  CHECK(found.axes[0].last() == 8);
  CHECK(found.axes[0].value(3) == "4");
  CHECK(found.axes[1].last() == 7);
  CHECK(found.axes[1].value(0) == "32 pages");
  CHECK(found.axes[1].toml(7) == "\"4 pages\"");
  CHECK(found.axes[2].toml(2) == "1.0");
  CHECK(found.axes[2].toml(1) == "0.75");
}

TEST_CASE("a plan whose range makes no sense is refused") {
  const auto problems = [](const std::string& lines) {
    return problems_of(with("", "[[plan.vary]]\nkey = \"workload.load.queue_depth\"\n" + lines));
  };
  CHECK_THAT(problems("from = 9\nto = 1\n"), Catch::Contains("to = 1: is below from"));
  CHECK_THAT(problems("from = 1\nto = 9\nstep = 0\n"), Catch::Contains("right would be above 0"));
  CHECK_THAT(problems("from = \"1/s\"\nto = \"9 pages\"\nstep = \"1/s\"\n"),
             Catch::Contains("is not in the unit of from"));
  CHECK_THAT(problems("from = \"1/s\"\nto = \"9/s\"\n"), Catch::Contains("step is missing"));
  CHECK_THAT(problems("from = 1\nto = 9000000\n"), Catch::Contains("more than a million steps"));
  CHECK_THAT(problems("from = true\nto = 9\n"), Catch::Contains("right would be a number"));
  CHECK_THAT(problems("to = 9\n"), Catch::Contains("from is missing"));
}
