// What a plan says: the sentence, the table, JSON.
#include "sim/plan/answer.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/plan/reason.hpp"

using namespace vmbsim;
using namespace vmbsim::plan;

namespace {

Outcome outcome(double p99_ns, std::map<std::string, double> figures = {}) {
  Outcome out;
  out.margins = {{p99_ns - 2e6}};
  out.values = {p99_ns};
  out.times.emplace_back();
  for (int i = 0; i < 100; ++i) out.times.back().add(Duration{static_cast<std::int64_t>(p99_ns)});
  out.figures = std::move(figures);
  return out;
}

Visited visited(std::size_t index, Verdict verdict, std::vector<Outcome> outcomes) {
  Visited out;
  out.index = index;
  out.verdict = verdict;
  out.sure = true;
  out.outcomes = std::move(outcomes);
  return out;
}

Question guests() {
  Question out;
  out.key = "vm.web.count";
  out.value = [](std::size_t index) { return std::to_string(index + 1); };
  out.bounds = {{"channel.disk.latency.p99", "< 2ms", report::Unit::nanoseconds, 0.99, Demand::below, 2e6}};
  out.range.last = 31;
  return out;
}

const Figures easy{{"channel.disk.stage.service.mean", 3e5},
                   {"channel.disk.stage.to_host.queue.mean", 1e3},
                   {"processor.host.cpu*.idle", 0.7},
                   {"processor.host.cpu0.idle", 0.5},
                   {"processor.host.cpu1.idle", 0.9}};
const Figures hard{{"channel.disk.stage.service.mean", 1.2e6}, {"channel.disk.stage.to_host.queue.mean", 2e3},
                   {"processor.host.cpu*.idle", 0.5},          {"processor.host.cpu0.idle", 0.1},
                   {"processor.host.cpu1.idle", 0.9},          {"processor.host.cpu0.dpc", 0.6},
                   {"processor.host.cpu0.isr", 0.3},           {"channel.disk.ring.to_host.full_events", 12}};

Found fourteen() {
  Found out;
  out.answer = 13;
  out.runs = 4;
  out.visited = {visited(13, Verdict::holds, {outcome(1.5e6, easy), outcome(1.6e6, easy)}),
                 visited(14, Verdict::breaks, {outcome(2.5e6, hard), outcome(2.6e6, hard)})};
  return out;
}

}  // namespace

TEST_CASE("the answer names the load, how sure it is, and what breaks one step further") {
  CHECK(sentence(guests(), fourteen()) ==
        "vm.web.count = 14: 95 % sure that channel.disk.latency.p99 stays < 2ms; at 15 it breaks: 2.60 ms, because "
        "host.cpu0 saturates: busy for 90.0 %, dpc for 60.0 %, before it 50.0 %; service of disk takes 1.20 ms, before "
        "it 300 us; the ring to_host of disk was full 12 times a run");
}

TEST_CASE("an answer at the end of its range, none at all, and one that is close say so") {
  Found last = fourteen();
  last.visited.pop_back();
  CHECK_THAT(sentence(guests(), last), Catch::EndsWith("stays < 2ms; it is the last that was asked for"));
  Found none = fourteen();
  none.answer.reset();
  none.visited = {visited(0, Verdict::breaks, {outcome(3e6, hard)})};
  CHECK_THAT(sentence(guests(), none), Catch::StartsWith("not even vm.web.count = 1 keeps channel.disk.latency.p99 < "
                                                         "2ms: 3.00 ms, because host.cpu0 saturates"));
  Found close = fourteen();
  close.visited[0].sure = false;
  CHECK_THAT(sentence(guests(), close),
             Catch::StartsWith("vm.web.count = 14: likely, but too close to be 95 % sure, that channel"));
}

TEST_CASE("a load that cannot be told of is no load that breaks") {
  Found found = fourteen();
  Visited& next = found.visited[1];
  next.verdict = Verdict::untold;
  next.sure = false;
  next.reason = "a run died by signal 11";
  CHECK_FALSE(answered(found));
  CHECK(sentence(guests(), found) ==
        "vm.web.count = 14: 95 % sure that channel.disk.latency.p99 stays < 2ms; whether it does at 15 cannot be told: "
        "a run died by signal 11");
  CHECK(nlohmann::json::parse(answer_json(guests(), found))["answer"].is_null());
  CHECK_THAT(points_text(guests(), found), Catch::Contains("vm.web.count = 15            2 runs  untold  a run died"));
  found.answer.reset();
  next.index = 0;
  next.reason.clear();
  found.visited.erase(found.visited.begin());
  CHECK_THAT(
      sentence(guests(), found),
      Catch::StartsWith("no answer: vm.web.count = 1: channel.disk.latency.p99 has no value in its 2 runs: nothing "
                        "was measured; right would be a longer run_for"));
}

