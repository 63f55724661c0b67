// The resolved text is the scenario: it reads back to itself, and leaves nothing to a default.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/scenario/profiles.hpp"
#include "sim/kernel/random.hpp"
#include "tests/unit/models_scenario/texts.hpp"

using namespace vmbsim;
using namespace vmbsim::scenario;
using namespace vmbsim::scenario::test;

namespace {

const std::string full = R"(schema = 1
name = "every \"key\" µ"
seed = 9223372036854775807
warm_up = "1.5us"
run_for = "200ms"
packets = 1000000
[machine]
guest_cpus = 3
host_cpus = 5
[[vm]]
name = "web"
count = 2
[[vm]]
name = "db"
cpus = 7
[latency]
profile = "zero"
isr = { exponential = "1.5us" }
hypercall = { uniform = ["900ns", "1500ns"] }
device_isr = { lognormal = { median = "1us", p99 = "4us" } }
copy_per_kib = "60ns"
[[channel]]
name = "net"
vm = "web"
driver = "echo"
placement = "first"
[channel.batching]
mode = "limit"
max_packets = 3
mask = true
[[channel]]
name = "disk"
vm = "db"
driver = "storage"
subchannels = 2
[channel.ring]
to_host = "64KiB"
to_guest = "3 pages"
[channel.host_endpoint]
processing = "passive"
transaction_quota = 9
process_time = { exponential = "2us" }
[channel.device]
service = { lognormal = { median = "80us", p99 = "400us" } }
parallel = 4
completion = "worker"
[[workload]]
name = "a"
channel = "net"
loop = "open"
arrivals = { mmpp = [{ rate = "1.5/ms", stay = "10ms" }, { rate = "0.5/s", stay = "1s" }] }
request = "100B"
[[workload]]
name = "b"
channel = "disk"
loop = "open"
arrivals = { renewal = { uniform = ["0ns", "9us"] } }
request = [{ size = "4KiB", weight = 3 }, { size = "64KiB", weight = 1 }]
read_fraction = 0.7
[[workload]]
name = "c"
channel = "disk"
queue_depth = 8
think_time = "3us"
[sweep]
combine = "zip"
repeat = 2
[[sweep.axis]]
key = ["workload.c.queue_depth"]
values = [1, 2.5, "x", true, { a = [1] }]
[objective]
run.findings = "= 0"
channel.disk.latency.p99 = "< 2ms"
[report]
rows = ["latency.p99"]
against = "workload.c.queue_depth"
[expect]
"channel.web[*].net.latency.p99" = "< 2ms"
channel.disk.throughput = ">= 1000/s"
[record]
packets = true
intervals = "10ms"
)";

Loaded reread(const Scenario& s) { return load_text(expand(s)); }

