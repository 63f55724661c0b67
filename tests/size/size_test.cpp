// How large a simulation may be: memory per channel, memory over time, memory per world, allocations per packet.
#include "tests/size/growth.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

constexpr std::int64_t mib = 1024 * 1024;

/// Echo channels that get a request a minute, of which the run sees none.
std::string idle_channels(int guests, int channels_each) {
  std::string text = fmt::format(
      "schema = 1\nname = \"idle\"\nrun_for = \"1s\"\n[machine]\nhost_cpus = 4\n[[vm]]\nname = \"guest\"\n"
      "count = {}\ncpus = 1\n",
      guests);
  for (int i = 0; i < channels_each; ++i)
    text += fmt::format(
        "[[channel]]\nname = \"c{}\"\nvm = \"guest\"\ndriver = \"echo\"\nring = {{ to_host = \"4 pages\", to_guest = "
        "\"4 pages\" }}\n[[workload]]\nname = \"w{}\"\nchannel = \"c{}\"\nloop = \"open\"\narrivals = {{ periodic = "
        "\"1/min\" }}\nrequest = \"64B\"\n",
        i, i, i);
  return text;
}

void check_idle(int guests, int channels_each) {
  const scenario::Scenario scenario = scenario_of(idle_channels(guests, channels_each));
  const std::int64_t before = resident_bytes();
  forget_peak();
  const RunResult result = run(scenario);
  const std::int64_t taken = peak_bytes() - before;
  const auto channels = static_cast<std::int64_t>(guests) * channels_each;
  const std::string line = fmt::format("{} guests with {} idle channels each: {} MiB, {} KiB a channel, {} events",
                                       guests, channels_each, taken / mib, taken / channels / 1024, result.events);
  std::puts(line.c_str());
  INFO(line);
  CHECK(result.channels.size() == static_cast<std::size_t>(channels));
  CHECK(text_of(result.findings) == "");
  if (memory_tells) CHECK(taken < 1024 * mib);
}

/// Linux maps at most 65,530 stretches of memory for a process: stacks must not be what uses them up.
void check_traffic_of_many_guests() {
  const RunResult result =
      run(scenario_of(idle_channels(10'000, 1), {"workload.w0.arrivals={ periodic = \"1/s\" }", "run_for=2500ms"}));
  CHECK(result.transactions >= 20'000);
  CHECK(text_of(result.findings) == "");
}

constexpr const char* busy = R"(schema = 1
name = "busy"
packets = 1000
[[channel]]
name = "disk"
driver = "storage"
device = { service = "20us", parallel = 4 }
[[workload]]
name = "load"
channel = "disk"
queue_depth = 8
)";

/// Ten times what its disk can do: 4 GiB hold 4096 requests of 1 MiB.
constexpr const char* crowded = R"(schema = 1
name = "crowded"
run_for = "1s"
[[channel]]
name = "disk"
driver = "storage"
device = { service = "100us" }
[[workload]]
name = "load"
channel = "disk"
loop = "open"
request = "1MiB"
arrivals = { poisson = "100000/s" }
)";

/// Allocations of a run of that many packets.
std::uint64_t allocations_of(std::uint64_t packets, const std::vector<std::string>& overrides) {
  scenario::Scenario scenario = scenario_of(busy, overrides);
  scenario.packets = packets;
  const std::uint64_t before = allocations();
  const RunResult result = run(scenario);
  CHECK(result.transactions >= packets);
  return allocations() - before;
}

}  // namespace

TEST_CASE("ten thousand idle channels of five guests fit into a gibibyte") { check_idle(5, 2000); }

TEST_CASE("ten thousand guests with an idle channel each fit into a gibibyte") { check_idle(10'000, 1); }

TEST_CASE("ten thousand guests at work find a stack each") { check_traffic_of_many_guests(); }

TEST_CASE("an overload that uses up the memory of its guest goes on with what there is") {
  const RunResult result = run(scenario_of(crowded));
  CHECK(text_of(result.findings) == "");
  CHECK(result.channels.front().completed > 500);
  CHECK(result.channels.front().outstanding <= 4096);
  CHECK(result.workloads.front().offered > result.channels.front().sent + 10'000);  // they wait in front of the driver
}

TEST_CASE("a request that waits for an overloaded echo takes no packet") {
  const scenario::Scenario scenario = scenario_of(R"(schema = 1
name = "overloaded"
run_for = "200ms"
[[channel]]
name = "pipe"
driver = "echo"
[[workload]]
name = "load"
channel = "pipe"
loop = "open"
request = "4KiB"
arrivals = { periodic = "2000000/s" }
)");
  const std::int64_t before = resident_bytes();
  forget_peak();
  const RunResult result = run(scenario);
  const auto waiting = static_cast<std::int64_t>(result.workloads.front().offered - result.channels.front().sent);
  const std::int64_t each = (peak_bytes() - before) / waiting;
  INFO(waiting << " requests wait, at " << each << " bytes each");
  CHECK(text_of(result.findings) == "");
  CHECK(waiting > 200'000);
  CHECK(result.channels.front().outstanding <= 2 * 2 * 32 * 4096 / 4120);  // packets that fill both rings twice
  if (memory_tells) CHECK(each < 256);
}

TEST_CASE("a packet on its way allocates nothing") {
  std::vector<std::string> overrides;
  SECTION("to a disk, completed in its DPC") {}
  SECTION("completed by a worker") { overrides = {"channel.disk.device.completion=worker"}; }
  SECTION("processed at PASSIVE_LEVEL") {
    overrides = {"channel.disk.host_endpoint.processing=passive", "channel.disk.guest_endpoint.processing=passive"};
  }
  SECTION("through a ring that is full") {
    overrides = {"channel.disk.ring.to_host=1 page", "workload.load.queue_depth=128"};
  }
  SECTION("with time to think, over two channels") {
    overrides = {"machine.guest_cpus=2", "channel.disk.subchannels=1", "workload.load.think_time=30us"};
  }
  SECTION("with other service times each") {
    overrides = {"channel.disk.device.service={ uniform = [\"20us\", \"40us\"] }"};
  }
  const std::uint64_t few = allocations_of(20'000, overrides);
  const std::uint64_t many = allocations_of(60'000, overrides);
  INFO(many - few << " allocations for 40000 packets more");
  // A histogram may still meet a latency longer than all before, and the batch means double their room now and then.
  CHECK(many <= few + 8);
}

TEST_CASE("memory is flat over twenty million events") { check_growth(350'000, 1'350'000); }

TEST_CASE("ten thousand worlds one after the other leave nothing behind") {
  const scenario::Scenario scenario = scenario_of(busy, {"packets=20"});
  const Fingerprint fingerprint = run(scenario).fingerprint;
  std::int64_t warm = 0;
  std::uint64_t different = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (run(scenario).fingerprint != fingerprint) ++different;
    if (i == 1000) warm = resident_bytes();
  }
  CHECK(different == 0);
  INFO("after 1000 worlds " << warm / 1024 << " KiB, after 10000 " << resident_bytes() / 1024 << " KiB");
  if (memory_tells) CHECK(resident_bytes() - warm < mib);
}
