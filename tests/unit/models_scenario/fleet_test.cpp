// Who lives where: placement, mixes, arrivals and their table, as values.
#include <catch2/catch.hpp>

#include "models/scenario/arrivals.hpp"
#include "models/scenario/fleet.hpp"
#include "tests/unit/models_scenario/texts.hpp"

using namespace vmbsim;
using namespace vmbsim::scenario;
using namespace vmbsim::scenario::test;

namespace {

using Policy = FleetSpec::Placement;

/// "web[0] on a, db[0] on b; 1 refused": in the order of their places.
std::string told(const Fleet& fleet, const std::vector<VmSpec>& vms) {
  std::string out;
  for (const Guest& guest : fleet.guests)
    out += (out.empty() ? "" : ", ") + vms[guest.vm].name + "[" + std::to_string(guest.index) + "] on " +
           fleet.hosts[guest.host].name;
  if (!fleet.refused.empty()) out += "; " + std::to_string(fleet.refused.size()) + " refused";
  return out;
}

std::string placed(const std::vector<HostSpec>& hosts, const std::vector<VmSpec>& vms, FleetSpec fleet) {
  fleet.written = true;
  return told(place({.hosts = hosts, .by_name = true, .vms = vms, .fleet = fleet}), vms);
}

HostSpec host(const char* name, std::uint32_t room_cpus = 0, std::uint32_t count = 1) {
  HostSpec spec;
  spec.name = name;
  spec.count = count;
  spec.room_cpus = room_cpus;
  return spec;
}

VmSpec vm(const char* name, std::uint32_t cpus, std::uint32_t weight = 1) {
  VmSpec spec;
  spec.name = name;
  spec.cpus = cpus;
  spec.count = 0;
  spec.weight = weight;
  return spec;
}

FleetSpec of(std::uint32_t count, Policy placement = Policy::round_robin) {
  FleetSpec spec;
  spec.count = count;
  spec.placement = placement;
  return spec;
}

const std::string two_hosts = R"(
[[host]]
name = "a"
[[host]]
name = "b"
room = { cpus = 4, memory = "8GiB", guests = 3 }
[[vm]]
name = "web"
weight = 3
memory = "1GiB"
[[vm]]
name = "db"
cpus = 2
weight = 1
[fleet]
count = 4
[[channel]]
name = "other"
vm = "db"
driver = "echo"
[[workload]]
name = "more"
channel = "other"
)";

std::string fleet_text() {
  return "schema=1\nname=\"f\"\nrun_for=\"10ms\"\n" + two_hosts +
         "[[channel]]\nname=\"disk\"\nvm=\"web\"\ndriver=\"storage\"\ndevice={service=\"80us\"}\n[[workload]]\nname="
         "\"load\"\nchannel=\"disk\"\n";
}

std::string problems_of_fleet(const std::vector<std::string>& overrides) {
  return texts_of(load_text(fleet_text(), {.overrides = overrides}).problems);
}

}  // namespace

TEST_CASE("guests go to the hosts in turn, to the first with room, or to the least loaded") {
  const std::vector<HostSpec> hosts{host("a", 4), host("b", 8)};
  const std::vector<VmSpec> one{vm("w", 2)};
  CHECK(placed(hosts, one, of(3)) == "w[0] on a, w[1] on b, w[2] on a");
  CHECK(placed(hosts, one, of(3, Policy::first_fit)) == "w[0] on a, w[1] on a, w[2] on b");
  // Shares of the processors: a has 1/2 after one guest, b 1/4 after one and 1/2 after two.
  CHECK(placed(hosts, one, of(4, Policy::least_loaded)) == "w[0] on a, w[1] on b, w[2] on b, w[3] on a");
}

TEST_CASE("whoever fits nowhere is refused, and a smaller guest may still find room") {
  const std::vector<HostSpec> hosts{host("a", 4), host("b", 3)};
  CHECK(placed(hosts, {vm("big", 3), vm("small", 1)}, of(4)) == "big[0] on a, small[0] on b, small[1] on a; 1 refused");
  for (Policy placement : {Policy::round_robin, Policy::first_fit, Policy::least_loaded})
    CHECK(placed(hosts, {vm("w", 2)}, of(5, placement)).find("; 2 refused") != std::string::npos);
}

TEST_CASE("room is processors, memory and guests, whichever runs out first") {
  HostSpec spec = host("a");
  VmSpec guest = vm("w", 2);
  guest.memory = Bytes{4};
  const auto most = [&] { return placed({spec}, {guest}, of(9)); };
  spec.room_memory = Bytes{11};
  CHECK(most() == "w[0] on a, w[1] on a; 7 refused");
  spec.room_guests = 1;
  CHECK(most() == "w[0] on a; 8 refused");
}

