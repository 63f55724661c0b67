// `vmbsim plan`: the largest load that keeps its objective, on queues whose limit is known.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/plan_queue.hpp"
#include "tests/cli/user.hpp"

using namespace vmbsim::testing;

namespace {

/// A plan on two servers of a rack, whose disks decide; `node` begins the servers' names.
void writes_a_rack(const User& user, const std::string& name, const std::string& node) {
  const auto of_nodes = [&node](std::string text) {
    for (std::size_t at = 0; (at = text.find("node-", at)) != std::string::npos; at += node.size())
      text.replace(at, 5, node);
    return text;
  };
  user.writes("rack.xml", of_nodes(R"(<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="rack" routing="Full">
    <host id="node-0" speed="1Gf" core="4"><disk id="ssd" read_bw="200MBps" write_bw="100MBps"/></host>
    <host id="node-1" speed="1Gf" core="4"><disk id="ssd" read_bw="200MBps" write_bw="100MBps"/></host>
    <host id="spare" speed="1Gf" core="4"><disk id="ssd" read_bw="200MBps" write_bw="100MBps"/></host>
    <link id="wire-0" bandwidth="25Gbps" latency="2us"/>
    <link id="wire-1" bandwidth="10Gbps" latency="2us"/>
    <route src="node-0" dst="node-1"><link_ctn id="wire-0"/></route>
    <route src="node-0" dst="spare"><link_ctn id="wire-1"/></route>
  </zone>
</platform>
)"));
  user.writes("p.toml", "name = " + name + "\n" + of_nodes(R"(schema = 1
packets = 60
latency = { profile = "zero" }
machine = { platform = "rack.xml" }
[[host]]
name = "node"
count = 2
on = "node-*"
[[vm]]
name = "web"
[[channel]]
name = "disk"
vm = "web"
driver = "storage"
device.disk = "*:ssd"
[[workload]]
name = "load"
channel = "disk"
request = "64KiB"
[objective]
"channel.disk.latency.mean" = "< 10ms"
[plan]
first_runs = 2
[[plan.vary]]
key = "workload.load.queue_depth"
from = 2
to = 2
)"));
}

}  // namespace

TEST_CASE("plan answers with the largest rate, how sure it is, and what breaks at the next one") {
  const User user;
  user.writes("q.toml", queue + rates);
  const Answer answer = user.types("vmbsim plan q.toml --jobs 2 --out o");
  INFO(answer.err);
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out, Catch::StartsWith("queue  seed 3  vmbsim "));
  CHECK_THAT(answer.out,
             Catch::Contains("workload.load.arrivals.poisson = 6000/s: 95 % sure that channel.disk.latency.p99 stays "
                             "< 1.35ms; at 7000/s it breaks: 1."));
  // The server is busy for 70 % of the time (utilisation law), and nothing else costs anything.
  CHECK_THAT(answer.out,
             Catch::Matches("[^]*, because device disk is loaded most: busy for (69|70|71)\\.. %, before it "
                            "(59|60|61)[^]*"));
  CHECK_THAT(answer.out, Catch::Contains("service of disk takes"));
  CHECK_THAT(answer.out, Catch::Contains(" runs in all"));
  const auto json = nlohmann::json::parse(user.reads("o/plan.json"));
  CHECK(json["answers"][0]["answer"] == "6000/s");
  CHECK(json["answers"][0]["sure"] == true);
  for (const auto& point : json["answers"][0]["points"]) {
    const auto& interval = point["intervals"]["channel.disk.latency.p99"];
    REQUIRE(interval.size() == 2);
    CHECK(point["confidence"] > 0.99);  // the answer's 5 % are shared by all looks at all points
    const bool holds = point["holds"];
    if (!interval[0].is_null()) CHECK(interval[0] <= point["metrics"]["channel.disk.latency.p99"]);
    if (!interval[1].is_null()) CHECK(interval[1] >= point["metrics"]["channel.disk.latency.p99"]);
    if (point["sure"]) CHECK((holds ? interval[1] < 1.35e6 : interval[0] > 1.35e6));
  }
  CHECK(json["front"] == nlohmann::json{0});
  const Answer alone = user.types("vmbsim plan q.toml --jobs 1");
  CHECK(alone.out == answer.out);
}

TEST_CASE("plan finds the smallest of something, and the best of two things together") {
  const User user;
  user.writes("q.toml", queue + R"(
[objective]
"channel.disk.latency.mean" = "< 180us"

[plan]
first_runs = 4

[[plan.vary]]
key = "channel.disk.device.parallel"
from = 1
to = 6
goal = "minimise"

[[plan.vary]]
key = "workload.load.arrivals.poisson"
from = "8000/s"
to = "16000/s"
step = "8000/s"
)");
  // Mean sojourn: 8,000/s on one server 500 us, on two 119 us; 16,000/s on two 278 us, on three 120 us.
  const Answer answer = user.types("vmbsim plan q.toml");
  INFO(answer.err);
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out, Catch::Contains("no other combination is better than these"));
  CHECK_THAT(answer.out,
             Catch::Contains("with workload.load.arrivals.poisson = 8000/s: channel.disk.device.parallel = 2: "
                             "95 % sure that channel.disk.latency.mean stays < 180us"));
  CHECK_THAT(answer.out,
             Catch::Contains("with workload.load.arrivals.poisson = 16000/s: channel.disk.device.parallel = 3: "
                             "95 % sure that channel.disk.latency.mean stays < 180us"));
}

