#include "models/scenario/fleet_fields.hpp"

#include <algorithm>
#include <utility>

#include "models/scenario/arrivals.hpp"
#include "models/scenario/parsers.hpp"
#include "sim/config/toml_text.hpp"

namespace vmbsim::scenario {
namespace {

constexpr std::int64_t most_guests = 10'000;
constexpr std::int64_t most_hosts = 1000;
constexpr std::int64_t most_weight = 1'000'000;
constexpr Bytes most_memory{std::int64_t{1} << 50};
constexpr std::int64_t largest_arrivals_file = std::int64_t{64} << 20;

void room_fields(Visitor& v, HostSpec& host) {
  const auto limit = [&v](const char* key, std::uint32_t& out, const char* doc) {
    v.value({.key = key, .shape = Shape::integer, .doc = doc, .min = 1, .max = 1'000'000},
            parse_integer(out, 1, 1'000'000));
  };
  limit("cpus", host.room_cpus, "Virtual processors of all guests together; left out: no limit.");
  v.value({.key = "memory", .shape = Shape::size, .doc = "Memory of all guests together; left out: no limit."},
          parse_size(host.room_memory, Bytes{1}, most_memory));
  limit("guests", host.room_guests, "Guests; left out: no limit.");
}

void host_fields(Visitor& v, const MachineSpec& m, HostSpec& host) {
  v.value({.key = "name", .shape = Shape::name, .doc = "Unique among the [[host]].", .required = true},
          parse_name(host.name));
  integer(v, "count", host.count, 1, most_hosts, "1", "How many hosts are made from this template.");
  v.value({.key = "cpus",
           .shape = Shape::integer,
           .doc = "Processors of the root partition; left out: machine.host_cpus.",
           .preset = std::to_string(m.host_cpus),
           .min = 1,
           .max = most_cpus},
          parse_integer(host.cpus, 1, most_cpus));
  const bool platform = !m.platform.empty();
  v.value({.key = "on",
           .shape = Shape::text,
           .doc = "Host of the platform; * stands for the index. Left out: its name.",
           .preset = platform && host.count == 1 && !host.name.empty()
                         ? std::optional<std::string>(config::toml_quoted(host.name))
                         : std::nullopt,
           .required = platform,
           .relevant = platform,
           .only_for = "a machine with a platform",
           .decided_by = {"machine", "machine.platform", "count", "name"}},
          [&host](const config::Node& node, Reading& reading) -> std::optional<std::string> {
            auto text = parse_text(host.on)(node, reading);
            if (!text || host.count == 1 || host.on.find('*') != std::string::npos) return text;
            reading.wrong(node, "right would be a name with * for the index, as in \"node-*\"");
            return std::nullopt;
          });
  v.table({.key = "room", .doc = "What guests it takes, as they declare themselves."}, [&] { room_fields(v, host); });
}

void disk_fields(Visitor& v, DiskSpec& disk) {
  v.value({.key = "name", .shape = Shape::name, .doc = "Unique among the [[disk]].", .required = true},
          parse_name(disk.name));
  v.value(
      {.key = "service", .shape = Shape::distribution, .doc = "Time one server needs for a request.", .required = true},
      parse_distribution(disk.service));
  integer(v, "parallel", disk.parallel, 1, 65'536, "1", "Requests served at the same time.");
  v.value({.key = "shared_by",
           .shape = Shape::choice,
           .doc = "The guests of a host: every host has one; or all guests: there is one.",
           .preset = "\"host\"",
           .choices = {"host", "all"}},
          parse_choice(disk.of_every_host, {{"host", true}, {"all", false}}));
}

/// What a [[vm]] may hold depends on what else is written.
struct Around {
  bool vms;
  bool hosts;
  bool fleet;
};

void vm_fields(Visitor& v, const MachineSpec& m, VmSpec& vm, Around written) {
  v.value({.key = "name",
           .shape = Shape::name,
           .doc = "Unique among the [[vm]].",
           .preset = written.vms ? std::nullopt : std::optional<std::string>("\"guest\""),
           .required = written.vms},
          parse_name(vm.name));
  v.value({.key = "cpus",
           .shape = Shape::integer,
           .doc = "Virtual processors; left out: machine.guest_cpus.",
           .preset = std::to_string(m.guest_cpus),
           .min = 1,
           .max = most_cpus},
          parse_integer(vm.cpus, 1, most_cpus));
  v.value({.key = "weight",
           .shape = Shape::integer,
           .doc = "Share of the guests that [fleet] asks for.",
           .preset = written.fleet ? std::optional<std::string>("0") : std::nullopt,
           .min = 0,
           .max = most_weight,
           .relevant = written.fleet,
           .only_for = "a scenario with a [fleet]",
           .decided_by = {"fleet"}},
          parse_integer(vm.weight, 0, most_weight));
  v.value({.key = "count",
           .shape = Shape::integer,
           .doc = "How many guests are made from this template, beside those of [fleet]; 0: none, as with a [fleet] "
                  "where it is "
                  "left out.",
           .preset = written.fleet ? "0" : "1",
           .min = 0,
           .max = most_guests},
          parse_integer(vm.count, 0, most_guests));
  v.value({.key = "memory",
           .shape = Shape::size,
           .doc = "Declared memory, which it takes of a host's room.",
           .preset = written.hosts ? std::optional<std::string>("\"0B\"") : std::nullopt,
           .relevant = written.hosts,
           .only_for = "a scenario with [[host]]",
           .decided_by = {"host"}},
          parse_size(vm.memory, Bytes{0}, most_memory));
  const bool place = written.hosts || !m.platform.empty();
  v.value(
      {.key = "host",
       .shape = Shape::text,
       .doc =
           "The [[host]] that carries it, or one of several, as in \"node[2]\"; without any the platform's host that "
           "carries the processors.",
       .preset = m.host.empty() ? std::nullopt : std::optional<std::string>(config::toml_quoted(m.host)),
       .relevant = place,
       .only_for = "a machine with a platform",
       .decided_by = {"machine", "machine.platform", "host"}},
      parse_text(vm.host));
}

void arrivals_fields(Visitor& v, Scenario& s) {
  Duration unit{};
  v.value({.key = "unit", .shape = Shape::text, .doc = "Of times and lifetimes whose values and columns name none."},
          parse_column_unit(unit));
  v.value({.key = "file",
           .shape = Shape::path,
           .doc = "A CSV table with the columns time, vm and perhaps host and lifetime; relative to this file.",
           .required = true},
          [&](const config::Node& node, Reading& reading) -> std::optional<std::string> {
            auto path = parse_existing_file(s.fleet.file, "arrivals")(node, reading);
            if (!path) return std::nullopt;
            const auto text = reading.text_of(node, s.fleet.file, largest_arrivals_file);
            if (!text) return std::nullopt;
            ArrivalsText read = read_arrivals(*text, s.fleet.file,
                                              unit.count() == 0 ? std::nullopt : std::optional(unit), s.hosts, s.vms);
            s.fleet.arrivals = std::move(read.arrivals);
            if (read.problems.empty()) return path;
            reading.add(std::move(read.problems));
            return std::nullopt;
          });
}

void mix_fields(Visitor& v, Scenario& s) {
  using Placement = FleetSpec::Placement;
  FleetSpec& fleet = s.fleet;
  fleet.written = true;
  const bool count = v.has("count");
  v.value({.key = "count",
           .shape = Shape::integer,
           .doc = "Guests from the start, shared out by weight.",
           .min = 0,
           .max = most_guests},
          parse_integer(fleet.count, 0, most_guests));
  v.value({.key = "per_host",
           .shape = Shape::integer,
           .doc = "The same for each host, in place of count.",
           .min = 0,
           .max = most_guests,
           .relevant = !count,
           .only_for = "a fleet without count",
           .decided_by = {"count"}},
          parse_integer(fleet.per_host, 0, most_guests));
  v.value({.key = "placement",
           .shape = Shape::choice,
           .doc = "Of guests that name no host: in turn; on the first host with room; on the one with the smallest "
                  "share of its "
                  "processors taken.",
           .preset = "\"round-robin\"",
           .choices = {"round-robin", "first-fit", "least-loaded"}},
          parse_choice(fleet.placement, {{"round-robin", Placement::round_robin},
                                         {"first-fit", Placement::first_fit},
                                         {"least-loaded", Placement::least_loaded}}));
  v.table({.key = "arrivals", .doc = "Guests that come while the run goes on.", .optional = true},
          [&] { arrivals_fields(v, s); });
}

}  // namespace

void fleet_fields(Visitor& v, Scenario& s) {
  const Around written{v.has("vm"), v.has("host"), v.has("fleet")};
  v.list({.key = "host", .doc = "A template of hosts. Without any there is one, named host."}, false,
         [&] { host_fields(v, s.machine, s.hosts.emplace_back()); });
  if (s.hosts.empty()) s.hosts.push_back({.cpus = s.machine.host_cpus, .on = s.machine.host});
  v.list({.key = "disk", .doc = "Servers that several channels share."}, false,
         [&] { disk_fields(v, s.disks.emplace_back()); });
  v.list({.key = "vm", .doc = "A template of guests. Without any there is one, named guest."}, true,
         [&] { vm_fields(v, s.machine, s.vms.emplace_back(), written); });
  v.table({.key = "fleet", .doc = "A mix of guests over the hosts.", .optional = true}, [&] { mix_fields(v, s); });
  s.placed = place({.hosts = s.hosts, .by_name = written.hosts, .vms = s.vms, .fleet = s.fleet});
  if (!s.fleet.written && !written.hosts) return;
  for (VmSpec& vm : s.vms) vm.count = 0;
  for (const Guest& guest : s.placed.guests) ++s.vms[guest.vm].count;
}

}  // namespace vmbsim::scenario