TEST_CASE("a mix keeps to its shares at every size, and one guest more changes none of the others") {
  const std::vector<VmSpec> vms{vm("a", 1, 3), vm("b", 1, 2), vm("c", 1, 0), vm("d", 1, 1)};
  std::string before;
  for (std::uint32_t count = 1; count <= 60; ++count) {
    const FleetSpec spec = of(count);
    const Fleet fleet = place({.hosts = {host("h", 0, 3)}, .by_name = true, .vms = vms, .fleet = spec});
    std::vector<double> made(4);
    for (const Guest& guest : fleet.guests) ++made[guest.vm];
    for (std::size_t i = 0; i < 4; ++i) {
      INFO(count << " guests, template " << i);
      CHECK(std::abs(made[i] - count * vms[i].weight / 6.0) < 1);
    }
    const std::string now = told(fleet, vms);
    CHECK(now.compare(0, before.size(), before) == 0);
    before = now;
  }
}

TEST_CASE("per_host asks for as many guests as there are hosts times that") {
  FleetSpec spec = of(0);
  spec.per_host = 2;
  const std::vector<VmSpec> vms{vm("w", 1)};
  const std::vector<HostSpec> hosts{host("h", 0, 3)};
  CHECK(place({.hosts = hosts, .by_name = true, .vms = vms, .fleet = spec}).guests.size() == 6);
}

TEST_CASE("a guest that names its host gets it or none; a template of hosts is any of them") {
  std::vector<VmSpec> vms{vm("w", 2), vm("x", 2)};
  vms[0].host = "n[1]";
  vms[1].host = "n";
  CHECK(placed({host("m", 9), host("n", 2, 2)}, vms, of(4)) == "w[0] on n[1], x[0] on n[0]; 2 refused");
}

TEST_CASE("whoever leaves makes room for whoever comes at that instant") {
  const std::vector<VmSpec> vms{vm("w", 2)};
  FleetSpec spec;
  const auto arrival = [](Duration at, std::optional<Duration> lifetime) {
    return FleetSpec::Arrival{.at = at, .vm = 0, .host = {}, .lifetime = lifetime};
  };
  spec.arrivals = {arrival(5ms, std::nullopt), arrival(0ms, 3ms), arrival(2ms, 1ms), arrival(3ms, 1ms)};
  // One host for one guest: 0 to 3 ms; at 2 ms there is no room; from 3 ms to 4 ms; from 5 ms on.
  CHECK(placed({host("a", 2)}, vms, spec) == "w[0] on a, w[1] on a, w[2] on a; 1 refused");
}

TEST_CASE("the order of hosts in the file decides who is tried first, and nothing else") {
  const std::vector<VmSpec> vms{vm("w", 2)};
  CHECK(placed({host("b", 4), host("a", 4)}, vms, of(1)) == "w[0] on b");
  const FleetSpec none;
  const Fleet fleet = place({.hosts = {host("b"), host("a", 0, 11)}, .by_name = true, .vms = vms, .fleet = none});
  CHECK(fleet.hosts[10].name == "a[10]");
  CHECK(fleet.hosts[2].name == "a[2]");
  CHECK(fleet.hosts[11].name == "b");
}

TEST_CASE("a table of arrivals names time, template, host and lifetime, in any order of columns") {
  const std::vector<HostSpec> hosts{host("n", 0, 2)};
  const std::vector<VmSpec> vms{vm("web", 1), vm("db", 1)};
  const ArrivalsText read =
      read_arrivals("template,lifetime,time (us),host\ndb,,1.5,\nweb,2000ns,0,n[1]\n", "a.csv", {}, hosts, vms);
  REQUIRE(read.problems.empty());
  REQUIRE(read.arrivals.size() == 2);
  CHECK(read.arrivals[0].at == 1500ns);
  CHECK(read.arrivals[0].vm == 1);
  CHECK(!read.arrivals[0].lifetime);
  CHECK(read.arrivals[1].host == "n[1]");
  CHECK(read.arrivals[1].lifetime == 2us);
}

