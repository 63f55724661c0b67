// What holds of every run, whatever the scenario: nothing is lost, no time is lost, and the seed decides everything.
#include <catch2/catch.hpp>
#include <map>

#include "tests/property/random_scenario.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

constexpr std::uint64_t scenarios = 200;

Wide stages(const ChannelResult& channel) {
  Wide sum = 0;
  for (const Wide stage : channel.stage_sum_ns) sum += stage;
  return sum;
}

void check_time(const RunResult& result) {
  for (const ChannelResult& channel : result.channels) {
    INFO(channel.name);
    CHECK(stages(channel) == channel.latency.sum_ns());
    CHECK(channel.measured == channel.latency.count());
  }
  for (const PacketRow& row : result.packets)
    for (const Duration stage : row.stages) CHECK(stage.count() >= 0);
  for (const ProcessorResult& cpu : result.processors) {
    INFO(cpu.name);
    CHECK(cpu.isr + cpu.dpc + cpu.thread + cpu.spin + cpu.idle == result.measured);
    for (const Duration part : {cpu.isr, cpu.dpc, cpu.thread, cpu.spin, cpu.idle}) CHECK(part.count() >= 0);
  }
}

void check_requests(const RandomScenario& random, const RunResult& result) {
  std::map<std::string, std::uint64_t> offered;
  std::map<std::string, std::uint64_t> answered;
  for (const WorkloadResult& load : result.workloads) {
    offered[load.channel] += load.offered;
    answered[load.channel] += load.completed;
  }
  std::uint64_t completed = 0;
  std::uint64_t measured = 0;
  for (const ChannelResult& channel : result.channels) {
    INFO(channel.name);
    completed += channel.completed;
    measured += channel.measured;
    CHECK(channel.sent == channel.completed + channel.outstanding);
    CHECK(offered[channel.name] >= channel.sent);
    // A run may be stopped between a packet's return and the load's hearing of it, on every processor of its guest.
    CHECK(channel.completed >= answered[channel.name]);
    CHECK(channel.completed <= answered[channel.name] + 4);
    CHECK(channel.to_host.peak <= channel.to_host.size);
    CHECK(channel.to_guest.peak <= channel.to_guest.size);
    CHECK(channel.batched_packets <= channel.sent);
    if (!random.drains) continue;
    CHECK(channel.outstanding == 0);
    CHECK(channel.completed == offered[channel.name]);
    CHECK(channel.batched_packets == channel.sent);
    CHECK(channel.to_host.left == Bytes{});
    CHECK(channel.to_guest.left == Bytes{});
  }
  CHECK(result.transactions == completed);
  if (random.scenario.packets != 0) CHECK(measured <= random.scenario.packets);
  for (const DeviceResult& device : result.devices)
    if (random.drains) CHECK(device.operations == answered[device.name]);
}

}  // namespace

TEST_CASE("nothing is lost, no time is lost, and the seed decides everything, in any scenario") {
  std::uint64_t transactions = 0;
  std::uint64_t full_rings = 0;
  std::uint64_t spins = 0;
  for (std::uint64_t number = 1; number <= scenarios; ++number) {
    const RandomScenario random = random_scenario(number);
    INFO("random_scenario(" << number << ")" << (random.drains ? ", its open loads recorded:\n" : ":\n")
                            << random.text);
    const RunResult result = run(random.scenario, random.traces);
    CHECK(text_of(result.findings) == "");
    check_time(result);
    check_requests(random, result);

    const RunResult again = run(random.scenario, random.traces);
    CHECK(again.fingerprint == result.fingerprint);
    CHECK(again.events == result.events);
    if (!random.drains && result.workloads.front().offered != 0) {  // an open load: when it began was drawn
      scenario::Scenario other = random.scenario;
      other.seed = Seed{number + 1'000'000};
      CHECK_FALSE(run(other).fingerprint == result.fingerprint);
    }
    transactions += result.transactions;
    for (const ChannelResult& channel : result.channels)
      full_rings += channel.to_host.full_events + channel.to_guest.full_events;
    for (const ProcessorResult& cpu : result.processors) spins += cpu.spin.count() > 0 ? 1 : 0;
  }
  // The scenarios reach what they are meant to reach.
  CHECK(transactions > 20'000);
  CHECK(full_rings > 1'000);
  CHECK(spins > 0);
}
