/// The storage channel on vmbsim, as `vmbsim run` would run it: scenario, world, result, fingerprint and all.
///
///   load ──► storage driver ──► KMCL ──► ring ──► signal ──► interrupt ──► DPC ──► host driver ──► 32 servers
///     ▲───── completion ◄────── DPC ◄─── interrupt ◄──────── ring ◄─────── DPC ◄── disk interrupt ◄───┘
#include "models/scenario/world.hpp"
#include "tests/bench/storage_case.hpp"

int main(int argc, char** argv) {
  using namespace vmbsim;
  const bench::StorageCase asked = bench::StorageCase::of(argc, argv);
  const scenario::Scenario scenario = asked.scenario();
  const scenario::Traces no_traces;
  const std::int64_t start = bench::cpu_ns();
  scenario::World world(scenario, no_traces, nullptr);
  const RunResult result = world.run();
  const std::int64_t spent = bench::cpu_ns() - start;
  const ChannelResult& channel = result.channels.front();
  if (channel.completed != asked.transactions || !result.findings.empty()) return 1;
  bench::StorageFigures{.cpu_ns = static_cast<double>(spent) / static_cast<double>(asked.transactions),
                        .per_second = channel.throughput_per_s,
                        .latency_ns = channel.latency.mean_ns()}
      .print();
}
