// Percentiles of two campaigns against those of their packets, one by one: what a histogram does not know is never told as known.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/kernel/random.hpp"
#include "sim/plan/compare.hpp"
#include "sim/stats/pool.hpp"
#include "tests/unit/sim_stats/single_server.hpp"

using namespace vmbsim;
using namespace vmbsim::plan;
using vmbsim::testing::run_queue;

namespace {

const std::string p99 = "channel.disk.latency.p99";

/// How long packets take, of the same chance on both sides.
enum class Shape {
  exponential,  // times that are spread out
  alike,        // most packets cost the same, some a little more
};

struct Campaign {
  Side side;
  std::vector<double> packets;  // ascending, ns

  double exact(double share) const {
    return packets[static_cast<std::size_t>(std::ceil(share * static_cast<double>(packets.size()))) - 1];
  }
};

Campaign campaign(Shape shape, double mean, std::size_t runs, std::size_t packets, std::uint64_t seed) {
  Campaign out;
  stats::Pool pool(runs);
  Measured& point = out.side.points[""];
  for (std::size_t run = 0; run < runs; ++run) {
    kernel::Stream chance(Seed{seed + run}, "packets", "times");
    Histogram times;
    for (std::size_t i = 0; i < packets; ++i) {
      const double uniform = (static_cast<double>(chance.next() >> 11) + 1) * 0x1p-53;
      const double time = shape == Shape::exponential ? -std::log(uniform) * mean : uniform < 0.02 ? mean + 90 : mean;
      times.add(Duration{std::llround(time)});
      out.packets.push_back(static_cast<double>(std::llround(time)));
    }
    pool.add(times);
    point.seeds.push_back(seed + run);
  }
  std::sort(out.packets.begin(), out.packets.end());
  point.figures[p99] = pool.sample(0.99);
  out.side.units[p99] = report::Unit::nanoseconds;
  return out;
}

/// Runs of an M/M/1 queue, and what each knows of itself.
Side queue(double load, std::size_t runs, std::uint64_t customers, std::uint64_t seed) {
  Side out;
  Measured& point = out.points[""];
  stats::Pool pool(runs);
  std::vector<double> throughputs;
  std::vector<Interval> rates, means, medians, nineties;
  for (std::size_t i = 0; i < runs; ++i) {
    const auto run = run_queue(seed + i, load, customers);
    const ChannelIntervals known = run.seen.intervals(run.latency, run.measured, interval_confidence);
    pool.add(run.latency);
    throughputs.push_back(1e9 * static_cast<double>(customers) / static_cast<double>(run.measured.count()));
    rates.push_back(known.throughput_per_s);
    means.push_back(known.mean);
    medians.push_back(known.p50);
    nineties.push_back(known.p90);
    point.seeds.push_back(seed + i);
  }
  const auto add = [&](const std::string& metric, stats::Sample sample, const std::vector<Interval>& known) {
    stats::judge_by(known, sample);
    point.figures[metric] = std::move(sample);
    out.units[metric] = report::Unit::nanoseconds;
  };
  add("channel.disk.throughput", stats::sample_of(throughputs), rates);
  add("channel.disk.latency.mean", pool.sample({}), means);
  add("channel.disk.latency.p50", pool.sample(0.5), medians);
  add("channel.disk.latency.p90", pool.sample(0.9), nineties);
  add("channel.disk.latency.p99", pool.sample(0.99), {});
  add("channel.disk.latency.p999", pool.sample(0.999), {});
  return out;
}

}  // namespace

TEST_CASE(
    "a busy queue beside itself with other seeds is seldom worse, however few its runs and high its percentiles") {
  constexpr int pairs = 150;
  for (const auto& [load, runs] : {std::pair{0.5, 1u}, {0.5, 2u}, {0.5, 3u}, {0.9, 5u}, {0.9, 8u}}) {
    int red = 0;
    for (std::uint64_t pair = 0; pair < pairs; ++pair)
      red += compare(queue(load, runs, 5000, 1 + 40 * pair), queue(load, runs, 5000, 21 + 40 * pair), {.relative = 0})
                     .regressed()
                 ? 1
                 : 0;
    INFO(runs << " runs at load " << load << ": " << red << " red");
    CHECK(red <= 15);  // changed 7.5 expected, and three standard deviations more
  }
}

