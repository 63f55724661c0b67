// The oracle of quiescence: a run in which nothing is left to happen, while somebody still waits for an answer, says so.
#include <catch2/catch.hpp>
#include <memory>

#include "tests/support/runs.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

/// `requests` reads of 4 KiB, 1 us apart.
scenario::Traces reads(std::int64_t requests) {
  auto trace = std::make_shared<workload::Trace>();
  for (std::int64_t i = 0; i < requests; ++i) trace->push_back({.arrival = Duration{i * 1000}, .size = {4096}});
  return {{"load", trace}};
}

/// A recorded load on a storage channel with so many ring pairs of 31.99 MiB, one for each processor. The host lets a guest share
/// 1280 MiB: 40 of them.
scenario::Scenario recorded(std::uint32_t ring_pairs) {
  scenario::Scenario scenario = scenario_of(R"(schema = 1
name    = "rings"
run_for = "1s"
[machine]
guest_cpus = 41
[[channel]]
name   = "disk"
driver = "storage"
ring   = { to_host = "4094 pages", to_guest = "4094 pages" }
device = { service = "80us" }
[[workload]]
name    = "load"
channel = "disk"
)",
                                            {"channel.disk.subchannels=" + std::to_string(ring_pairs - 1)});
  scenario.workloads.front().loop = scenario::WorkloadSpec::Loop::trace;
  scenario.workloads.front().trace.file = "made here";
  return scenario;
}

}  // namespace

TEST_CASE("a run whose calendar runs dry with everything answered is fine") {
  const RunResult result = run(recorded(2), reads(16));
  CHECK(text_of(result.findings) == "");
  CHECK(result.channels.front().completed == 16);
}

TEST_CASE("a run that is stuck says which channel waits for how many transactions") {
  // Requests take the channels in turn; the last one never opens, so its two stay with their sender.
  const RunResult result = run(recorded(41), reads(82));
  CHECK(result.channels.front().completed == 80);
  REQUIRE(result.findings.size() == 4);
  CHECK(result.findings[0].rule == "GPADL");
  CHECK(result.findings[1].rule == "STUCK");
  CHECK(result.findings[1].text == "nothing is left to happen, but 1 of 1 channel has not started");
  CHECK(result.findings[2].rule == "K91");
  CHECK(result.findings[3].rule == "STUCK");
  CHECK(result.findings[3].where == "disk");
  CHECK(result.findings[3].text ==
        "nothing is left to happen, but 2 requests are not answered: 2 transactions are outstanding, 0 requests were "
        "not sent");
}

TEST_CASE("a run that its limit stopped is not stuck, whatever is under way") {
  scenario::Scenario stopped = recorded(2);
  SECTION("by its packets") { stopped.packets = 9; }
  SECTION("by its time, while the device works") { stopped.run_for = Duration{100'000}; }
  const RunResult result = run(stopped, reads(16));
  CHECK(result.channels.front().outstanding > 0);
  CHECK(text_of(result.findings) == "");
}

TEST_CASE("packets end a run in which no time passes") {
  const RunResult result = run(scenario_of(R"(schema = 1
name    = "no time"
packets = 100
latency = { profile = "zero" }
[[channel]]
name   = "pipe"
driver = "echo"
[[workload]]
name        = "load"
channel     = "pipe"
queue_depth = 8
request     = "64B"
)"));
  CHECK(result.simulated == Duration{});
  CHECK(result.channels.front().completed >= 100);
  CHECK(result.channels.front().completed < 120);
  CHECK(text_of(result.findings) == "");
}