TEST_CASE("a plan that nothing keeps ends with status 1") {
  const User user;
  user.writes("q.toml", queue + rates);
  const Answer answer = user.types("vmbsim plan q.toml --set 'objective.\"channel.disk.latency.p99\"=< 1us'");
  CHECK(answer.status == 1);
  CHECK_THAT(answer.out, Catch::Contains("not even workload.load.arrivals.poisson = 1000/s keeps"));
}

TEST_CASE("a range of one value is one point") {
  const User user;
  user.writes("q.toml", queue + R"(
[objective]
"channel.disk.latency.mean" = "< 1ms"
[[plan.vary]]
key = "workload.load.arrivals.poisson"
from = "2000/s"
to = "2000/s"
)");
  const Answer answer = user.types("vmbsim plan q.toml --set packets=1000");
  INFO(answer.err);
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out, Catch::Contains("workload.load.arrivals.poisson = 2000/s: 95 % sure that") &&
                             Catch::Contains("it is the last that was asked for"));
}

TEST_CASE("a range may begin with no guest of a template, where there are others") {
  const User user;
  user.writes("two.toml", R"(schema = 1
name = "two"
run_for = "5ms"
[[vm]]
name = "web"
[[vm]]
name = "noise"
[[channel]]
name = "disk"
vm = "web"
driver = "echo"
[[channel]]
name = "other"
vm = "noise"
driver = "echo"
[[workload]]
name = "load"
channel = "disk"
[[workload]]
name = "hum"
channel = "other"
[objective]
"channel.disk.latency.mean" = "< 1s"
[[plan.vary]]
key = "vm.noise.count"
from = 0
to = 2
)");
  const Answer answer = user.types("vmbsim plan two.toml");
  INFO(answer.err);
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out,
             Catch::Contains("vm.noise.count = 0 ") && Catch::Contains("vm.noise.count = 2: 95 % sure that"));
}

TEST_CASE("where nothing is measured there is no answer, and the exit status says that it is the input") {
  const User user;
  user.writes("q.toml", queue + rates);
  const Answer answer = user.types("vmbsim plan q.toml --set warm_up=1us --set packets=1 --set run_for=2us");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 2);
  CHECK_THAT(answer.out,
             Catch::Contains("no answer: workload.load.arrivals.poisson = 1000/s: channel.disk.latency.p99 has no "
                             "value in its 4 runs: nothing was measured; right would be a longer run_for"));
}