TEST_CASE("a time of a table of arrivals has the unit behind it, else that of its column, else that of the scenario") {
  const std::vector<HostSpec> hosts{host("n")};
  const std::vector<VmSpec> vms{vm("web", 1)};
  const auto first = [&](const std::string& text, std::optional<Duration> unit) {
    const ArrivalsText read = read_arrivals(text, "a.csv", unit, hosts, vms);
    REQUIRE(read.problems.empty());
    return read.arrivals.at(0).at;
  };
  CHECK(first("time (us),vm\n3ms,web\n", 1s) == 3ms);
  CHECK(first("time (us),vm\n3,web\n", 1s) == 3us);
  CHECK(first("time,vm\n3,web\n", 1s) == 3s);
  CHECK(first("time,vm\n0,web\n4 ms,web\n", {}) == 0s);
  const ArrivalsText none = read_arrivals("vm,time\nweb,0\nweb,3\nweb,4\n", "a.csv", {}, hosts, vms);
  CHECK(
      texts_of(none.problems) ==
      "\"time\" has no unit; right would be one in its name, as in \"time (ms)\", one behind each value, as in 5ms, or "
      "unit = \"ms\" in [fleet] arrivals\n");
  CHECK(none.problems.at(0).place.column == 4);
}

TEST_CASE("a table of arrivals with a column under both of its names is refused at the second") {
  for (const char* header : {"time (ms),vm,template", "time (ms),template,vm"}) {
    const ArrivalsText read =
        read_arrivals(std::string(header) + "\n1,web,db\n", "a.csv", {}, {host("n")}, {vm("web", 1), vm("db", 1)});
    CHECK(texts_of(read.problems) == "\"vm\" and \"template\" mean the same; right would be one of them\n");
    CHECK(read.problems.at(0).place.column == std::string(header).rfind(',') + 2);
  }
}

TEST_CASE("a time of a table of arrivals is decimal, without marks, signs and exponents") {
  for (const char* time : {"0x50", "\"1 000\"", "\"1,000\"", "1'000", "1e1", "+5"}) {
    CAPTURE(time);
    const ArrivalsText read =
        read_arrivals(std::string("time (ms),vm\n") + time + ",web\n", "a.csv", {}, {host("n")}, {vm("web", 1)});
    CHECK(read.arrivals.empty());
    CHECK_THAT(texts_of(read.problems),
               Catch::EndsWith(": not a number; right would be decimal digits, as in 1500 or 1.5\n"));
  }
}

TEST_CASE("every wrong cell of a table of arrivals is told with its place") {
  const std::vector<HostSpec> hosts{host("node")};
  const std::vector<VmSpec> vms{vm("web", 1)};
  const auto problems = [&](const std::string& text) {
    std::string out;
    for (const Problem& p : read_arrivals(text, "a.csv", 1ms, hosts, vms).problems) out += p.line() + "\n";
    return out;
  };
  CHECK(problems("time (s),vm,host,lifetime\n-1,web,,\n1,wbe,,\n2,web,nod,\n3,web,,0\n1,web,,5 m\nx,web,,\n") ==
        "a.csv:2:1: \"time (s)\" \"-1\": out of range; right would be 0 to 10 years\n"
        "a.csv:3:3: there is no [[vm]] \"wbe\" (did you mean \"web\"?)\n"
        "a.csv:4:7: there is no [[host]] \"nod\" (did you mean \"node\"?)\n"
        "a.csv:5:8: \"lifetime\" \"0\": out of range; right would be above 0, up to 10 years\n"
        "a.csv:6:8: \"lifetime\" \"5 m\": unknown unit \"m\"; write it as in \"5us\" (units: ns, us, ms, s)\n"
        "a.csv:7:1: \"time (s)\" \"x\": not a duration; write it as in \"5us\" (units: ns, us, ms, s)\n");
  CHECK_THAT(problems("time,host\n1,node\n"), Catch::Contains("a.csv:1:1: there is no column \"vm\""));
  CHECK(problems("time,vm\n").empty());
}

TEST_CASE("a column of a table of arrivals that nobody knows is refused, and so is one that stands twice") {
  const auto problems = [&](const std::string& text) {
    std::string out;
    for (const Problem& p : read_arrivals(text, "a.csv", 1ms, {host("n")}, {vm("web", 1)}).problems)
      out += p.line() + "\n";
    return out;
  };
  CHECK(problems("time,vm,lifetme (ms),hosts\n1,web,2,n\n") ==
        "a.csv:1:9: the column \"lifetme (ms)\" is unknown (did you mean \"lifetime\"?)\n"
        "a.csv:1:22: the column \"hosts\" is unknown (did you mean \"host\"?)\n");
  CHECK(problems("time,vm,colour\n1,web,red\n") ==
        "a.csv:1:9: the column \"colour\" is unknown; known are: time, vm, template, host, lifetime\n");
  CHECK(problems("time (min),vm\n1,web\n") ==
        "a.csv:1:1: \"time (min)\" has no unit that is known; right would be one of: (s), (ms), (us), (ns)\n");
  CHECK(problems("time;vm\n1;web\n") == "a.csv:1:1: semicolons stand between the columns; right would be commas\n");
  CHECK(problems("time\tvm\n1\tweb\n") == "a.csv:1:1: tabs stand between the columns; right would be commas\n");
  CHECK(problems("time,vm,host,host\n1,web,n,n\n") == "a.csv:1:9: 2 columns are called \"host\"; rename all but one\n");
}

