#pragma once
/// What the entrants of bench_storage are asked: one storage channel under a closed loop, as scenario text that both read.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "models/scenario/schema.hpp"
#include "tests/bench/harness.hpp"

namespace vmbsim::bench {

/// One row of the table.
struct StorageCase {
  std::uint32_t depth = 1;          ///< requests in flight
  std::uint32_t channels = 1;       ///< the primary and its subchannels; as many processors at each end
  std::string profile = "typical";  ///< its costs are fixed values
  std::uint64_t transactions = 1;

  /// Arguments: DEPTH CHANNELS PROFILE TRANSACTIONS. Exits with a sentence when they make no sense.
  static StorageCase of(int argc, char** argv) {
    if (argc == 5)
      if (const StorageCase made{static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10)),
                                 static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)), argv[3],
                                 std::strtoull(argv[4], nullptr, 10)};
          made.depth != 0 && made.channels != 0 && made.transactions != 0)
        return made;
    std::fprintf(stderr, "usage: DEPTH CHANNELS typical|zero TRANSACTIONS\n");
    std::exit(2);
  }
  std::string arguments() const { return fmt::format("{} {} {} {}", depth, channels, profile, transactions); }

  /// Reads of 4 KiB; the device serves 32 at a time, 80 us each.
  scenario::Scenario scenario() const {
    const std::string text = fmt::format(R"(schema  = 1
name    = "one storage channel"
packets = {}
[machine]
guest_cpus = {}
host_cpus  = {}
[latency]
profile = "{}"
[[channel]]
name        = "disk"
driver      = "storage"
subchannels = {}
device      = {{ service = "80us", parallel = 32 }}
[[workload]]
name        = "load"
channel     = "disk"
queue_depth = {}
)",
                                         transactions, channels, channels, profile, channels - 1, depth);
    scenario::Loaded loaded = scenario::load_text(text);
    for (const Problem& problem : loaded.problems) std::fprintf(stderr, "%s\n", problem.line().c_str());
    if (!loaded.scenario) std::exit(2);
    return *loaded.scenario;
  }
};

/// What an entrant tells the driver, one line: CPU time, and what was simulated.
struct StorageFigures {
  double cpu_ns = 0;      ///< of this process, per transaction, without reading the scenario
  double per_second = 0;  ///< simulated transactions per simulated second
  double latency_ns = 0;  ///< mean

  void print() const { std::printf("%.3f %.3f %.3f\n", cpu_ns, per_second, latency_ns); }
  static StorageFigures of(const std::vector<std::string>& words) {
    return {std::stod(words.at(0)), std::stod(words.at(1)), std::stod(words.at(2))};
  }
};

}  // namespace vmbsim::bench