TEST_CASE("guests that find no place break a plan, unless the objective is about them") {
  const User user;
  const std::string fleet = R"(schema = 1
name = "fleet"
seed = 3
run_for = "5ms"

[[host]]
name = "node"
  [host.room]
  guests = 3

[[vm]]
name = "web"
weight = 1

[fleet]
count = 1

[[channel]]
name = "disk"
vm = "web"
driver = "storage"
  [channel.device]
  service = "10us"

[[workload]]
name = "load"
channel = "disk"
loop = "open"
arrivals = { poisson = "10000/s" }
request = "4KiB"

[[plan.vary]]
key = "fleet.count"
from = 1
to = 6

[objective]
"fleet.latency.p99" = "< 10ms"
)";
  user.writes("fleet.toml", fleet);
  const Answer answer = user.types("vmbsim plan fleet.toml");
  INFO(answer.err);
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out,
             Catch::Contains("fleet.count = 3: 95 % sure that fleet.latency.p99 stays < 10ms; at 4 it breaks: "
                             "1 guest found no place"));
  user.writes("fleet.toml", fleet + "\"fleet.refused\" = \"< 2\"\n");
  CHECK_THAT(user.types("vmbsim plan fleet.toml").out, Catch::Contains("fleet.count = 4: 95 % sure that"));
  user.writes("fleet.toml", fleet + "\"fleet.refused\" = \"<= 2\"\n");
  CHECK_THAT(user.types("vmbsim plan fleet.toml").out, Catch::Contains("fleet.count = 5: 95 % sure that") &&
                                                           Catch::Contains("at 6 it breaks: fleet.refused is 3"));
}

TEST_CASE("a plan that is stopped keeps its runs, goes on from them, and answers the same") {
  const char* const signal = GENERATE("TERM", "INT");
  const User user;
  user.writes("q.toml", queue + rates);
  const Answer whole = user.types("vmbsim plan q.toml --jobs 1");
  // Once the second load is begun the runs of the first are done.
  const std::string typed =
      "plan q.toml --jobs 1 --out o --seed 3 --set 'objective.\"channel.disk.latency.p99\"=< 1.35ms'";
  const Answer early =
      user.types("\"$VMBSIM\" " + typed + " 2>log & plan=$!; until grep -q 2000/s log; do sleep 0.01; done; kill -" +
                 signal + " $plan; wait $plan");
  CHECK(early.status == 143);
  CHECK(early.out == "stopped; run it again to go on: vmbsim " + typed + "\n");
  CHECK_FALSE(user.has("o/plan.json"));
  const Answer again = user.types("vmbsim plan q.toml --jobs 2 --out o");
  CHECK(again.out == whole.out);
  CHECK_THAT(again.err, Catch::Contains(" runs taken from o"));
  CHECK(user.has("o/plan.json"));
  // A third time everything is there.
  const Answer known = user.types("vmbsim plan q.toml --out o");
  CHECK(known.out == whole.out);
  const std::string runs = whole.out.substr(whole.out.rfind('\n', whole.out.size() - 2) + 1);
  CHECK_THAT(known.err, Catch::Contains(runs.substr(0, runs.find(" in all")) + " taken from o"));
  CHECK(user.types("vmbsim plan q.toml --set packets=77 --out o").status == 2);
}

TEST_CASE(
    "a plan's run has the limits of a batch's, and one beyond them is told, kept with its reason and done again") {
  const User user;
  user.writes("q.toml", queue + rates);
  const Answer late = user.types("vmbsim plan q.toml --set packets=100000000 --time-limit 20ms --out o");
  CHECK(late.status == 1);  // as a batch with a failed run
  CHECK_THAT(late.out,
             Catch::Contains("no answer: workload.load.arrivals.poisson = 1000/s: a run was ended: beyond 20ms"));
  CHECK_THAT(user.types("vmbsim export o --wide").out, Catch::Contains(",over-time,beyond 20ms,"));
  const Answer again = user.types("vmbsim plan q.toml --set packets=100000000 --memory-limit 1B --out o");
  CHECK(again.status == 1);
  CHECK_THAT(again.out, Catch::Contains("a run was ended: beyond 1B: it held "));
  CHECK_THAT(again.err, !Catch::Contains("taken from o"));
  const Answer refused = user.types("vmbsim plan q.toml --time-limit soon");
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, Catch::Contains("--time-limit: "));
}

TEST_CASE("a scenario that is changed while its plan goes on gives no answer, and nothing wrong is kept") {
  const User user;
  user.writes("q.toml", queue + rates);
  const Answer changed = user.types(
      "\"$VMBSIM\" plan q.toml --jobs 1 --out o 2>log & plan=$!; until grep -q 2000/s log; do sleep 0.01; done; "
      "sed 's/packets = 5000/packets = 50/' q.toml >new; cp q.toml old; mv new q.toml; wait $plan");
  INFO(changed.out);
  CHECK(changed.status == 2);
  CHECK_THAT(changed.out, Catch::Contains("q.toml was changed while its plan was going on"));
  const Answer before = user.types("mv old q.toml; vmbsim plan q.toml --out o");
  CHECK(before.out == user.types("vmbsim plan q.toml").out);
}

