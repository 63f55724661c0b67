// What a plan asks: told as it was written, and refused where it stands when it cannot be asked.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/plan_queue.hpp"
#include "tests/cli/user.hpp"

using namespace vmbsim::testing;

namespace {

/// As a person begins: one guest whose number is asked for, and an objective that goes with every number of them.
const char* const some_guests = R"([[vm]]
name = "guest"
[[plan.vary]]
key = "vm.guest.count"
from = 1
to = 3
[plan]
first_runs = 2
most_runs = 2
[objective]
"channel.guest[*].disk.latency.mean" = "< 1s"
)";

}  // namespace

TEST_CASE("a plan without a question, and one over what is not there, are bad input") {
  const User user;
  user.writes("q.toml", queue);
  const Answer nothing = user.types("vmbsim plan q.toml");
  CHECK(nothing.status == 2);
  CHECK_THAT(nothing.err, Catch::Contains("q.toml: there is no [objective]"));
  CHECK_THAT(nothing.err, Catch::Contains(", as in key = \"workload.load.arrivals.poisson\", from = \"1000/s\""));
  CHECK_THAT(nothing.err, Catch::Contains("q.toml: there is no [[plan.vary]]"));
  user.writes("q.toml", queue + rates + "\n[[plan.vary]]\nkey = \"channel.disk.ring.to_hots\"\nfrom = 1\nto = 2\n");
  const Answer unknown = user.types("vmbsim plan q.toml");
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err,
             Catch::Contains("[plan]: workload.load.arrivals.poisson = 1000/s, channel.disk.ring.to_hots = 1: "
                             "unknown key \"to_hots\""));
}

TEST_CASE("a corner of two keys that is no scenario is refused before anything runs") {
  const User user;
  user.writes("q.toml", queue + R"(
[objective]
"channel.disk.latency.p99" = "< 1ms"
[[plan.vary]]
key = "workload.load.arrivals.poisson"
from = "1000/s"
to = "2000/s"
step = "1000/s"
[[plan.vary]]
key = "channel.disk.device.parallel"
from = 0
to = 2
)");
  const Answer answer = user.types("vmbsim plan q.toml");
  CHECK(answer.status == 2);
  CHECK(answer.out.empty());
  CHECK_THAT(answer.err,
             Catch::Contains("[plan]: workload.load.arrivals.poisson = 1000/s, channel.disk.device.parallel = 0"));
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
               std::to_string(std::stoi(line) + 1) + ":6: to = 1: is below from"},
           Row{"from = 4\nto = 1\nkey = \"channel.disk.device.parallel\"\n",
               std::to_string(std::stoi(line) + 1) + ":6: to = 1: is below from"},
           Row{"from = 1\nto = 4000000\nkey = \"channel.disk.device.parallel\"\n",
               std::to_string(std::stoi(line) + 1) + ":6: to = 4000000: more than a million steps of 1"},
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

TEST_CASE("a plan names the metrics of its objective as the file does, which takes them back") {
  const User user;
  user.writes("q.toml", queue + some_guests);
  const Answer answer = user.types("vmbsim plan q.toml --set packets=50 --set warm_up=1us --out o");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 0);
  const std::string metric = "channel.guest[*].disk.latency.mean";
  CHECK_THAT(answer.out, Catch::Contains("vm.guest.count = 3: ") && Catch::Contains(" that " + metric + " stays < 1s"));
  CHECK_THAT(answer.out, !Catch::Contains("channel.disk.latency"));
  const auto told = nlohmann::json::parse(user.reads("o/plan.json"))["answers"][0];
  CHECK(told["bounds"][0]["metric"] == metric);
  for (const auto& point : told["points"]) {
    CHECK(point["tightest"] == metric);
    CHECK(point["metrics"][metric] > 0);
  }
}

TEST_CASE("every wrong end of what may vary is told by plan and by check, at its key or at its value") {
  const User user;
  const std::string head = queue + "[[vm]]\nname = \"guest\"\n[objective]\n\"channel.disk.latency.p99\" = \"< 1ms\"\n";
  const auto first = std::count(head.begin(), head.end(), '\n') + 1;
  const auto at = [&](int line, int column) { return fmt::format("q.toml:{}:{}: [plan]: ", first + line, column); };
  user.writes("q.toml", head + R"([[plan.vary]]
key  = "workload.load.arrivals.poison"
from = "1000/s"
to   = "2000/s"
step = "1000/s"
[[plan.vary]]
key  = "vm.gust.count"
from = 1
to   = 2
)");
  const Answer both = user.types("vmbsim plan q.toml");
  CHECK(both.status == 2);
  INFO(both.err);
  CHECK_THAT(both.err, Catch::StartsWith(at(1, 8)) && Catch::Contains("(did you mean \"poisson\"?)"));
  CHECK_THAT(both.err, Catch::Contains(at(6, 8)) && Catch::Contains("no entry \"gust\" (did you mean \"guest\"?)"));
  CHECK(user.types("vmbsim check q.toml").err == both.err);

  struct Row {
    const char* vary;
    int line, column;
    const char* said;
  };
  for (const Row& row : {
           Row{"key = \"workload.load.arrivals.poison\"\nfrom = \"1/s\"\nto = \"2/s\"\nstep = \"1/s\"\n", 1, 7,
               "\"poison\": unknown form (did you mean \"poisson\"?)"},
           Row{"key = \"workload.load.arrivals.poisson\"\nfrom = 1000\nto = 2000\n", 2, 8, "1000: missing unit"},
           Row{"key = \"channel.disk.device.parallel\"\nfrom = 1\nto = 900000\n", 3, 6, "out of range"},
           Row{"key = \"channel.disk.device.parallel\"\nfrom = 0\nto = 2\ngoal = \"minimise\"\n", 2, 8, "out of range"},
       }) {
    CAPTURE(row.vary);
    user.writes("q.toml", head + "[[plan.vary]]\n" + row.vary);
    for (const char* verb : {"plan", "check"}) {
      const Answer answer = user.types(std::string("vmbsim ") + verb + " q.toml");
      CHECK(answer.status == 2);
      CHECK(answer.out.empty());
      CHECK_THAT(answer.err, Catch::StartsWith(at(row.line, row.column)) && Catch::Contains(row.said));
      CHECK(std::count(answer.err.begin(), answer.err.end(), '\n') == 1);
    }
  }
  user.writes("q.toml",
              queue + "[[vm]]\nname = \"guest\"\n[[plan.vary]]\nkey = \"vm.guest.count\"\nfrom = 1\nto = 2\n");
  CHECK_THAT(user.types("vmbsim check q.toml").err, Catch::StartsWith("q.toml: there is no [objective]"));
}

TEST_CASE("a value for what a plan varies is refused, for no run would have it") {
  const User user;
  user.writes("q.toml", queue + some_guests);
  for (const char* key : {"vm.guest.count", "vm.\"guest\".count"}) {
    const Answer answer = user.types(fmt::format("vmbsim plan q.toml --set packets=50 --set '{}=2'", key));
    CHECK(answer.status == 2);
    CHECK_THAT(answer.err, Catch::StartsWith("--set:2:1: vm.guest.count is varied by [plan] from 1 to 3") &&
                               Catch::Contains("plan.vary.0.from"));
  }
  CHECK(user.types("vmbsim plan q.toml --set packets=50 --set warm_up=1us --set plan.vary.0.to=1").status == 0);
}
