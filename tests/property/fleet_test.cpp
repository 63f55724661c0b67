// Fleets as they run: what a guest draws is its own, hosts have no order, arrivals and departures balance.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/support/runs.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

const std::string load = R"(
[[channel]]
name = "disk"
vm = "web"
driver = "storage"
host_endpoint = { process_time = { exponential = "3us" } }
device = { disk = "ssd" }
[[workload]]
name = "reader"
channel = "disk"
loop = "open"
arrivals = { poisson = "9000/s" }
request = [{ size = "4KiB", weight = 3 }, { size = "64KiB", weight = 1 }]
[[disk]]
name = "ssd"
service = { exponential = "60us" }
parallel = 4
)";

const std::string head = "schema = 1\nname = \"fleet\"\nrun_for = \"40ms\"\nrecord = { packets = true }\n";

RunResult run_of(const std::string& hosts, const std::string& guests, const std::vector<std::string>& overrides = {}) {
  return run(scenario_of(head + hosts + guests + load, overrides));
}

const ChannelResult& channel_of(const RunResult& result, const std::string& name) {
  for (const ChannelResult& channel : result.channels)
    if (channel.name == name) return channel;
  throw std::runtime_error("no channel " + name);
}

/// When the guest's driver sent the packets of one channel, from the start of the run.
std::vector<SimTime> submissions(const RunResult& result, const std::string& name) {
  std::vector<SimTime> times;
  for (const PacketRow& row : result.packets)
    if (result.channels[row.channel].name == name) times.push_back(row.submitted);
  std::sort(times.begin(), times.end());
  return times;
}

const std::string three = "[[host]]\nname = \"n\"\ncount = 3\ncpus = 2\n";
const std::string mix = "[[vm]]\nname = \"web\"\nweight = 1\n[fleet]\n";

}  // namespace

TEST_CASE("a fleet on one host is the plain scenario with as many guests, bit for bit") {
  for (const char* count : {"1", "2", "5"}) {
    const std::string n = std::string("count = ") + count + "\n";
    const RunResult plain = run_of("machine = { host_cpus = 2 }\n", "[[vm]]\nname = \"web\"\n" + n);
    const RunResult fleet = run_of("[[host]]\nname = \"host\"\ncpus = 2\n", mix + n);
    INFO(count);
    CHECK(fleet.fingerprint == plain.fingerprint);
    CHECK(fleet.transactions == plain.transactions);
    CHECK(fleet.transactions > 0);
  }
}

TEST_CASE("one guest more on a host of its own changes nothing for the others") {
  const RunResult two = run_of(three, mix + "count = 2\n");
  const RunResult three_guests = run_of(three, mix + "count = 3\n");
  for (const char* name : {"web[0].disk", "web[1].disk"}) {
    CHECK(submissions(two, name) == submissions(three_guests, name));
    CHECK(channel_of(two, name).latency == channel_of(three_guests, name).latency);
    CHECK(channel_of(two, name).measured > 100);
  }
}

TEST_CASE("hosts have no order: swapped in the file, every guest has the run it had") {
  const std::string a = "[[host]]\nname = \"a\"\ncpus = 1\n";
  const std::string b = "[[host]]\nname = \"b\"\ncpus = 2\n";
  const std::string guests =
      "[[vm]]\nname = \"web\"\nhost = \"b\"\ncount = 2\n[[vm]]\nname = \"other\"\nhost = \"a\"\n"
      "[[channel]]\nname = \"echo\"\nvm = \"other\"\ndriver = \"echo\"\n[[workload]]\nname = \"e\"\nchannel = "
      "\"echo\"\n";
  CHECK(run_of(a + b, guests).fingerprint == run_of(b + a, guests).fingerprint);
}

TEST_CASE("the sums of hosts and of templates are those of their channels") {
  const RunResult result = run_of(three, mix + "count = 8\n");
  REQUIRE(result.fleet);
  std::uint64_t measured = 0, of_hosts = 0;
  for (const ChannelResult& channel : result.channels) measured += channel.measured;
  for (const HostResult& host : result.fleet->hosts) of_hosts += host.traffic.latency.count();
  CHECK(of_hosts == measured);
  CHECK(result.fleet->templates[0].traffic.latency.count() == measured);
  CHECK(result.fleet->templates[0].guests == 8);
  CHECK(result.fleet->hosts[0].guests == 3);
  CHECK(result.fleet->hosts[2].guests == 2);
  CHECK(result.fleet->peak_guests == 8);
  for (const HostResult& host : result.fleet->hosts) {
    const ProcessorResult& all = host.processors;
    CHECK(all.isr + all.dpc + all.thread + all.spin + all.idle == 2 * result.measured);
    CHECK(host.busiest_disk > 0);
    CHECK(host.busiest_disk < 1);
  }
}

