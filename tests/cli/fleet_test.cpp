// Fleets from the command line: hosts of a platform, disks they share, arrivals from a table, and how many guests fit.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/user.hpp"

using namespace vmbsim::testing;

namespace {

const std::string studies = std::string(VMBSIM_SOURCE_DIR) + "/scenarios/studies/";
const std::string rack = std::string(VMBSIM_SOURCE_DIR) + "/scenarios/platforms/rack.xml";

/// Guests of four hosts of the rack that cost nothing but their disk.
std::string on_the_rack(const std::string& guests, const std::string& disk, const std::string& workload,
                        const std::string& end) {
  return fmt::format(R"(schema = 1
name = "rack"
{}
machine = {{ platform = "{}" }}
latency = {{ profile = "zero" }}
[[host]]
name = "node"
count = 4
on = "node-*"
[[vm]]
name = "web"
weight = 1
[fleet]
{}
[[channel]]
name = "disk"
driver = "storage"
device = {{ disk = "{}" }}
[[workload]]
name = "load"
channel = "disk"
{}
)",
                     end, rack, guests, disk, workload);
}

nlohmann::json summary_of(const User& user, const std::string& text) {
  user.writes("s.toml", text);
  const Answer answer = user.types("vmbsim run s.toml --out o");
  INFO(answer.out << answer.err);
  REQUIRE(answer.status == 0);
  return nlohmann::json::parse(user.reads("o/summary.json"));
}

}  // namespace

TEST_CASE("a fleet's results tell of its hosts, its templates and all of it") {
  const User user;
  const Answer answer = user.types("vmbsim run " + studies + "fleet-per-host.toml --set run_for=10ms --out o");
  INFO(answer.err);
  CHECK(answer.status == 0);
  const auto summary = nlohmann::json::parse(user.reads("o/summary.json"));
  REQUIRE(summary["hosts"].size() == 4);
  CHECK(summary["hosts"][3]["name"] == "node[3]");
  CHECK(summary["hosts"][0]["utilisation"]["idle"] < 1);
  CHECK(summary["templates"][1]["name"] == "database");
  CHECK(summary["templates"][1]["guests"] == 8);
  CHECK(summary["fleet"]["guests"] == 32);
  CHECK_THAT(user.reads("o/summary.csv"),
             Catch::Contains(",fleet.worst_host.latency.p99,") && Catch::Contains(",host.node[*].processor.busy,") &&
                 Catch::Contains(",template.web.latency.p99,") && Catch::Contains(",device.array:lun.utilisation,"));
  CHECK_THAT(answer.out, Catch::Contains("busiest disk") && Catch::Contains("node[*] (4)"));
}