TEST_CASE("guests that found no place are the reason, and nothing else is") {
  Found found = fourteen();
  found.visited[1].reason = "3 guests found no place";
  CHECK_THAT(sentence(guests(), found), Catch::EndsWith("at 15 it breaks: 3 guests found no place"));
  CHECK_THAT(points_text(guests(), found), Catch::Contains("2.60 ms  3 guests found no place\n"));
}

TEST_CASE("where a larger load holds what a smaller one breaks there is no answer") {
  Found found = fourteen();
  found.visited.push_back(visited(29, Verdict::holds, {outcome(1e6, easy), outcome(1e6, easy)}));
  CHECK_FALSE(answered(found));
  CHECK_FALSE(found.sure());
  CHECK_THAT(sentence(guests(), found),
             Catch::StartsWith("no answer: channel.disk.latency.p99 < 2ms breaks at 15 and holds at 30; it does not go "
                               "one way with vm.web.count"));
  found.visited.back() = visited(0, Verdict::breaks, {outcome(3e6, easy), outcome(3e6, easy)});
  CHECK_THAT(sentence(guests(), found), Catch::Contains("holds at 14 and breaks at 1; it does not"));
  found.visited.back().reason = "3 guests found no place";
  CHECK_THAT(sentence(guests(), found), Catch::Contains("holds at 14 and breaks at 1 (3 guests found no place); it"));
}

TEST_CASE("a percentile over several runs is that of all their packets, not the mean of percentiles") {
  Visited two = visited(0, Verdict::holds, {outcome(1e6), outcome(3e6)});
  for (int i = 0; i < 9900; ++i) two.outcomes[0].times[0].add(1ms);
  const Question question = guests();
  CHECK(pooled(question.bounds[0], two, 0).figure == Approx(1e6).epsilon(0.01));
  for (Outcome& run : two.outcomes) run.times[0].clear();
  CHECK(pooled(question.bounds[0], two, 0).figure == 2e6);
}

TEST_CASE("with several bounds the sentence says which one breaks") {
  Question two = guests();
  two.bounds.push_back({"processor.host.cpu0.idle", "> 20 %", report::Unit::fraction, {}, Demand::above, 0.2});
  Found found = fourteen();
  for (Visited& one : found.visited)
    for (Outcome& run : one.outcomes) {
      run.values.push_back(0.1);
      run.times.emplace_back();
    }
  found.visited[1].tightest = 1;
  CHECK_THAT(sentence(two, found),
             Catch::Contains("stays < 2ms and processor.host.cpu0.idle stays > 20 %; at 15 it breaks: "
                             "processor.host.cpu0.idle is 10.0 %, because "));
}

TEST_CASE("of several bounds those are blamed that could not be told, and never one that surely holds") {
  Question two = guests();
  two.bounds.push_back({"channel.disk.throughput", "> 9000/s", report::Unit::per_second, {}, Demand::above, 9000});
  Found found = fourteen();
  for (Visited& one : found.visited)
    for (Outcome& run : one.outcomes) {
      run.values.push_back(9100);
      run.times.emplace_back();
    }
  Visited& next = found.visited[1];
  next.sure = false;
  next.too_close = {1};
  next.tightest = 1;
  CHECK(sentence(two, found) ==
        "vm.web.count = 14: 95 % sure that channel.disk.latency.p99 stays < 2ms and channel.disk.throughput stays > "
        "9000/s; at 15 it is too close to call: channel.disk.throughput is 9.10 k/s");
  CHECK(nlohmann::json::parse(answer_json(two, found))["points"][1]["too_close"] ==
        nlohmann::json::array({"channel.disk.throughput"}));
  Visited& kept = found.visited[0];
  kept.sure = false;
  kept.too_close = {1};
  CHECK_THAT(
      sentence(two, found),
      Catch::StartsWith("vm.web.count = 14: likely, but too close to be 95 % sure of channel.disk.throughput, that "
                        "channel.disk.latency.p99 stays < 2ms and"));
  found.answer.reset();
  found.visited.erase(found.visited.begin());
  found.visited.front().index = 0;
  CHECK(
      sentence(two, found) ==
      "whether even vm.web.count = 1 keeps channel.disk.latency.p99 < 2ms and channel.disk.throughput > 9000/s is too "
      "close to call: channel.disk.throughput is 9.10 k/s");
}