TEST_CASE("guests that come and go are counted, and everything they asked for is answered") {
  using scenario::FleetSpec;
  scenario::Scenario s = scenario_of(head + three + mix + "count = 2\n" + load, {"host.n.room={guests=1}"});
  s.fleet.arrivals = {{.at = 5ms, .vm = 0, .host = {}, .lifetime = 10ms},
                      {.at = 6ms, .vm = 0, .host = {}, .lifetime = std::nullopt},    // no room
                      {.at = 15ms, .vm = 0, .host = {}, .lifetime = std::nullopt},   // where the first has left
                      {.at = 50ms, .vm = 0, .host = {}, .lifetime = std::nullopt}};  // after the end
  s.vms[0].count = 0;
  s.placed = scenario::place({.hosts = s.hosts, .by_name = true, .vms = s.vms, .fleet = s.fleet});
  s.vms[0].count = static_cast<std::uint32_t>(s.placed.guests.size());
  const RunResult result = run(s);
  INFO(text_of(result.findings));
  CHECK(result.findings.empty());
  const TemplateResult& web = result.fleet->templates[0];
  CHECK(web.guests == 4);
  CHECK(web.refused == 1);
  CHECK(web.departed == 1);
  CHECK(result.fleet->peak_guests == 3);
  const ChannelResult& visitor = channel_of(result, "web[2].disk");
  CHECK(visitor.outstanding == 0);
  // 9,000/s for the 10 ms it is there, less the boot of its devices: 90, give or take four standard deviations of Poisson.
  CHECK(visitor.completed > 50);
  CHECK(visitor.completed < 128);
  const std::vector<SimTime> sent = submissions(result, "web[2].disk");
  const std::vector<SimTime> first = submissions(result, "web[0].disk");
  CHECK(sent.back() - first.front() < 16ms);
  CHECK(sent.front() - first.front() > 4ms);
}

TEST_CASE("a guest that comes when all is over, or goes before it has booted, is a warning") {
  scenario::Scenario s = scenario_of(head + three + mix + "count = 2\n" + load);
  s.fleet.arrivals = {{.at = 20ms, .vm = 0, .host = {}, .lifetime = 5us},
                      {.at = 21ms, .vm = 0, .host = {}, .lifetime = 10ms},
                      {.at = 50ms, .vm = 0, .host = {}, .lifetime = std::nullopt}};
  s.vms[0].count = 0;
  s.placed = scenario::place({.hosts = s.hosts, .by_name = true, .vms = s.vms, .fleet = s.fleet});
  s.vms[0].count = static_cast<std::uint32_t>(s.placed.guests.size());
  const RunResult result = run(s);
  INFO(text_of(result.findings));
  REQUIRE(result.findings.size() == 2);
  CHECK(result.count(Severity::warning) == 2);
  CHECK(result.findings[0].text == "1 guest comes after the end of the run, at 40ms; the first at 50ms");
  CHECK(result.findings[1].where == "web[2]");
  CHECK(result.findings[1].text ==
        "1 guest left before booting was over, without a request; the first was to stay for 5us");
}

TEST_CASE("ten thousand reads keep a disk as busy as their service times say") {
  // Utilisation law: throughput times mean service over servers. Source: Denning and Buzen, 1978.
  const RunResult result = run_of("", "[[vm]]\nname = \"web\"\ncount = 4\n", {"run_for=400ms", "record.packets=false"});
  const DeviceResult& ssd = result.devices.at(0);
  CHECK(ssd.name == "host:ssd");
  const double rate = static_cast<double>(ssd.operations) / (static_cast<double>(result.measured.count()) / 1e9);
  CHECK(ssd.utilisation == Approx(rate * 60e-6 / 4).epsilon(0.03));
}
