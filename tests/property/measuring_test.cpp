// What a run reports began when measuring did, and a run stops where it was told to.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <memory>

#include "tests/support/runs.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

/// An echo channel and a storage channel, each with a closed loop of eight.
scenario::Scenario steady(const std::string& warm_up) {
  return scenario_of(R"(schema = 1
name    = "steady"
run_for = "50ms"
[[channel]]
name   = "pipe"
driver = "echo"
[[workload]]
name        = "caller"
channel     = "pipe"
queue_depth = 8
request     = "64B"
[[channel]]
name   = "disk"
driver = "storage"
device = { service = "20us", parallel = 4 }
[[workload]]
name        = "reader"
channel     = "disk"
queue_depth = 8
)",
                     {"warm_up=" + warm_up});
}

/// Reads of 4 KiB on a storage channel: 64 at once, 1 ms later one every 100 us.
struct BurstThenTrickle {
  scenario::Scenario scenario;
  scenario::Traces traces;

  BurstThenTrickle(const std::string& warm_up, std::int64_t trickle) {
    scenario = scenario_of(R"(schema = 1
name    = "burst"
run_for = "1s"
[[channel]]
name   = "disk"
driver = "storage"
ring   = { to_host = "1 page", to_guest = "1 page" }
device = { service = "5us" }
[[workload]]
name    = "load"
channel = "disk"
)",
                           {"warm_up=" + warm_up});
    scenario.run_for = Duration{};  // the trace ends it
    scenario.workloads.front().loop = scenario::WorkloadSpec::Loop::trace;
    scenario.workloads.front().trace.file = "made here";
    auto trace = std::make_shared<workload::Trace>();
    for (int i = 0; i < 64; ++i) trace->push_back({.arrival = {}, .size = {4096}});
    for (std::int64_t i = 0; i < trickle; ++i)
      trace->push_back({.arrival = Duration{1'000'000 + i * 100'000}, .size = {4096}});
    traces = {{"load", trace}};
  }
};

}  // namespace

TEST_CASE("a steady load has the same figures per packet, whatever the warm-up") {
  const RunResult cold = run(steady("0ns"));
  for (const char* warm_up : {"1ms", "20ms"}) {
    INFO("warm-up of " << warm_up);
    const RunResult warm = run(steady(warm_up));
    CHECK(warm.measured == Duration{50ms});
    for (std::size_t i = 0; i < cold.channels.size(); ++i) {
      const ChannelResult& a = cold.channels[i];
      const ChannelResult& b = warm.channels[i];
      INFO(a.name);
      CHECK(b.throughput_per_s == Approx(a.throughput_per_s).epsilon(0.03));
      const auto agree = [&](const char* figure, std::uint64_t in_a, std::uint64_t in_b) {
        INFO(figure << ": " << in_a << " and " << in_b);
        const double per_packet = static_cast<double>(in_a) / static_cast<double>(a.measured);
        CHECK(static_cast<double>(in_b) / static_cast<double>(b.measured) ==
              Approx(per_packet).epsilon(0.03).margin(0.001));
      };
      agree("interrupts", a.interrupts, b.interrupts);
      agree("signals sent", a.signals_sent, b.signals_sent);
      agree("signals suppressed", a.signals_suppressed, b.signals_suppressed);
      agree("batches", a.batches, b.batches);
      agree("batched packets", a.batched_packets, b.batched_packets);
    }
    REQUIRE(warm.devices.size() == 1);
    CHECK(static_cast<double>(warm.devices[0].operations) ==
          Approx(static_cast<double>(cold.devices[0].operations)).epsilon(0.03));
    for (std::size_t i = 0; i < cold.processors.size(); ++i) {
      INFO(cold.processors[i].name);
      const auto agree = [](Duration in_a, Duration in_b) {
        CHECK(std::abs((in_a - in_b).count()) < Duration{500us}.count());  // 1 % of the measured time
      };
      agree(cold.processors[i].isr, warm.processors[i].isr);
      agree(cold.processors[i].dpc, warm.processors[i].dpc);
      agree(cold.processors[i].thread, warm.processors[i].thread);
      agree(cold.processors[i].idle, warm.processors[i].idle);
    }
  }
}

TEST_CASE("what the warm-up saw is in no peak and no count, and still in the balance") {
  BurstThenTrickle cold("0ns", 100);
  BurstThenTrickle warm("990us", 100);
  const RunResult all = run(cold.scenario, cold.traces);
  const RunResult late = run(warm.scenario, warm.traces);
  REQUIRE(all.channels[0].to_host.full_events > 0);
  REQUIRE(all.devices[0].peak_in_flight > 30);

  const ChannelResult& disk = late.channels[0];
  CHECK(disk.sent == 164);
  CHECK(disk.completed == 164);
  CHECK(disk.measured == 100);
  CHECK(disk.batches == 100);
  CHECK(disk.batch_max == 1);
  CHECK(disk.signals_sent == 200);
  CHECK(disk.signals_suppressed == 0);
  CHECK(disk.interrupts == 200);
  CHECK(disk.to_host.full_events == 0);
  CHECK(disk.to_host.peak == Bytes{112});  // a 4 KiB storage request
  CHECK(disk.to_guest.peak == Bytes{88});  // and its completion
  CHECK(late.devices[0].operations == 100);
  CHECK(late.devices[0].bytes == Bytes{409600});
  CHECK(late.devices[0].peak_in_flight == 1);
  for (const ProcessorResult& cpu : late.processors)
    CHECK(cpu.isr + cpu.dpc + cpu.thread + cpu.spin + cpu.idle == late.measured);
}

TEST_CASE("peaks begin with what is there when measuring begins") {
  BurstThenTrickle early("60us", 0);  // the ring is full
  CHECK(run(early.scenario, early.traces).channels[0].to_host.peak > Bytes{2000});
  BurstThenTrickle late("250us", 0);  // all that is left is with the disk
  const RunResult result = run(late.scenario, late.traces);
  CHECK(result.channels[0].to_host.peak == Bytes{});
  CHECK(result.devices[0].operations > 5);
  CHECK(result.devices[0].operations < 20);
  CHECK(result.devices[0].peak_in_flight == result.devices[0].operations);
}

TEST_CASE("a run that ends in its warm-up has measured nothing") {
  BurstThenTrickle burst("1s", 3);
  const RunResult result = run(burst.scenario, burst.traces);
  CHECK(result.measured == Duration{});
  const ChannelResult& disk = result.channels[0];
  CHECK(disk.completed == 67);
  CHECK(disk.measured == 0);
  CHECK(disk.batches == 0);
  CHECK(disk.interrupts == 0);
  CHECK(std::isnan(disk.throughput_per_s));
  CHECK(std::isnan(disk.bytes_per_s));
  CHECK(result.devices[0].operations == 0);
  for (const ProcessorResult& cpu : result.processors) CHECK(cpu.idle == Duration{});
}

TEST_CASE("packets stop a run after exactly so many completions") {
  const char* profile = GENERATE("zero", "typical");
  const std::string driver = GENERATE("driver = \"echo\"", "driver = \"storage\"\ndevice.service = \"1us\"");
  const std::uint64_t subchannels = GENERATE(0u, 3u);
  for (const std::uint64_t packets : {1u, 2u, 63u, 100u}) {
    INFO(packets << " packets, " << driver << " with " << subchannels << " subchannels, profile " << profile);
    const RunResult result = run(scenario_of(
        fmt::format("schema = 1\nname = \"exact\"\npackets = {}\n[machine]\nguest_cpus = 2\n[latency]\nprofile = "
                    "\"{}\"\n[[vm]]\nname = \"web\"\ncpus = 2\ncount = 2\n[[channel]]\nname = \"pipe\"\nvm = \"web\"\n"
                    "{}\nsubchannels = {}\n[[workload]]\nname = \"load\"\nchannel = \"pipe\"\n"
                    "queue_depth = 8\nrequest = \"64B\"\n",
                    packets, profile, driver, subchannels)));
    CHECK(text_of(result.findings) == "");
    CHECK(result.transactions == packets);
    for (const ChannelResult& channel : result.channels) CHECK(channel.sent == channel.completed + channel.outstanding);
  }
}
