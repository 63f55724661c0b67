#pragma once
/// Memory over a long run: once everything has reached its size, nothing grows.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/size/counting.hpp"
#include "tests/support/runs.hpp"

namespace vmbsim::testing {

/// A storage and an echo channel under an open and a closed load; the run ends after `packets` completions.
inline RunResult mixed_run(std::uint64_t packets) {
  scenario::Scenario mixed = scenario_of(R"(schema = 1
name = "mixed"
packets = 1
machine = { guest_cpus = 2, host_cpus = 2 }
[[channel]]
name = "disk"
driver = "storage"
subchannels = 1
device = { service = { exponential = "40us" }, parallel = 8 }
[[channel]]
name = "pipe"
driver = "echo"
[[workload]]
name = "requests"
channel = "disk"
loop = "open"
arrivals = { poisson = "15000/s" }
request = [{ size = "4KiB", weight = 3 }, { size = "64KiB", weight = 1 }]
[[workload]]
name = "messages"
channel = "pipe"
queue_depth = 2
think_time = { exponential = "50us" }
request = "64B"
)");
  mixed.packets = packets;
  return run(mixed);
}

/// The most memory that a run of `warm` packets has, and one of `packets`.
inline void check_growth(std::uint64_t warm, std::uint64_t packets) {
  forget_peak();
  const RunResult first = mixed_run(warm);
  const std::int64_t before = peak_bytes();
  const std::uint64_t allocations_before = allocations();
  forget_peak();
  const RunResult second = mixed_run(packets);
  const std::int64_t after = peak_bytes();
  const std::string line =
      fmt::format("{} events: at most {} KiB; {} events: at most {} KiB, {} allocations", first.events, before / 1024,
                  second.events, after / 1024, allocations() - allocations_before);
  std::puts(line.c_str());
  INFO(line);
  CHECK(text_of(second.findings) == "");
  if (memory_tells) CHECK(after - before < 1024 * 1024);
}

}  // namespace vmbsim::testing