TEST_CASE("what takes twice as long is worse, however few the runs") {
  for (const std::size_t runs : {1u, 2u, 3u, 5u}) {
    Side before = queue(0.5, runs, 5000, 1);
    Side after = queue(0.5, runs, 5000, 21);
    for (auto& [metric, sample] : after.points[""].figures) {
      if (metric == "channel.disk.throughput") continue;
      sample.figure *= 2;
      sample.error *= 2;
      sample.within = {2 * sample.within.low, 2 * sample.within.high};
      for (double& value : sample.values) value *= 2;
    }
    for (Side* side : {&before, &after})  // each question more asks more of the others
      for (const char* point : {"b", "c", "d", "e", "f", "g", "h", "i", "j"}) side->points[point] = side->points[""];
    const Comparison found = compare(before, after, {});
    INFO(comparison_text(found, {}));
    CHECK(found.regressed());
  }
}

TEST_CASE("two runs that differ much and do not know their own errors are too few, and are said to be") {
  const auto side = [](double first, double second) {
    Side out;
    out.units = {{"workload.load.response.mean", report::Unit::nanoseconds}, {"run.findings", report::Unit::count}};
    Measured& point = out.points[""];
    point.seeds = {1, 2};
    point.figures["workload.load.response.mean"] = stats::sample_of(std::vector<double>{first, second});
    point.figures["run.findings"] = stats::sample_of(std::vector<double>{0, 0});
    return out;
  };
  const Comparison found = compare(side(80'000, 95'000), side(170'000, 140'000), {});
  CHECK_FALSE(found.regressed());
  CHECK(found.undecided());
  CHECK(found.changes[1].unjudged == Unjudged::few_runs);
  CHECK_THAT(comparison_text(found, {}),
             Catch::Contains("1 of 2 figures could not be judged: too few runs on a side, which do not know their own "
                             "errors; right would be repeat = 5 in [sweep], or longer runs; most moved the only point: "
                             "workload.load.response.mean 87.5 us -> 155 us (+77.1 %)"));
}

