#pragma once
/// A result written by hand, small enough to be checked with a pencil.
#include "vmbsim/result.hpp"

namespace vmbsim::testing {

/// Three transactions of 10, 20 and 35 us: mean 65/3 us, which no decimal holds. The service takes 40 of the 65 us, the
/// other ten stages 2.5 us each.
inline ChannelResult three_packets(std::string name) {
  ChannelResult channel;
  channel.name = std::move(name);
  channel.sent = 4;
  channel.completed = 3;
  channel.outstanding = 1;
  channel.measured = 3;
  channel.throughput_per_s = 3000;
  channel.bytes_per_s = 12288000;
  for (Duration latency : {10us, 20us, 35us}) channel.latency.add(latency);
  channel.stage_sum_ns.fill(2500);
  channel.stage_sum_ns[static_cast<std::size_t>(Stage::service)] = 40000;
  channel.intervals.throughput_per_s = {2800, 3200};
  channel.intervals.mean = {19500.5, 23750};
  channel.intervals.p50 = {950, 20500};
  channel.batches = 2;
  channel.batched_packets = 3;
  channel.batch_max = 2;
  channel.signals_sent = 5;
  channel.signals_suppressed = 1;
  channel.interrupts = 5;
  channel.to_host = {Pages{32}.bytes(), Bytes{6144}, 2, Bytes{80}};
  channel.to_guest = {Pages{4}.bytes(), Bytes{96}, 0};
  return channel;
}

inline WorkloadResult foreground(std::string name, std::string channel) {
  WorkloadResult workload;
  workload.name = std::move(name);
  workload.channel = std::move(channel);
  workload.offered = 4;
  workload.completed = 3;
  for (Duration response : {11us, 21us, 36us}) workload.response.add(response);
  return workload;
}

inline RunResult hand_made() {
  RunResult result;
  result.scenario = "hand-made";
  result.seed = Seed{42};
  result.version = "0.1.0";
  result.fingerprint = Fingerprint{0x0123456789abcdef, 0xfedcba9876543210};
  result.simulated = 2ms;
  result.measured = 1ms;
  result.events = 12345;
  result.transactions = 3;
  result.wall_s = 0.25;
  result.channels = {three_packets("disk")};
  result.workloads = {foreground("foreground", "disk")};
  result.processors = {{"host.cpu0", 50us, 150us, 100us, 0us, 700us},
                       {"host.cpu1", 0us, 0us, 0us, 250us, 750us},
                       {"guest.cpu0", 0us, 0us, 0us, 0us, 1000us}};
  result.devices = {{"disk0", 3, Bytes{12288}, 2, 0.25}};
  result.findings = {{.rule = "K50",
                      .severity = Severity::error,
                      .bug_check = BugCheck::irql_not_less_or_equal,
                      .time = SimTime{1500us},
                      .where = "guest.cpu0 at dispatch, disk",
                      .call = "VmbChannelPause",
                      .text = "the driver waited where it may not",
                      .source = "KMCL DDI, VmbChannelPause"},
                     {.rule = "LOST",
                      .severity = Severity::error,
                      .bug_check = BugCheck::none,
                      .time = SimTime{2ms},
                      .where = "disk",
                      .call = {},
                      .text = "a packet is stuck",
                      .source = "vmbsim"},
                     {.rule = "K53",
                      .severity = Severity::warning,
                      .bug_check = BugCheck::none,
                      .time = SimTime{2ms},
                      .where = "disk",
                      .call = "VmbChannelPacketDeferToPassive",
                      .text = "VmbChannelPacketDeferToPassive called at PASSIVE_LEVEL",
                      .source = "KMCL DDI, VmbChannelPacketDeferToPassive"}};
  result.finding_counts = {{"K50", Severity::error, 1}, {"LOST", Severity::error, 1}, {"K53", Severity::warning, 1}};
  result.expectations = {{"channel.disk.latency.p99 < 2ms", 35000, true}, {"run.findings == 0", 2, false}};
  PacketRow packet{0, SimTime{1ms}, {}};
  packet.stages.fill(500ns);
  packet.stages[5] = 5us;
  result.packets = {packet};
  result.intervals = {{SimTime{2ms}, 0, 3, 65000.0 / 3, 35us}};
  return result;
}

/// `guests` guests with a disk each.
inline RunResult many_guests(int guests) {
  RunResult result = hand_made();
  result.channels.clear();
  result.workloads.clear();
  result.processors.clear();
  for (int i = 0; i < guests; ++i) {
    const std::string guest = "web[" + std::to_string(i) + "]";
    result.channels.push_back(three_packets(guest + ".disk"));
    result.workloads.push_back(foreground(guest + ".foreground", guest + ".disk"));
    result.processors.push_back({guest + ".cpu0", 0us, 250us, 250us, 0us, 500us});
  }
  return result;
}

}  // namespace vmbsim::testing