std::vector<std::int64_t> draws(const kernel::Distribution& d) {
  kernel::Stream stream(Seed{5}, "test", "round trip");
  std::vector<std::int64_t> out;
  for (int i = 0; i < 20; ++i) out.push_back(d.sample(stream).count());
  return out;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("the resolved scenario reads back to itself") {
  for (const std::string& text : {smallest, full}) {
    const Loaded once = load_text(text);
    REQUIRE(texts_of(once.problems) == "");
    const Loaded again = reread(*once.scenario);
    REQUIRE(texts_of(again.problems) == "");
    CHECK(expand(*again.scenario) == expand(*once.scenario));
  }
}

TEST_CASE("the values of the resolved scenario are those of the scenario") {
  const Scenario a = *load_text(full).scenario;
  const Scenario b = *reread(a).scenario;
  CHECK(b.name == a.name);
  CHECK(b.seed == a.seed);
  CHECK(b.warm_up == a.warm_up);
  CHECK(b.run_for == a.run_for);
  CHECK(b.packets == a.packets);
  CHECK(b.vms[0].cpus == a.vms[0].cpus);
  CHECK(draws(b.costs.isr) == draws(a.costs.isr));
  CHECK(draws(b.costs.hypercall) == draws(a.costs.hypercall));
  CHECK(draws(b.costs.device_isr) == draws(a.costs.device_isr));
  CHECK(b.channels[1].to_host == a.channels[1].to_host);
  CHECK(draws(b.channels[1].device.service) == draws(a.channels[1].device.service));
  CHECK(b.channels[0].batching.mask);
  CHECK(b.workloads[1].request.size() == 2);
  CHECK(b.workloads[1].read_permille == 700);
  CHECK(b.expect.size() == 2);
  CHECK(b.expect[1].value == a.expect[1].value);
  CHECK(b.sweep.axes[0].values == a.sweep.axes[0].values);
  CHECK(b.objective.size() == 2);
  CHECK(b.objective[1].value == 2e6);
  CHECK(b.record.interval == 10ms);
}

TEST_CASE("the resolved scenario stands alone: includes, overrides and profile files are in it") {
  const Folder folder;
  std::string costs = "schema = 1\nname = \"mine\"\n";
  std::string zero(*embedded_profile("zero"));
  costs += zero.substr(zero.find("[latency]"));
  costs.replace(costs.find("\"0ns\""), 5, "\"7ns\"");
  folder.write("mine.toml", costs);
  folder.write("base.toml", smallest);
  const std::string file =
      folder.write("s.toml", "include = [\"base.toml\"]\nname = \"laid over\"\n[latency]\nprofile = \"mine.toml\"\n");
  const Loaded once = load(file, {.overrides = {"workload.load.queue_depth=9"}});
  REQUIRE(texts_of(once.problems) == "");
  CHECK(once.scenario->costs.signal_host.mean() == 7ns);
  std::filesystem::remove(folder.path("mine.toml"));
  const Loaded again = reread(*once.scenario);
  REQUIRE(texts_of(again.problems) == "");
  CHECK(again.scenario->name == "laid over");
  CHECK(again.scenario->workloads[0].queue_depth == 9);
  CHECK(again.scenario->costs.signal_host.mean() == 7ns);
}

TEST_CASE("an embedded profile is the file in the tree, and gives every number its provenance") {
  CHECK(embedded_profile_names() == std::vector<std::string>{"typical", "zero"});
  for (const std::string& name : embedded_profile_names()) {
    const std::string text = text_of(std::filesystem::path(VMBSIM_SOURCE) / "scenarios/profiles" / (name + ".toml"));
    CHECK(embedded_profile(name) == text);
    std::istringstream lines(text.substr(text.find("[latency]")));
    std::string line;
    std::getline(lines, line);
    int numbers = 0;
    while (std::getline(lines, line)) {
      if (line.empty()) continue;
      ++numbers;
      INFO(line);
      CHECK((line.find("# assumed") != std::string::npos || line.find("# by definition") != std::string::npos));
    }
    CHECK(numbers == 15);
  }
}

TEST_CASE("the schema for editors knows every key of the resolved scenario") {
  const auto schema = nlohmann::json::parse(json_schema());
  CHECK(schema["$schema"] == "http://json-schema.org/draft-04/schema#");
  const auto& top = schema["properties"];
  CHECK(top.contains("include"));
  // Walk the headers and keys of the resolved text through the schema.
  std::istringstream lines(expand(*load_text(full).scenario));
  const nlohmann::json* table = &schema;
  bool free_keys = false;
  int keys = 0;
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    if (line.empty()) continue;
    if (line[0] == '[') {
      std::istringstream path(line.substr(line.find_first_not_of('['), line.find(']') - line.find_first_not_of('[')));
      table = &schema;
      for (std::string key; std::getline(path, key, '.');) {
        REQUIRE(table->contains("properties"));
        REQUIRE((*table)["properties"].contains(key));
        table = &(*table)["properties"][key];
        if ((*table)["type"] == "array") table = &(*table)["items"];
      }
      free_keys = !table->contains("properties");
      continue;
    }
    if (free_keys) continue;
    ++keys;
    const std::string key = line.substr(0, line.find(' '));
    REQUIRE((*table)["properties"].contains(key));
    CHECK((*table)["properties"][key].contains("description"));
  }
  CHECK(keys > 70);
}
