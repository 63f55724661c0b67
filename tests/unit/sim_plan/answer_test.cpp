// What a plan says: the sentence, the table, JSON.
#include "sim/plan/answer.hpp"

#include <catch2/catch.hpp>
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
  out.bounds = {{"channel.disk.latency.p99", "< 2ms", report::Unit::nanoseconds, 0.99}};
  out.range.last = 31;
  return out;
}

const Figures easy{{"channel.disk.stage.service.mean", 3e5},
                   {"channel.disk.stage.to_host.queue.mean", 1e3},
                   {"processor.host.cpu*.idle", 0.5}};
const Figures hard{{"channel.disk.stage.service.mean", 1.2e6}, {"channel.disk.stage.to_host.queue.mean", 2e3},
                   {"processor.host.cpu*.idle", 0.1},          {"processor.host.cpu*.dpc", 0.6},
                   {"processor.host.cpu*.isr", 0.3},           {"channel.disk.ring.to_host.full_events", 12}};

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
        "host.cpu* saturates: busy for 90.0 %, dpc for 60.0 %, before it 50.0 %; service of disk takes 1.20 ms, before "
        "it "
        "300 us; the ring to_host of disk was full 12 times a run");
}

TEST_CASE("an answer at the end of its range, none at all, and one that is close say so") {
  Found last = fourteen();
  last.visited.pop_back();
  CHECK_THAT(sentence(guests(), last), Catch::EndsWith("stays < 2ms; it is the last that was asked for"));
  Found none = fourteen();
  none.answer.reset();
  none.visited = {visited(0, Verdict::breaks, {outcome(3e6, hard)})};
  CHECK_THAT(sentence(guests(), none), Catch::StartsWith("not even vm.web.count = 1 keeps channel.disk.latency.p99 < "
                                                         "2ms: 3.00 ms, because host.cpu* saturates"));
  Found close = fourteen();
  close.visited[0].sure = false;
  CHECK_THAT(sentence(guests(), close),
             Catch::StartsWith("vm.web.count = 14: likely, but too close to be 95 % sure, that channel"));
}

TEST_CASE("a run that failed is the reason") {
  Found found = fourteen();
  found.visited[1].outcomes[0].failure = "the run died by signal 11";
  CHECK_THAT(sentence(guests(), found), Catch::EndsWith("at 15 it breaks: the run died by signal 11"));
}

TEST_CASE("a percentile over several runs is that of all their packets, not the mean of percentiles") {
  std::vector<Outcome> runs{outcome(1e6), outcome(3e6)};
  for (int i = 0; i < 9900; ++i) runs[0].times[0].add(1ms);
  const Question question = guests();
  CHECK(pooled(question.bounds[0], runs, 0).figure == Approx(1e6).epsilon(0.01));
  for (Outcome& run : runs) run.times[0].clear();
  CHECK(pooled(question.bounds[0], runs, 0).figure == 2e6);
}

TEST_CASE("with several bounds the sentence says which one breaks") {
  Question two = guests();
  two.bounds.push_back({"processor.host.cpu*.idle", "> 20 %", report::Unit::fraction, {}});
  Found found = fourteen();
  for (Visited& one : found.visited)
    for (Outcome& run : one.outcomes) {
      run.values.push_back(0.1);
      run.times.emplace_back();
    }
  found.visited[1].tightest = 1;
  CHECK_THAT(sentence(two, found),
             Catch::Contains("stays < 2ms and processor.host.cpu*.idle stays > 20 %; at 15 it breaks: "
                             "processor.host.cpu*.idle is 10.0 %, because "));
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

TEST_CASE("the table tells how sure each figure is, where there are enough samples to say") {
  Found found = fourteen();
  for (int run = 0; run < 2; ++run)
    for (int i = 0; i < 9900; ++i)
      found.visited[0].outcomes[static_cast<std::size_t>(run)].times[0].add(Duration{1'000'000 + (50 + run) * i});
  CHECK_THAT(
      points_text(guests(), found),
      Catch::Contains("14            2 runs  holds   channel.disk.latency.p99 1.") && Catch::Contains(" ms .. 1."));
  const auto json = nlohmann::json::parse(answer_json(guests(), found));
  CHECK(json["points"][0]["intervals"]["channel.disk.latency.p99"].size() == 2);
  CHECK(json["points"][1]["intervals"]["channel.disk.latency.p99"].is_null());
}

TEST_CASE("the table has a line for each point, in order") {
  const std::string text = points_text(guests(), fourteen());
  CHECK(text ==
        "  vm.web.count = 14            2 runs  holds   channel.disk.latency.p99 1.60 ms\n"
        "  vm.web.count = 15            2 runs  breaks  channel.disk.latency.p99 2.60 ms\n");
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
  CHECK(json["points"][1]["holds"] == false);
  CHECK(json["points"][1]["metrics"]["channel.disk.latency.p99"].get<double>() == Approx(2.6e6).epsilon(0.01));
  CHECK(json["points"][1]["figures"]["processor.host.cpu*.dpc"] == 0.6);
}

TEST_CASE("where nothing grew and nothing is busy there is no reason to tell") {
  CHECK(reason(easy, easy) == "");
  CHECK(reason({}, {{"processor.host.cpu0.idle", 0.9}}) == "");
}
