// `vmbsim plan`: the largest load that keeps its objective, on queues whose limit is known.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/user.hpp"

using namespace vmbsim::testing;

namespace {

/// The p99 of single_server is 4.605 / (10,000/s - rate): 1.15 ms at 6,000/s, 1.54 ms at 7,000/s.
/// Source: Kleinrock, "Queueing Systems", volume 1, section 3.2.
const std::string queue = std::string(R"(schema = 1
name = "queue"
seed = 3
warm_up = "50ms"
packets = 5000
)") + single_server;

const char* const rates = R"(
[objective]
"channel.disk.latency.p99" = "< 1.35ms"

[plan]
first_runs = 4

[[plan.vary]]
key = "workload.load.arrivals.poisson"
from = "1000/s"
to = "9000/s"
step = "1000/s"
)";

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
    CHECK(interval[0] < point["metrics"]["channel.disk.latency.p99"]);
    CHECK(interval[1] > point["metrics"]["channel.disk.latency.p99"]);
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

TEST_CASE("a plan without a question, and one over what is not there, are bad input") {
  const User user;
  user.writes("q.toml", queue);
  const Answer nothing = user.types("vmbsim plan q.toml");
  CHECK(nothing.status == 2);
  CHECK_THAT(nothing.err, Catch::Contains("q.toml: there is no [objective]"));
  CHECK_THAT(nothing.err, Catch::Contains("q.toml: there is no [[plan.vary]]"));
  user.writes("q.toml", queue + rates + "\n[[plan.vary]]\nkey = \"channel.disk.ring.to_hots\"\nfrom = 1\nto = 2\n");
  const Answer unknown = user.types("vmbsim plan q.toml");
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err, Catch::Contains("[plan]: channel.disk.ring.to_hots = 1: unknown key \"to_hots\""));
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

TEST_CASE("what may vary is told where it stands when it cannot") {
  const User user;
  const std::string head = queue + "[objective]\n\"channel.disk.latency.p99\" = \"< 1ms\"\n[[plan.vary]]\n";
  const auto line = std::to_string(std::count(head.begin(), head.end(), '\n') + 1);
  struct Row {
    const char* vary;
    std::string said;
  };
  for (const Row& row : {
           Row{"key = []\nfrom = 1\nto = 4\n", line + ":7: key = []: no key; right would be a path"},
           Row{"key = \"seed\"\nfrom = 1\nto = 4\n",
               line + ":7: key = \"seed\": the seed is what the runs of one value differ in"},
           Row{"from = 1\nto = 4\nkey = \"channel.disk.device.parallel\"\n[[plan.vary]]\nfrom = 1\nto = 2\n"
               "key = \"channel.disk.device.parallel\"\n",
               std::to_string(std::stoi(line) + 6) +
                   ":7: key = \"channel.disk.device.parallel\": \"channel.disk.device.parallel\" varies already"},
           Row{"from = 4\nto = 1\nstep = 1\nkey = \"channel.disk.device.parallel\"\n",
               std::to_string(std::stoi(line) + 2) + ":8: step = 1: from is not below to"},
       }) {
    CAPTURE(row.vary);
    user.writes("q.toml", head + row.vary);
    for (const char* verb : {"plan", "check"}) {
      const Answer answer = user.types(std::string("vmbsim ") + verb + " q.toml");
      CHECK(answer.status == 2);
      CHECK_THAT(answer.err, Catch::StartsWith("q.toml:" + row.said));
    }
  }
}
