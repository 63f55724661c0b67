// What may be expected is what a run measures: every metric of its result, and nothing else.
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "models/scenario/expectations.hpp"
#include "sim/report/metrics.hpp"
#include "tests/support/runs.hpp"
#include "tests/unit/models_scenario/texts.hpp"

using namespace vmbsim;
using namespace vmbsim::scenario;
using namespace vmbsim::scenario::test;

namespace {

/// Guests of one and of several processors, of one and of several instances, with and without a device.
const std::string various = R"(schema = 1
name = "various"
run_for = "1us"
[machine]
host_cpus = 2
[[vm]]
name = "web"
count = 3
cpus = 2
[[vm]]
name = "db"
count = 2
[[vm]]
name = "log"
[[channel]]
name = "disk"
vm = "web"
driver = "storage"
device = { service = "80us" }
[[channel]]
name = "tape"
vm = "log"
driver = "storage"
device = { service = "80us" }
[[channel]]
name = "pipe"
vm = "db"
driver = "echo"
[[workload]]
name = "reads"
channel = "disk"
[[workload]]
name = "writes"
channel = "tape"
[[workload]]
name = "calls"
channel = "pipe"
)";

bool may_be_expected(const Scenario& s, const std::string& metric) {
  // A value of any unit will do: only the name is asked about.
  for (const char* demand : {"> 1", "> 1ns", "> 1B", "> 1B/s", "> 1/s"})
    if (std::holds_alternative<Expectation>(expectation(s, metric, demand))) return true;
  return false;
}

}  // namespace

TEST_CASE("every metric of a run may be expected, and none that the run has not") {
  const std::string text = GENERATE(various, smallest);
  const Scenario s = testing::scenario_of(text);
  const std::vector<std::string> measured = report::metric_names(testing::run(s));
  const std::set<std::string> exist(measured.begin(), measured.end());
  std::set<std::string> things;
  for (const std::string& metric : measured) {
    INFO(metric);
    CHECK(may_be_expected(s, metric));
  }
  // The same names, of things one further, one of all, all of one.
  std::size_t absent = 0;
  for (const std::string& metric : measured)
    for (const auto& [old, other] : {std::pair{"[0]", "[2]"},
                                     {"[0]", "[3]"},
                                     {"[*]", "[1]"},
                                     {"[*]", ""},
                                     {"[0]", ""},
                                     {"cpu0", "cpu1"},
                                     {"cpu0", "cpu2"},
                                     {"cpu0", "cpu*"},
                                     {"cpu*", "cpu0"},
                                     {"cpu0", "cpu"},
                                     {"disk", "pipe"},
                                     {"host", "web"},
                                     {"web", "db"},
                                     {"db", "log"},
                                     {"[0]", "[*]"},
                                     {"[0]", "[00]"}}) {
      std::string changed = metric;
      const std::size_t at = changed.find(old);
      if (at == std::string::npos) continue;
      changed.replace(at, std::string(old).size(), other);
      if (exist.count(changed) != 0) continue;
      // What means the only one of its kind is put into the words of the result.
      const auto answer = expectation(s, changed, "> 1");
      if (const auto* accepted = std::get_if<Expectation>(&answer)) {
        INFO(changed << " taken as " << accepted->metric);
        CHECK(exist.count(accepted->metric) == 1);
      } else {
        ++absent;
      }
    }
  CHECK(absent > 5);
}

TEST_CASE("one of a kind may be expected as all of them") {
  const Scenario s = testing::scenario_of(smallest);
  const auto metric_of = [&](const std::string& written) {
    return std::get<Expectation>(expectation(s, written, "> 1")).metric;
  };
  CHECK(metric_of("processor.guest[*].cpu*.dpc") == "processor.guest.cpu0.dpc");
  CHECK(metric_of("processor.host.cpu*.dpc") == "processor.host.cpu0.dpc");
  CHECK(metric_of("channel.guest[0].disk.sent") == "channel.disk.sent");
  CHECK(metric_of("device.guest[*].disk.operations") == "device.disk.operations");
}

TEST_CASE("a disk of the platform may be expected by its name") {
  const std::string text = R"(schema = 1
name = "platform"
run_for = "1ms"
machine = { platform = "default", host = "server" }
[[channel]]
name = "disk"
driver = "storage"
device = { disk = "server:ssd0" }
[[workload]]
name = "load"
channel = "disk"
[expect]
)";
  CHECK(texts_of(load_text(text + "\"device.server:ssd0.operations\" = \"> 1\"\n").problems) == "");
  CHECK(texts_of(load_text(text + "\"device.server:ssd1.operations\" = \"> 1\"\n").problems) ==
        "device.server:ssd1.operations = \"> 1\": there is no device \"server:ssd1\" (did you mean "
        "\"server:ssd0\"?)\n");
  CHECK(texts_of(load_text(text + "\"device.disk.operations\" = \"> 1\"\n").problems) ==
        "device.disk.operations = \"> 1\": there is no device \"disk\"; there are: server:ssd0\n");
}

TEST_CASE("placement moves the interrupts of a channel, and its loads stay where they are") {
  const RunResult result = testing::run(testing::scenario_of(R"(schema = 1
name = "placed"
run_for = "2ms"
machine = { guest_cpus = 4, host_cpus = 4 }
[[channel]]
name = "pipe"
driver = "echo"
subchannels = 3
placement = "first"
[[workload]]
name = "calls"
channel = "pipe"
loop = "open"
arrivals = { periodic = "100000/s" }
request = "64B"
)"));
  for (const char* cpu : {"0", "1", "2", "3"}) {
    INFO("guest.cpu" << cpu);
    CHECK(report::metric_value(result, std::string("processor.guest.cpu") + cpu + ".thread") > 0.);
    CHECK((report::metric_value(result, std::string("processor.guest.cpu") + cpu + ".dpc") > 0.) ==
          (std::string(cpu) == "0"));
  }
}
