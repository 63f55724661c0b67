// Chance is drawn from named streams: what one part of a scenario draws does not depend on what other parts there are.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/property/random_scenario.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

constexpr const char* neighbour = R"(
[[vm]]
name = "neighbour"
[[channel]]
name = "other"
vm = "neighbour"
driver = "echo"
[[workload]]
name = "noise"
channel = "other"
loop = "open"
arrivals = { poisson = "80000/s" }
request = [{ size = "100B", weight = 1 }, { size = "200B", weight = 2 }]
)";

/// When the guest's driver sent the packets of one channel.
std::vector<SimTime> submissions(const RunResult& result, std::uint32_t channel) {
  std::vector<SimTime> times;
  for (const PacketRow& row : result.packets)
    if (row.channel == channel) times.push_back(row.submitted);
  std::sort(times.begin(), times.end());  // rows come in order of completion
  return times;
}

}  // namespace

TEST_CASE("a neighbour does not change when requests arrive, only how long they take") {
  // The guest costs nothing, so requests are sent when they arrive; the host is shared and slow.
  const std::string text = R"(schema = 1
name = "guest"
run_for = "50ms"
machine = { host_cpus = 1 }
record = { packets = true }
[latency]
profile = "zero"
[[vm]]
name = "first"
[[channel]]
name = "disk"
vm = "first"
driver = "storage"
device = { service = { exponential = "20us" }, parallel = 4 }
host_endpoint = { process_time = { exponential = "5us" } }
[[workload]]
name = "load"
channel = "disk"
loop = "open"
arrivals = { poisson = "20000/s" }
request = [{ size = "4KiB", weight = 1 }, { size = "64KiB", weight = 1 }]
read_fraction = 0.5
)";
  std::string with_neighbour = text + neighbour;
  with_neighbour.insert(with_neighbour.find("driver = \"echo\"\n") + std::string("driver = \"echo\"\n").size(),
                        "host_endpoint = { process_time = \"2us\" }\n");
  const RunResult alone = run(scenario_of(text));
  const RunResult together = run(scenario_of(with_neighbour));
  CHECK(together.channels[0].latency.mean_ns() > alone.channels[0].latency.mean_ns());
  CHECK(together.workloads[0].offered == alone.workloads[0].offered);

  const std::vector<SimTime> before = submissions(alone, 0);
  const std::vector<SimTime> after = submissions(together, 0);
  // The last few may be under way at the end of one run and not of the other, and only what returned has a row.
  const std::size_t common = std::min(before.size(), after.size()) - 100;
  REQUIRE(common > 800);
  CHECK(std::equal(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(common), after.begin()));
}

TEST_CASE("a neighbour does not change what any open load offers") {
  for (std::uint64_t number = 1; number <= 60; ++number) {
    const RandomScenario random = random_scenario(number);
    if (random.drains) continue;
    INFO("random_scenario(" << number << "):\n" << random.text);
    const auto by_time_alone = [](scenario::Scenario scenario) {
      scenario.packets = 0;
      scenario.run_for = std::min(scenario.run_for, Duration{2'000'000});
      return run(scenario);
    };
    const RunResult alone = by_time_alone(random.scenario);
    const RunResult together = by_time_alone(scenario_of(random.text + neighbour));
    for (const scenario::WorkloadSpec& spec : random.scenario.workloads) {
      if (spec.loop != scenario::WorkloadSpec::Loop::open) continue;
      for (std::size_t i = 0; i < alone.workloads.size(); ++i) {
        const WorkloadResult& load = alone.workloads[i];
        if (load.name.size() < spec.name.size() || load.name.substr(load.name.size() - spec.name.size()) != spec.name)
          continue;
        INFO(load.name);
        CHECK(together.workloads[i].name == load.name);
        CHECK(together.workloads[i].offered == load.offered);
      }
    }
  }
}

TEST_CASE("two runs that differ in nothing but what their packets say have different fingerprints") {
  // Nothing costs time here, so every event of both runs is at the same instant as in the other.
  const auto fingerprint_of = [](const std::string& request) {
    return run(scenario_of(R"(schema = 1
name = "same times"
packets = 200
[latency]
profile = "zero"
[[channel]]
name = "disk"
driver = "storage"
device = { service = "10us" }
[[workload]]
name = "load"
channel = "disk"
loop = "closed"
queue_depth = 2
request = ")" + request + "\"\n"))
        .fingerprint;
  };
  CHECK(fingerprint_of("4KiB") == fingerprint_of("4KiB"));
  CHECK(fingerprint_of("4KiB") != fingerprint_of("8KiB"));
}
