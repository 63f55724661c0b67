#pragma once
/// What a platform file offers: hosts, their processors and disks. Looks without starting an engine in this process.
///
///   if (const auto inventory = platform::inspect("two-hosts.xml", problems)) ...
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vmbsim/problem.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::platform {

/// A disk of a host. Reads share one bandwidth, writes another, and both together the larger of the two.
/// Source: SimGrid 3.32 documentation, s4u::Disk::set_readwrite_bandwidth.
struct DiskSpec {
  std::string name;
  double read_bytes_per_second = 0;
  double write_bytes_per_second = 0;
};

struct HostSpec {
  std::string name;
  std::uint32_t cores = 1;
  double flops = 1e9;           ///< speed of one core
  std::vector<DiskSpec> disks;  ///< by name

  /// How long work takes on this host that costs `cost` on a core of 1 Gf (1e9 flop/s), the reference of all latency
  /// profiles: half of it on a host of speed "2Gf". Rounded to the nearest nanosecond.
  Duration scaled(Duration cost) const;
};

struct Inventory {
  std::vector<HostSpec> hosts;  ///< by name
  bool links_vary = false;      ///< a link changes its bandwidth or latency over time

  /// The host, or a problem at `asked` that says which hosts there are.
  const HostSpec* host(const std::string& name, const Place& asked, Problems& problems) const;
  /// Whether `"host:disk"` is there; otherwise a problem at `asked` that says which disks there are.
  bool has_disk(const std::string& host_and_disk, const Place& asked, Problems& problems) const;
};

/// Reads a SimGrid platform file, or the embedded platform when `file` is "default". What SimGrid refuses, and what vmbsim
/// would have to ignore (a host that changes its speed or fails), comes back as problems with their place in the file. A
/// child process does the reading, so that no input can bring this one down.
std::optional<Inventory> inspect(const std::string& file, Problems& problems);

/// Why nothing gets from one of these hosts to another one and back, or nothing. Of a file that was inspected, and hosts
/// that it has; in a child process as well.
std::optional<std::string> wrong_with_routes(const std::string& file, const std::vector<std::string>& from,
                                             const std::string& to);

}  // namespace vmbsim::platform