TEST_CASE("plan leaves the sweep of its scenario aside") {
  const User user;
  // Of no use beside the plan: at 200/s a point of it is no scenario with the plan's own key.
  user.writes("q.toml", queue + rates + R"(
[sweep]
[[sweep.axis]]
key = "workload.load.arrivals.poisson"
values = ["1000/s", "2000/s"]
[report]
rows = ["latency.p99"]
against = "workload.load.arrivals.poisson"
)");
  user.writes("alone.toml", queue + rates);
  const Answer with = user.types("vmbsim plan q.toml --set packets=1000");
  INFO(with.err);
  CHECK(with.status == 0);
  CHECK(with.out == user.types("vmbsim plan alone.toml --set packets=1000").out);
}

TEST_CASE("plan tells which inputs the answer hangs on") {
  const User user;
  user.writes("q.toml", queue + rates);
  const Answer answer = user.types("vmbsim plan q.toml --set packets=500 --sensitivity --out o");
  INFO(answer.err);
  CHECK(answer.status == 0);
  // A channel that costs nothing leaves the service time, and how many are served together.
  CHECK_THAT(answer.out,
             Catch::Contains("what channel.disk.latency.p99 hangs on most at workload.load.arrivals.poisson"));
  const auto json = nlohmann::json::parse(user.reads("o/plan.json"));
  const auto& inputs = json["sensitivity"]["inputs"];
  REQUIRE(inputs.size() > 2);
  std::string first = inputs[0]["key"].get<std::string>() + " " + inputs[1]["key"].get<std::string>();
  CHECK_THAT(first, Catch::Contains("channel.disk.device.service.exponential"));
  CHECK(inputs[inputs.size() - 1]["mean"] == 0);
}

TEST_CASE(
    "an answer may hang on the numbers of the platform's file, which are named as the scenario names their things") {
  const User user;
  writes_a_rack(user, "\"p\"", "node-");

  const Answer answer = user.types("TMPDIR=$PWD vmbsim plan p.toml --sensitivity --out o");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 0);
  const auto found = nlohmann::json::parse(user.reads("o/plan.json"))["sensitivity"];
  std::map<std::string, nlohmann::json> inputs;
  for (const auto& input : found["inputs"]) inputs[input["key"]] = input;
  // A read of 64 KiB takes 328 us of 200 MB/s: the rate alone decides, and a fifth less of it takes a quarter more.
  const auto& rate = inputs.at("platform:disk:node-*:ssd.read_bw");
  CHECK(rate["value"] == "200MBps");
  CHECK(rate["down"].get<double>() == Approx(0.25 * found["value"].get<double>()).epsilon(0.02));
  CHECK(rate["up"].get<double>() == Approx(-found["value"].get<double>() / 6).epsilon(0.02));
  CHECK(inputs.at("platform:disk:node-*:ssd.write_bw")["mean"] == 0);
  for (const char* key : {"platform:host:node-*.speed", "platform:host:node-*.core", "platform:link:wire-0.bandwidth",
                          "platform:link:wire-1.bandwidth", "platform:link:wire-*.latency"}) {
    CAPTURE(key);
    CHECK(inputs.count(key) == 1);
  }
  for (const auto& [key, input] : inputs) CHECK_THAT(key, !Catch::Contains("spare"));
  CHECK_THAT(user.types("vmbsim export o/sensitivity --wide").out,
             Catch::Contains("platform:disk:node-*:ssd.read_bw="));
  CHECK(user.lists(".") == "o\np.toml\nrack.xml\n");  // the copies are gone
}

TEST_CASE("a sensitivity knows the servers of a scenario by whatever names they have") {
  const User user;
  writes_a_rack(user, "'a 5\" rack'", "rack2-node-");
  const Answer answer = user.types("vmbsim plan p.toml --sensitivity --out o");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 0);
  const auto found = nlohmann::json::parse(user.reads("o/plan.json"));
  std::set<std::string> inputs;
  for (const auto& input : found["sensitivity"]["inputs"]) inputs.insert(input["key"]);
  CHECK(inputs.count("platform:disk:rack*-node-*:ssd.read_bw") == 1);
  CHECK(inputs.count("platform:host:rack*-node-*.speed") == 1);
}