TEST_CASE("a percentile without an interval of its own is not judged, and skipped with its reason") {
  const Side before = campaign(Shape::exponential, 80'000, 5, 100, 1).side;
  const Comparison found = compare(before, campaign(Shape::exponential, 800'000, 5, 100, 1).side, {});
  CHECK(found.changes.front().unjudged == Unjudged::few_beyond);
  CHECK_FALSE(found.regressed());
  CHECK(found.undecided());
  CHECK_THAT(comparison_junit(found, {}),
             Catch::Contains("<skipped message=") && Catch::Contains("cannot be judged: too few packets lie beyond"));
  CHECK_THAT(comparison_json(found, {}), Catch::Contains("\"unjudged\": \"too few packets lie beyond a percentile"));
}

TEST_CASE("no gate fails that the packets themselves would not fail, and no interval leaves their difference out") {
  kernel::Stream chance(Seed{5}, "cases", "draws");
  int failed = 0;
  int passed = 0;
  for (int one = 0; one < 400; ++one) {
    const Shape shape = chance.below(2) == 0 ? Shape::exponential : Shape::alike;
    const std::size_t runs = 5 + chance.below(5);
    const std::size_t packets = 600 + chance.below(4000);
    const double mean = 70'000 + static_cast<double>(chance.below(60'000));
    const double slower = 1 + static_cast<double>(chance.below(30)) / 1000;
    const Tolerance tolerance{.relative = static_cast<double>(chance.below(30)) / 1000};
    const Campaign before = campaign(shape, mean, runs, packets, 1 + 10 * static_cast<std::uint64_t>(one));
    const Campaign after = campaign(shape, mean * slower, runs, packets, 1 + 10 * static_cast<std::uint64_t>(one));
    const Comparison found = compare(before.side, after.side, tolerance);
    const Change& change = found.changes.front();
    const double exact = after.exact(0.99) - before.exact(0.99);
    CAPTURE(one, runs, packets, mean, slower, tolerance.relative, exact, change.before, change.after);
    CHECK(before.side.points.at("").figures.at(p99).within.holds(before.exact(0.99)));
    (found.regressed() ? failed : passed) += 1;
    if (found.regressed()) CHECK(exact / before.exact(0.99) > tolerance.relative);
    if (change.significant) CHECK(exact > 0);
    if (change.judged()) CHECK(change.difference.interval().holds(exact));
  }
  CHECK(failed > 20);  // clear ones
  CHECK(passed > 100);
}

TEST_CASE("the same packets in the same buckets are no change, whatever the number of runs") {
  for (const std::size_t runs : {5u, 20u}) {
    const Side side = campaign(Shape::exponential, 80'000, runs, 3000, 1).side;
    const Comparison found = compare(side, side, {.relative = 0});
    CHECK(found.changes.front().judged());
    CHECK(found.changes.front().probability == 1);
    CHECK_FALSE(found.regressed());
  }
}

TEST_CASE("pairs of runs whose few slow packets are equally many by chance are no proof") {
  int changed = 0;
  int still = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const Side before = campaign(Shape::exponential, 80'000, 5, 1200, 10 * seed).side;
    Side after = campaign(Shape::exponential, 80'000, 5, 1200, 100'000 + 10 * seed).side;
    after.points[""].seeds = before.points.at("").seeds;  // of the same seeds, as if drivers took other numbers of them
    const Comparison found = compare(before, after, {.relative = 0});
    const auto& values = before.points.at("").figures.at(p99).values;
    if (!found.changes.front().judged()) continue;
    REQUIRE(found.changes.front().paired);
    still += values[0] == values[1] ? 1 : 0;
    changed += found.changes.front().significant ? 1 : 0;
  }
  CHECK(still > 20);     // so many have as many slow packets in either run
  CHECK(changed <= 32);  // 20 expected, and three standard deviations more
}

TEST_CASE("one run on a side is judged by what it knows of itself, and where it knows nothing that is said") {
  const auto side = [](double p99_us, std::optional<Interval> known) {
    Side out;
    Measured& point = out.points["depth=1"];
    point.seeds = {1};
    point.figures[p99] = stats::sample_of(std::vector<double>{1000 * p99_us});
    if (known) stats::judge_by(std::vector<Interval>{{1000 * known->low, 1000 * known->high}}, point.figures[p99]);
    point.figures["run.findings"] = stats::sample_of(std::vector<double>{0});
    out.units = {{p99, report::Unit::nanoseconds}, {"run.findings", report::Unit::count}};
    return out;
  };
  const Side before = side(400, Interval{390, 410});
  CHECK(compare(before, side(3800, Interval{3700, 3900}), {}).regressed());
  const Comparison near = compare(before, side(405, Interval{395, 415}), {});
  CHECK_FALSE(near.regressed());
  CHECK_FALSE(near.undecided());
  for (const Comparison& found :
       {compare(before, side(3800, {}), {}), compare(side(400, {}), side(3800, Interval{3700, 3900}), {})}) {
    CHECK_FALSE(found.regressed());
    CHECK(found.undecided());
    CHECK(found.unjudged() == 1);
    CHECK_THAT(
        comparison_text(found, {}),
        Catch::Contains("1 of 2 figures could not be judged: one run on a side is too short to know its own error; "
                        "right would be repeat = 5 in [sweep], or longer runs; most moved depth=1: "
                        "channel.disk.latency.p99 400 us -> 3.80 ms (+850.0 %)"));
    CHECK_THAT(comparison_json(found, {}), Catch::Contains("\"undecided\": true"));
    CHECK_THAT(comparison_junit(found, {}),
               Catch::Contains("<skipped message=\"channel.disk.latency.p99 ") && Catch::Contains("skipped=\"1\""));
  }
  Side breaks = side(400, Interval{390, 410});
  breaks.points["depth=1"].figures["run.findings"] = stats::sample_of(std::vector<double>{1});
  CHECK(compare(before, breaks, {}).regressed());
}