TEST_CASE("a bound in the bucket that most packets fall into is neither kept nor broken, however many runs say so") {
  // 100,000 and 100,300 ns lie in one bucket, which ends at 100,351: no histogram knows on which side of 100,200 they are.
  const Bound bound{"channel.disk.latency.p99", "< 100.2us", report::Unit::nanoseconds, 0.99, Demand::below, 100'200};
  const auto decided = [&](double value) {
    Bound at = bound;
    at.value = value;
    Decision decision({.error = 0.05, .first_runs = 5, .most_runs = 40}, 1);
    for (int run = 0; run < 5; ++run) {
      Histogram times;
      for (int i = 0; i < 1000; ++i) times.add(Duration{i % 2 == 0 ? 100'000 : 100'300});
      times.add(90us);
      times.add(120us);
      decision.add(std::vector<Margin>{margin_of(at, times.quantile_ns(0.99), &times)});
    }
    return decision;
  };
  CHECK_FALSE(decided(100'200).verdict());
  CHECK(decided(100'200).too_close() == std::vector<std::size_t>{0});
  CHECK(decided(99'000).verdict() == Verdict::breaks);
  CHECK(decided(101'000).verdict() == Verdict::holds);
  CHECK(decided(101'000).too_close().empty());
}

TEST_CASE("the reason names the device that has least left, and what is only loaded most") {
  Figures busy = hard;
  busy["device.server:ssd0.utilisation"] = 0.97;
  CHECK_THAT(
      reason({{"device.server:ssd0.utilisation", 0.88}}, busy),
      Catch::StartsWith("device server:ssd0 saturates: busy for 97.0 %, before it 88.0 %; service of disk takes"));
  CHECK(reason({}, {{"device.disk.utilisation", 0.7}}) == "device disk is loaded most: busy for 70.0 %");
  CHECK(reason({}, {{"device.disk.utilisation", nothing_measured}}) == "");
}

TEST_CASE("a cause is what got busier: single things, never what idles more or what several are on average") {
  const Figures before{{"processor.node[0].cpu0.idle", 0.2},
                       {"processor.node[1].cpu0.idle", 0.9},
                       {"processor.node[*].cpu*.idle", 0.55},
                       {"device.array.utilisation", 0.89}};
  Figures after{{"processor.node[0].cpu0.idle", 0.05},
                {"processor.node[0].cpu0.dpc", 0.9},
                {"processor.node[1].cpu0.idle", 0.9},
                {"processor.node[*].cpu*.idle", 0.475},
                {"device.array.utilisation", 0.87}};
  CHECK(reason(before, after) == "node[0].cpu0 saturates: busy for 95.0 %, dpc for 90.0 %, before it 80.0 %");
  after["processor.node[0].cpu0.idle"] = 0.2;
  CHECK(reason(before, after) == "");
  // What is new is held against the busiest of its kind.
  after["processor.node[7].cpu0.idle"] = 0.2;
  CHECK(reason(before, after) == "");
  after["processor.node[7].cpu0.idle"] = 0.1;
  CHECK_THAT(reason(before, after), Catch::StartsWith("node[7].cpu0 saturates: busy for 90.0 %"));
  Found found = fourteen();
  for (Visited& one : found.visited)
    for (Outcome& run : one.outcomes) run.figures = easy;
  CHECK_THAT(sentence(guests(), found),
             Catch::EndsWith("at 15 it breaks: 2.60 ms; nothing that was measured tells why"));
}

namespace {

/// Ten runs of 2,000 packets, of which a run's share of late ones is around one in a hundred, or `late` times that.
std::vector<Outcome> runs_of(double late, const Bound& bound) {
  std::vector<Outcome> runs(10);
  for (std::size_t run = 0; run < runs.size(); ++run) {
    Histogram& times = runs[run].times.emplace_back();
    const auto beyond = static_cast<int>(20 * late * (0.9 + 0.02 * static_cast<double>(run)));
    for (int i = 0; i < 2000; ++i)
      times.add(i < beyond ? Duration{2'500'000 + i * 1000} : Duration{1'000'000 + i * 400});
    runs[run].values = {times.quantile_ns(0.99)};
    runs[run].margins = {margin_of(bound, runs[run].values[0], &times)};
  }
  return runs;
}

}  // namespace

TEST_CASE("the interval that is shown is the one that decided: it lies on the verdict's side of the bound") {
  const Question question = guests();
  const Bound& bound = question.bounds[0];
  for (const double late : {0.2, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5, 2.0}) {
    INFO(late);
    Decision decision({.error = 0.02, .first_runs = 10, .most_runs = 10}, 1);
    Visited point = visited(0, Verdict::breaks, runs_of(late, bound));
    for (const Outcome& run : point.outcomes) decision.add(run.margins);
    point.limits = decision.limits();
    CHECK(point.limits.confidence == Approx(1 - 0.02));  // half of the error at the first look, on either side
    const auto [figure, interval] = pooled(bound, point, 0);
    CHECK(interval.low <= figure);
    CHECK(interval.high >= figure);
    const bool close = interval.low <= bound.value && bound.value <= interval.high;
    CHECK(decision.sure() == !close);
    if (decision.sure()) CHECK((decision.verdict() == Verdict::holds) == (interval.high < bound.value));
  }
}

TEST_CASE("of a figure that is no percentile the interval is Student's") {
  const Bound bound{"processor.host.cpu0.idle", "> 20 %", report::Unit::fraction, {}, Demand::above, 0.2};
  Decision decision({.error = 0.02, .first_runs = 4, .most_runs = 4}, 1);
  Visited point = visited(0, Verdict::holds, {});
  const std::vector<double> idle{0.30, 0.32, 0.31, 0.33};
  for (const double value : idle) {
    Outcome run;
    run.times.emplace_back();
    run.values = {value};
    run.margins = {margin_of(bound, value, nullptr)};
    decision.add(run.margins);
    point.outcomes.push_back(run);
  }
  point.limits = decision.limits();
  const auto [figure, interval] = pooled(bound, point, 0);
  const Interval plain = stats::mean_of(idle, 0.98).interval();
  CHECK(interval.low == Approx(plain.low));
  CHECK(interval.high == Approx(plain.high));
  point.outcomes.front().values = {nothing_measured};
  CHECK(std::isnan(margin_of(bound, nothing_measured, nullptr).value));
}

TEST_CASE("a figure that no run differs in has no interval, whichever way its bound goes") {
  for (const Demand demand : {Demand::below, Demand::at_most, Demand::above, Demand::at_least}) {
    const Bound bound{.metric = "fleet.refused", .text = "", .demand = demand, .value = 3};
    const Interval left = left_by({3, 3, 0.99}, bound, {{2, 2, 2}, {}});
    CHECK(left.low == 2);
    CHECK(left.high == 2);
  }
}

TEST_CASE("that runs are all alike shows of \"=\" only how rare those that differ are") {
  Question question = guests();
  question.bounds = {{.metric = "run.findings", .text = "= 0", .demand = Demand::equal, .value = 0}};
  Found found = fourteen();
  for (Visited& one : found.visited)
    for (Outcome& run : one.outcomes) run.values = {one.index == 14 ? 1.0 : 0.0}, run.times = {{}};
  // 2 equal runs of a share of 22.36 % come with probability 0.05.
  CHECK_THAT(sentence(question, found),
             Catch::Contains("95 % sure that run.findings is = 0 in more than 22 % of runs (all 2 here); at 15"));
  const auto points = nlohmann::json::parse(answer_json(question, found))["points"];
  CHECK(points[0]["shares"]["run.findings"].get<double>() == Approx(std::sqrt(0.05)));
  CHECK_FALSE(points[1].contains("shares"));  // it breaks there
}

TEST_CASE("the table has a line for each point, in order, and what was taken for granted") {
  Found found = fourteen();
  for (Visited& one : found.visited) one.limits = {3, 3, 0.995};
  found.visited.push_back(visited(0, Verdict::holds, {outcome(1e6, easy), outcome(1e6, easy)}));
  found.visited.back().only_looked_at = true;
  found.visited.back().sure = false;
  CHECK(points_text(guests(), found) ==
        "  vm.web.count = 1             2 runs  holds  (only looked at)  channel.disk.latency.p99 1.00 ms\n"
        "  vm.web.count = 14            2 runs  holds   channel.disk.latency.p99 1.60 ms (above 1.50 ms)  at 99.5 %\n"
        "  vm.web.count = 15            2 runs  breaks  channel.disk.latency.p99 2.60 ms (above 2.50 ms)  at 99.5 %\n"
        "  taken for granted: what keeps the objective at one value keeps it at every smaller one; looked at 1 for "
        "that\n");
}

TEST_CASE("a point whose runs have too few packets for its percentile says so") {
  Found found = fourteen();
  for (int i = 0; i < 38; ++i) found.visited[0].outcomes.push_back(outcome(1.6e6, easy));
  CHECK_THAT(points_text(guests(), found),
             Catch::Contains("vm.web.count = 14 took 40 runs: one measures 100 packets, of which 1 lie beyond "
                             "channel.disk.latency.p99; longer ones would need fewer\n"));
}

TEST_CASE("the JSON has the question, the answer, every point and the runs") {
  const auto json = nlohmann::json::parse(answer_json(guests(), fourteen()));
  CHECK(json["key"] == "vm.web.count");
  CHECK(json["answer"] == "14");
  CHECK(json["sure"] == true);
  CHECK(json["confidence"] == 0.95);
  CHECK(json["runs"] == 4);
  CHECK(json["bounds"][0]["demand"] == "< 2ms");
  CHECK(json["points"].size() == 2);
  CHECK_FALSE(json["points"][0].contains("shares"));  // what its interval tells
  CHECK(json["points"][1]["holds"] == false);
  CHECK(json["points"][1]["metrics"]["channel.disk.latency.p99"].get<double>() == Approx(2.6e6).epsilon(0.01));
  CHECK(json["points"][1]["figures"]["processor.host.cpu0.dpc"] == 0.6);
}

TEST_CASE("a processor that is saturated at the answer already is the reason, not one that is loaded half") {
  const Figures before{{"processor.host.cpu0.idle", 0}, {"processor.host.cpu1.idle", 0.45}};
  Figures after{{"processor.host.cpu0.idle", 0}, {"processor.host.cpu0.dpc", 1}, {"processor.host.cpu1.idle", 0.4}};
  CHECK(reason(before, after) ==
        "host.cpu0 is saturated at the answer already: busy for 100.0 % there, and here for 100.0 %, dpc for 100.0 %");
  // Of what is new there was no load at the answer.
  CHECK_THAT(reason({{"processor.node[0].cpu0.idle", 0}}, {{"processor.node[1].cpu0.idle", 0}}),
             !Catch::Contains("saturated at the answer already"));
  // What comes to its end only now is the news.
  after["processor.host.cpu1.idle"] = 0.05;
  CHECK_THAT(reason(before, after), Catch::StartsWith("host.cpu1 saturates: busy for 95.0 %"));
}

TEST_CASE("what packets wait for explains times and loads, and no other bound") {
  Question question = guests();
  question.bounds = {{.metric = "fleet.refused", .text = "<= 3", .demand = Demand::at_most, .value = 3}};
  Found found = fourteen();
  for (Visited& one : found.visited)
    for (Outcome& run : one.outcomes) run.values = {one.index == 14 ? 4.0 : 3.0}, run.times = {{}};
  CHECK_THAT(sentence(question, found), Catch::EndsWith("fleet.refused stays <= 3; at 15 it breaks: 4"));
}

TEST_CASE("no fraction is said to be above 1") {
  const Bound bound{"device.disk.utilisation", "< 90 %", report::Unit::fraction, {}, Demand::below, 0.9};
  Visited point = visited(0, Verdict::breaks, {Outcome{}, Outcome{}});
  point.limits = {3, 3, 0.99};
  for (Outcome& run : point.outcomes) run.times.emplace_back();
  point.outcomes[0].values = {0.9};
  point.outcomes[1].values = {0.98};
  CHECK(pooled(bound, point, 0).interval.high == 1);
}

TEST_CASE("where nothing grew and nothing is busy there is no reason to tell") {
  CHECK(reason(easy, easy) == "");
  CHECK(reason({}, {{"processor.host.cpu0.idle", 0.9}}) == "");
}