/// Two templates, of which one makes several guests.
const char* const twins = R"(schema = 1
name = "twins"
packets = 20
latency = { profile = "zero" }
[[vm]]
name = "web"
count = 2
[[vm]]
name = "db"
[[channel]]
name = "disk"
vm = "web"
driver = "storage"
device.service = "10us"
[[channel]]
name = "log-1"
vm = "db"
driver = "storage"
device.service = { exponential = "20us" }
[[workload]]
name = "load"
channel = "disk"
[[workload]]
name = "writes"
channel = "log-1"
queue_depth = 3
)";

/// They, with a plan over one value, so that its answer takes few runs.
std::string twins_at_one_value(const std::string& metric) {
  return twins + ("[objective]\n\"" + metric + R"(" = "< 1s"
[plan]
first_runs = 2
[[plan.vary]]
key = "vm.web.cpus"
from = 1
to = 1
)");
}

TEST_CASE("every input that a sensitivity names is a key that the scenario takes, whatever things are called") {
  const User user;
  user.writes("t.toml", twins_at_one_value("channel.web[*].disk.latency.mean"));
  const Answer answer = user.types("vmbsim plan t.toml --sensitivity --out o");
  INFO(answer.out << answer.err);
  REQUIRE(answer.status == 0);
  CHECK_THAT(answer.out, Catch::Contains("\n  with others moved: ") && Catch::Contains("\n  scatter: "));
  std::set<std::string> keys;
  const auto found = nlohmann::json::parse(user.reads("o/plan.json"));
  for (const auto& input : found["sensitivity"]["inputs"]) {
    const std::string key = input["key"];
    keys.insert(key);
    const Answer back = user.types("vmbsim run t.toml --set '" + key + "=" + input["value"].get<std::string>() + "'");
    INFO(key << ": " << back.err);
    CHECK(back.status == 0);
  }
  for (const char* key :
       {"channel.disk.device.service", "channel.log-1.device.service.exponential", "workload.writes.queue_depth"}) {
    CAPTURE(key);
    CHECK(keys.count(key) == 1);
  }
}

TEST_CASE("of few inputs those of the objective's own channel are looked at, and how many were not stands in front") {
  const User user;
  user.writes("t.toml", twins_at_one_value("channel.log-1.latency.mean"));
  const Answer some = user.types("vmbsim plan t.toml --sensitivity --sensitivity-inputs 2 --out o");
  INFO(some.out << some.err);
  const auto found = nlohmann::json::parse(user.reads("o/plan.json"))["sensitivity"];
  for (const auto& input : found["inputs"]) CHECK_THAT(input["key"], Catch::StartsWith("channel.log-1."));
  std::vector<std::string> left_out = found["left_out"];
  const auto place_of = [&](const std::string& front) {
    return std::find_if(left_out.begin(), left_out.end(),
                        [&](const std::string& key) { return key.rfind(front, 0) == 0; });
  };
  REQUIRE(place_of("machine.") != left_out.end());
  CHECK(place_of("workload.writes.") < place_of("vm.db."));
  CHECK(place_of("vm.db.") < place_of("channel.disk."));
  CHECK(place_of("channel.disk.") < place_of("workload.load."));
  CHECK(place_of("vm.web.") < place_of("machine."));
  CHECK_THAT(some.out, Catch::Contains(fmt::format(
                           "(51 runs), of the 2 inputs looked at ({} were not), by a fifth less", left_out.size())));
  CHECK_THAT(some.err, Catch::Contains("what the answer hangs on: 2 inputs, 51 runs (the answer took "));
  CHECK_THAT(some.out, Catch::Contains("\n  left out: ") && Catch::Contains(" inputs, from ") &&
                           Catch::Contains("; --sensitivity-inputs ") && Catch::Contains(" looks at all\n"));
}