TEST_CASE("a disk of another host is as far away as the links say") {
  // There: 4 us and 64 B at 3.125 GB/s; the disk: 16 KiB at 6 GB/s; back: 4 us and 16400 B at 3.125 GB/s: 15,999 ns in all.
  const User user;
  const auto summary = summary_of(user, on_the_rack("count = 1", "array:lun", "request = \"16KiB\"", "packets = 100"));
  CHECK(summary["channels"][0]["latency_ns"]["mean"] == Approx(15'999).margin(3));
}

TEST_CASE("the guests of a host share its disk as a processor-sharing queue") {
  // M/D/1-PS: the mean is that of the service time over 1 - load, whatever the service times are.
  // Source: Kleinrock, "Queueing Systems", volume 2, section 4.4. 64 KiB at 3.2 GB/s take 20.48 us; 4 x 8,545/s of it are 0.7.
  const User user;
  const auto summary =
      summary_of(user, on_the_rack("per_host = 4", "*:ssd",
                                   "loop = \"open\"\narrivals = { poisson = \"8545/s\" }\nrequest = \"64KiB\"",
                                   "packets = 160000"));
  for (const auto& host : summary["hosts"]) {
    CHECK(host["latency_ns"]["mean"] == Approx(20'480 / 0.3).epsilon(0.06));
    CHECK(host["busiest_disk"] == Approx(0.7).epsilon(0.03));
  }
}

TEST_CASE("a scenario whose table of arrivals is wrong is refused with the place of each cell") {
  const User user;
  user.writes("day.csv", "time (ms),vm,lifetime (ms)\n1,web,\n2,wbe,3\n4,web,-1\n");
  user.writes("s.toml", on_the_rack("arrivals = { file = \"day.csv\" }", "*:ssd", "", "run_for = \"5ms\""));
  const Answer answer = user.types("vmbsim check s.toml");
  CHECK(answer.status == 2);
  CHECK_THAT(answer.err,
             Catch::Contains("day.csv:3:3: there is no [[vm]] \"wbe\" (did you mean \"web\"?)") &&
                 Catch::Contains(
                     "day.csv:4:7: \"lifetime (ms)\" \"-1\": out of range; right would be above 0, up to 10 years"));
}

TEST_CASE("hosts, disks and routes that the platform does not have are told before anything runs") {
  const User user;
  user.writes("split.xml",
              "<?xml version=\"1.0\"?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n<platform "
              "version=\"4.1\">\n"
              "<zone id=\"z\" routing=\"Full\"><host id=\"a\" speed=\"1Gf\"/><host id=\"b\" speed=\"1Gf\">"
              "<disk id=\"d\" read_bw=\"1GBps\" write_bw=\"1GBps\"/></host></zone>\n</platform>\n");
  user.writes("s.toml", on_the_rack("count = 1", "b:d", "", "run_for = \"5ms\""));
  const auto told = [&](const std::string& changes) {
    const Answer answer = user.types("vmbsim run s.toml " + changes);
    CHECK(answer.status == 2);
    return answer.err;
  };
  CHECK_THAT(told("--set machine.platform=split.xml --set host.node.count=1 --set host.node.on=a"),
             Catch::Contains("the platform has no route from \"a\" to \"b\" and back"));
  CHECK_THAT(told(""), Catch::Contains("the platform has no disk \"b:d\""));
  CHECK_THAT(told("--set host.node.on=nod-*"), Catch::Contains("the platform has no host \"nod-0\""));
}

TEST_CASE("plan says how many guests of a mix a host carries") {
  // A disk of 100 us for the guests of each host, 1,000/s from each guest: M/M/1, whose p99 is 4.605 / (10,000/s - rate).
  // Six guests: 1.15 ms; seven: 1.54 ms. Source: Kleinrock, "Queueing Systems", volume 1, section 3.2.
  const User user;
  user.writes("q.toml", R"(schema = 1
name = "mix"
seed = 3
warm_up = "50ms"
packets = 16000
latency = { profile = "zero" }
[[host]]
name = "node"
count = 4
[[disk]]
name = "ssd"
service = { exponential = "100us" }
[[vm]]
name = "even"
weight = 1
[[vm]]
name = "odd"
weight = 1
[fleet]
per_host = 1
[[channel]]
name = "left"
vm = "even"
driver = "storage"
device = { disk = "ssd" }
[[channel]]
name = "right"
vm = "odd"
driver = "storage"
device = { disk = "ssd" }
[[workload]]
name = "l"
channel = "left"
loop = "open"
arrivals = { poisson = "1000/s" }
[[workload]]
name = "r"
channel = "right"
loop = "open"
arrivals = { poisson = "1000/s" }
[objective]
"fleet.latency.p99" = "< 1.35ms"
[plan]
first_runs = 4
[[plan.vary]]
key = "fleet.per_host"
from = 1
to = 9
)");
  const Answer answer = user.types("vmbsim plan q.toml --jobs 2");
  INFO(answer.err);
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out,
             Catch::Contains("fleet.per_host = 6: 95 % sure that fleet.latency.p99 stays < 1.35ms; at 7 it breaks"));
}

TEST_CASE("a batch says at which points guests found no place, and compare holds it against whoever has more of them") {
  const User user;
  user.writes("s.toml", on_the_rack("count = 4\nplacement = \"first-fit\"", "*:ssd", "", "run_for = \"1ms\"") +
                            "[sweep]\n[[sweep.axis]]\nkey = \"fleet.count\"\nvalues = [4, 9]\n");
  const Answer before = user.types("vmbsim batch s.toml --progress none --set host.node.room.guests=2");
  CHECK(before.status == 0);
  CHECK_THAT(before.out, Catch::EndsWith("--long\n1 guest found no place at fleet.count=9\n"));
  const Answer after = user.types("vmbsim batch s.toml --progress none --set host.node.room.guests=1 --out after");
  CHECK_THAT(after.out, Catch::EndsWith("--long\n5 guests found no place at fleet.count=9\n"));
  const Answer compared = user.types("vmbsim compare s.campaign after");
  CHECK(compared.status == 1);
  CHECK_THAT(compared.out, Catch::StartsWith("worse    fleet.count=9: fleet.refused 1 -> 5 (+400.0 %)\n"));
}

TEST_CASE("what check says of a batch with guests that come and go is what the batch takes") {
  // Half of the run nobody is there; then a hundred guests come at once, and leave again after a quarter of it.
  const User user;
  std::string day = "time,vm,lifetime\n";
  for (int i = 0; i < 100; ++i) day += "100ms,web,50ms\n";
  user.writes("day.csv", day);
  user.writes("s.toml", on_the_rack("count = 1\narrivals = { file = \"day.csv\" }", "*:ssd",
                                    "loop = \"open\"\narrivals = { poisson = \"2000/s\" }", "run_for = \"200ms\"") +
                            "[sweep]\nrepeat = 2\n");
  const Answer check = user.types("vmbsim check s.toml");
  INFO(check.out);
  CHECK_THAT(check.out, Catch::Contains("about 10400 packets in all"));  // 2,000/s for 0.2 s, and 100 times for 0.05 s
  const auto seconds_in = [](const std::string& text, const std::string& before) {
    return std::stod(text.substr(text.find(before) + before.size()));
  };
  const double promised = seconds_in(check.out, "of store and about ");
  const Answer batch = user.types("bash -c \"TIMEFORMAT=%U; time '$VMBSIM' batch s.toml --progress none --jobs 1\"");
  INFO(batch.out << batch.err);
  const double taken = std::stod(batch.err);
  CHECK(promised > 0.3 * taken);
  CHECK(promised < 3 * taken);
}
