#pragma once
/// Hosts and guests as a scenario describes them, and the fleet that comes of it: every guest with its host and its life.
///
///   const Fleet fleet = place({.hosts = hosts, .vms = vms, .fleet = spec});
///
/// Order     Guests that are there from the start come first: those of each `count` in the order of the file, then those of the
///           mix. Then come arrivals by time, at one instant in the order of their file, after whoever leaves by then.
/// Mix       Guest n goes to the template that is furthest behind its share of n guests; the first of equals. So a fleet of one
///           guest more is the same fleet and one guest.
/// Room      What a host declares; a guest takes what its template declares, from its arrival to its departure. Declared, not
///           measured: who is placed where never depends on how the run goes. A guest that fits nowhere is refused and counted.
/// Placement by host: where the guest names one. Else in turn from the host behind the last one taken (round robin), on the
///           first that has room (first fit), or on the one of whose processors the smallest share is taken (least loaded), the
///           first of equals; "first" is the order of the file.
/// Source    Bin packing by first fit (Johnson, 1973); smooth weighted round robin, as load balancers do it.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "vmbsim/bytes.hpp"
#include "vmbsim/problem.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::scenario {

/// `[[host]]`: a template of hosts, each with a root partition of its own. Without any there is one, named "host".
struct HostSpec {
  std::string name = "host";
  std::uint32_t count = 1;
  std::uint32_t cpus = 1;       ///< of its root partition
  std::string on;               ///< host of the platform; `*` stands for the index; empty without a platform
  std::uint32_t room_cpus = 0;  ///< virtual processors of all guests together; 0: no limit, as the next two
  Bytes room_memory{};
  std::uint32_t room_guests = 0;
};

/// `[[vm]]`: a template of guests.
struct VmSpec {
  std::string name = "guest";
  std::uint32_t cpus = 1;
  std::uint32_t count = 1;   ///< from the start, beside the fleet's
  std::uint32_t weight = 0;  ///< share of the fleet's mix
  Bytes memory{};            ///< declared; what it takes of a host's room
  std::string
      host;  ///< `[[host]]` or one host of it, "node[2]", that carries it; without `[[host]]` the platform's host whose
             ///< speed its processors have. Empty: any
};

/// `[[disk]]`: servers that several channels share.
struct DiskSpec {
  std::string name;
  kernel::Distribution service;
  std::uint32_t parallel = 1;
  bool of_every_host = true;  ///< each host has one; false: there is one for all
};

/// `[fleet]`
struct FleetSpec {
  enum class Placement : std::uint8_t { round_robin, first_fit, least_loaded };
  /// A guest that comes while the run goes on.
  struct Arrival {
    Duration at{};  ///< from the start of the run, warm-up included
    std::size_t vm = 0;
    std::string host;                    ///< as VmSpec::host, and stronger; empty: the template's
    std::optional<Duration> lifetime{};  ///< nothing: to the end
  };
  bool written = false;
  std::uint32_t count = 0;     ///< guests of the mix
  std::uint32_t per_host = 0;  ///< the same for every host, and no count
  Placement placement = Placement::round_robin;
  std::string file;  ///< of arrivals, absolute; empty: none
  std::vector<Arrival> arrivals;
};

/// One host.
struct Host {
  std::string name;  ///< "host", "node[2]"
  std::string on;    ///< host of the platform
  std::uint32_t cpus = 1;
};

/// One guest.
struct Guest {
  std::size_t vm = 0;       ///< its template
  std::uint32_t index = 0;  ///< among those of the template
  std::size_t host = 0;
  std::optional<Duration> arrives{};  ///< nothing: there from the start
  std::optional<Duration> departs{};
};

struct Refusal {
  std::size_t vm = 0;
  Duration at{};
};

/// Who lives where.
struct Fleet {
  bool by_name = false;       ///< there are `[[host]]`, and guests name one of them
  std::uint64_t asked = 0;    ///< guests, those that were refused included
  std::vector<Host> hosts;    ///< by name, and by index: the order of the file leaves no trace
  std::vector<Guest> guests;  ///< in the order of their places
  std::vector<Refusal> refused;
};

/// More guests than this, over a whole run, are not placed.
inline constexpr std::uint64_t most_guests_of_fleet = 100'000;

struct FleetParts {
  const std::vector<HostSpec>& hosts;
  bool by_name = false;  ///< false: there is one host, and it takes every guest, whatever host that names
  const std::vector<VmSpec>& vms;
  const FleetSpec& fleet;
};

/// No guests at all where too many are asked for.
Fleet place(const FleetParts& parts);

/// "node", or "node[0]" where the template makes several.
std::string host_name(const HostSpec& host, std::uint32_t index);
/// What a guest may ask for: the names of templates, and of their hosts.
std::set<std::string> host_names(const std::vector<HostSpec>& hosts);

}  // namespace vmbsim::scenario