TEST_CASE("what plan says is missing can be written as it says") {
  const User user;
  const std::string closed = std::string(twins).replace(std::string(twins).find("count = 2"), 9, "count = 1");
  for (const std::string& text : {queue, std::string(twins), closed}) {
    user.writes("q.toml", text);
    const std::string said = user.types("vmbsim plan q.toml").err;
    INFO(said);
    const auto behind = [&](const std::string& front) {
      const std::size_t at = said.find("as in ", said.find(front)) + 6;
      return said.substr(at, said.find('\n', at) - at);
    };
    std::string vary = behind("[[plan.vary]]");
    for (std::size_t comma; (comma = vary.find(", ")) != std::string::npos;) vary.replace(comma, 2, "\n");
    user.writes("q.toml", text + "\n[objective]\n" + behind("[objective]") +
                              "\n[plan]\nfirst_runs = 2\nmost_runs = 2\n" + "[[plan.vary]]\n" + vary + "\n");
    const Answer answer = user.types("vmbsim plan q.toml --set packets=10");
    INFO(answer.err);
    CHECK(answer.status <= 1);
  }
}

TEST_CASE("an answer is told also where its sensitivity cannot be") {
  const User user;
  writes_a_rack(user, "\"p\"", "node-");
  const Answer answer = user.types("TMPDIR=/nonexistent vmbsim plan p.toml --sensitivity --out o");
  CHECK(answer.status == 3);
  CHECK_THAT(answer.out, Catch::Contains("workload.load.queue_depth = 2"));
  CHECK_THAT(answer.err, Catch::Contains("p.toml: its sensitivity cannot be told: "));
  CHECK(user.reads("o/plan.json").find("\"points\"") != std::string::npos);
}

TEST_CASE(
    "where guests without a place break a plan, what that hangs on is told; elsewhere they stand beside the figure") {
  const User user;
  const std::string fleet = R"(schema = 1
name = "fleet"
packets = 40
latency = { profile = "zero" }
[[host]]
name = "node"
room = { guests = 10 }
[[vm]]
name = "web"
weight = 1
[fleet]
count = 1
[[channel]]
name = "disk"
vm = "web"
driver = "storage"
device.service = "10us"
[[workload]]
name = "load"
channel = "disk"
[plan]
first_runs = 2
[[plan.vary]]
key = "fleet.count"
from = 9
)";
  const auto sensitivity = [&](const std::string& last) {
    user.writes("f.toml", fleet + "to = " + last + "\n[objective]\n\"fleet.latency.mean\" = \"< 1s\"\n");
    const Answer answer = user.types("vmbsim plan f.toml --sensitivity --out o" + last);
    INFO(answer.out << answer.err);
    CHECK(answer.status == 0);
    CHECK_THAT(answer.out,
               Catch::Contains(last == "12" ? "what fleet.refused hangs on most at fleet.count = 10 ("
                                            : "what fleet.latency.mean hangs on most at fleet.count = 10 ("));
    return nlohmann::json::parse(user.reads("o" + last + "/plan.json"))["sensitivity"];
  };
  const auto room = [](const nlohmann::json& found) {
    for (const auto& input : found["inputs"])
      if (input["key"] == "host.node.room.guests") return input;
    return nlohmann::json();
  };
  // At eleven the room of ten breaks the plan: with a fifth less of it two of ten guests find no place.
  const nlohmann::json broken = room(sensitivity("12"));
  CHECK(broken["down"] == 2);
  CHECK(broken["up"] == 0);
  CHECK(room(sensitivity("10"))["refused"] == nlohmann::json::array({2, 0}));
}

TEST_CASE("what a figure of 0 hangs on is told in the figure itself, with how far the runs are") {
  const User user;
  user.writes("q.toml", queue + R"(
[objective]
"channel.disk.ring.to_host.full_events" = "< 1"
[plan]
first_runs = 2
[[plan.vary]]
key = "workload.load.arrivals.poisson"
from = "1000/s"
to = "1000/s"
)");
  const Answer answer = user.types("vmbsim plan q.toml --set packets=50 --set warm_up=1us --sensitivity");
  INFO(answer.err);
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out, Catch::Contains(": +0, +0; with others moved +0 on average, scatter +0"));
  CHECK_THAT(answer.out, !Catch::Contains("nan") && !Catch::Contains("inf"));
  CHECK_THAT(answer.err, Catch::Contains(" done, 0 running, 0 failed"));
}