TEST_CASE("a fleet is read with its hosts, its mix and its room") {
  const Loaded loaded = load_text(fleet_text());
  INFO(texts_of(loaded.problems));
  REQUIRE(loaded.scenario);
  const Scenario& s = *loaded.scenario;
  CHECK(s.hosts[1].room_cpus == 4);
  CHECK(s.hosts[1].room_memory == Bytes{std::int64_t{8} << 30});
  CHECK(s.hosts[1].room_guests == 3);
  CHECK(s.vms[0].memory == Bytes{std::int64_t{1} << 30});
  CHECK(told(s.placed, s.vms) == "web[0] on a, web[1] on b, db[0] on a, web[2] on b");
  CHECK(s.vms[0].count == 3);
  // What is resolved reads back to the same fleet.
  const Loaded again = load_text(s.resolved);
  INFO(texts_of(again.problems));
  REQUIRE(again.scenario);
  CHECK(again.scenario->resolved == s.resolved);
  CHECK(told(again.scenario->placed, again.scenario->vms) == told(s.placed, s.vms));
}

TEST_CASE("what is wrong with a fleet is told where it stands") {
  struct Row {
    std::vector<std::string> overrides;
    const char* text;
  };
  for (const Row& row : {
           Row{{"vm.web.weight=0", "vm.db.weight=0"},
               "no [[vm]] has a weight, so it is not said of which the fleet is made; give one weight = 1\n"},
           Row{{"fleet.count=0"}, "there is no guest; give [fleet] a count or arrivals, or a [[vm]] a count\n"},
           Row{{"vm.web.host=other"}, "host = \"other\": there is no such [[host]]; there are: a, b\n"},
           Row{{"fleet.per_host=1"}, "per_host: has no effect here; it is for a fleet without count\n"},
           Row{{"host.a.name=web"}, "name = \"web\": a [[host]] has this name\n"},
           Row{{"host.b.name=a"}, "name = \"a\": another [[host]] has this name; it stands at line 6\n"},
           Row{{"host.a.on=x"}, "on: has no effect here; it is for a machine with a platform\n"},
           Row{{"channel.disk.device={disk=\"ssd\"}"},
               "disk = \"ssd\": there is no such [[disk]]; a disk of the platform is called \"host:disk\"\n"},
           Row{{"channel.disk.device={disk=\"*:ssd\"}"},
               "disk = \"*:ssd\": there is no platform that could have it; give [machine] a platform\n"},
           Row{{"fleet.placement=best"},
               "placement = \"best\": unknown; right would be one of: round-robin, first-fit, "
               "least-loaded\n"},
       }) {
    INFO(row.overrides.front());
    CHECK(problems_of_fleet(row.overrides) == row.text);
  }
  CHECK(problems_of_fleet({"host.a.room={guests=1}", "host.b.room={guests=1}", "vm.web.cpus=9"}).empty());
  CHECK(problems_of_fleet({"host.a.room={cpus=1}", "host.b.room={cpus=1}", "vm.web.cpus=9"}) ==
        "no guest fits on any host; more room would be right\n");
  CHECK(problems_after({"vm=[{name=\"guest\",weight=1}]"}) ==
        "weight: has no effect here; it is for a scenario with a [fleet]\n");
}

TEST_CASE("expectations name hosts, templates and the fleet") {
  for (const char* metric : {"host.a.latency.p99", "host.b.processor.busy", "template.web.refused", "fleet.guests",
                             "fleet.worst_host.latency.p99", "processor.a.cpu0.dpc", "channel.web[*].disk.throughput"})
    CHECK(problems_of_fleet({std::string("expect.\"") + metric + "\"=\"> 1" +
                             (std::string(metric).find("p99") != std::string::npos          ? "ns"
                              : std::string(metric).find("throughput") != std::string::npos ? "/s"
                                                                                            : "") +
                             "\""}) == "");
  CHECK(problems_of_fleet({"expect.\"host.c.guests\"=\"= 1\""}).find("there is no host \"c\"") != std::string::npos);
  CHECK(problems_after({"expect.\"fleet.guests\"=\"= 1\""}).find("unknown metric") != std::string::npos);
}
