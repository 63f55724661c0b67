#include "models/scenario/fields.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <utility>
#include <variant>

#include "models/scenario/expectations.hpp"
#include "models/scenario/fleet_fields.hpp"
#include "models/scenario/parsers.hpp"
#include "models/scenario/statistics_fields.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/toml_text.hpp"

namespace vmbsim::scenario {
namespace {

// Limits that keep any scenario within what one computer can hold; see also the ring memory limit in checks.cpp.
constexpr std::int64_t most_subchannels = 1024;
constexpr std::int64_t most_ring_pages = 65'536;
constexpr std::int64_t most_outstanding = 1'000'000;

struct CostField {
  const char* key;
  kernel::Distribution hw::Costs::*member;
  const char* doc;
};

// In the order of models/hw/costs.hpp.
constexpr CostField cost_fields[] = {
    {"signal_host", &hw::Costs::signal_host, "Guest's hypercall to the interrupt at a host processor."},
    {"signal_guest", &hw::Costs::signal_guest, "Host's signal to the interrupt at a running guest processor."},
    {"idle_wake", &hw::Costs::idle_wake, "Added to an interrupt that finds its processor idle."},
    {"control_message", &hw::Costs::control_message, "One channel-protocol message between guest and host."},
    {"hypercall", &hw::Costs::hypercall, "HvSignalEvent, paid by the sender."},
    {"isr", &hw::Costs::isr, "The VMBus interrupt routine."},
    {"dpc_dispatch", &hw::Costs::dpc_dispatch, "Drop below DISPATCH_LEVEL to a DPC's first instruction."},
    {"worker_wake", &hw::Costs::worker_wake, "Queueing a work item to its routine's start."},
    {"thread_switch", &hw::Costs::thread_switch, "One switch to another thread."},
    {"packet_send", &hw::Costs::packet_send, "VmbPacketSend and its siblings, without the copy."},
    {"packet_receive", &hw::Costs::packet_receive, "Taking one packet out of a ring, without the copy."},
    {"packet_complete", &hw::Costs::packet_complete, "VmbChannelPacketComplete, without the copy."},
    {"copy_per_kib", &hw::Costs::copy_per_kib, "Moving 1 KiB into or out of a ring."},
    {"map_per_page", &hw::Costs::map_per_page, "VmbChannelPacketGetExternalData, for each page described."},
    {"device_isr", &hw::Costs::device_isr, "The interrupt routine of a host device."},
};
static_assert(sizeof(hw::Costs) == std::size(cost_fields) * sizeof(kernel::Distribution), "every cost is a key");

/// `hosts`: there are [[host]].
void machine_fields(Visitor& v, MachineSpec& m, bool hosts) {
  integer(v, "guest_cpus", m.guest_cpus, 1, most_cpus, "1", "Processors of every guest that does not say its own.");
  integer(v, "host_cpus", m.host_cpus, 1, most_cpus, "1", "Processors of every root partition.");
  const bool platform = v.has("platform");
  v.value(
      {.key = "platform", .shape = Shape::path, .doc = "A SimGrid platform file, or \"default\" for the embedded one."},
      [&m](const config::Node& node, Reading& reading) -> std::optional<std::string> {
        if (!node.is(config::Node::Kind::text) || node.text != "default")
          return parse_existing_file(m.platform, "platform")(node, reading);
        m.platform = "default";
        return "\"default\"";
      });
  v.value({.key = "host",
           .shape = Shape::text,
           .doc = "Host of the platform that is the root partition.",
           .required = platform && !hosts,
           .relevant = platform && !hosts,
           .only_for = hosts ? "a machine without [[host]]" : "a machine with a platform",
           .decided_by = {"platform", "host"}},
          parse_text(m.host));
}

using CostTexts = std::map<std::string, std::string>;

void latency_fields(Visitor& v, Scenario& s) {
  // A profile is read for the costs that are not named here; where all are, its file is not needed any more.
  bool all = true;
  for (const CostField& cost : cost_fields) all = all && v.has(cost.key);
  CostTexts presets;
  v.value({.key = "profile",
           .shape = Shape::text,
           .doc = "\"typical\", \"zero\", or a file of costs.",
           .preset = "\"typical\""},
          [&](const config::Node& node, Reading& reading) -> std::optional<std::string> {
            if (!node.is(config::Node::Kind::text)) return parse_text(s.profile)(node, reading);
            s.profile = reading.profile_name(node);
            if (!all) {
              auto costs = reading.profile(node);
              if (!costs) return std::nullopt;
              presets = std::move(*costs);
            }
            return config::toml_quoted(s.profile);
          });
  for (const CostField& cost : cost_fields) {
    Field field{.key = cost.key, .shape = Shape::distribution, .doc = cost.doc};
    if (const auto preset = presets.find(cost.key); preset != presets.end()) field.preset = preset->second;
    v.value(field, parse_distribution(s.costs.*cost.member));
  }
}

bool is_library(const config::Node& node) {
  return node.is(config::Node::Kind::text) && node.text.size() > 3 &&
         node.text.compare(node.text.size() - 3, 3, ".so") == 0;
}

Parse parse_library(std::string& out) {
  return [&out](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    if (!is_library(node)) {
      reading.wrong(node, "right would be the file of a driver library, as in \"libecho.so\"");
      return std::nullopt;
    }
    const auto file = reading.driver_library(node);
    if (!file) return std::nullopt;
    out = *file;
    return config::toml_quoted(*file);
  };
}

/// A library decides these things itself.
void endpoint_fields(Visitor& v, EndpointSpec& e, bool guest) {
  v.value({.key = "driver",
           .shape = Shape::driver,
           .doc = "A driver library for this end alone, in place of the built-in driver."},
          parse_library(e.library));
  const bool built_in = e.library.empty();
  constexpr const char* only_for = "a built-in driver";
  v.value({.key = "processing",
           .shape = Shape::choice,
           .doc = "Where packet callbacks run.",
           .preset = "\"dispatch\"",
           .choices = {"dispatch", "passive"},
           .relevant = built_in,
           .only_for = only_for,
           .decided_by = {"driver"}},
          parse_choice(e.processing, {{"dispatch", Processing::dispatch}, {"passive", Processing::passive}}));
  v.value({.key = "transaction_quota",
           .shape = Shape::integer,
           .doc = "Incoming packets not yet completed at which delivery stops; 0: unlimited.",
           .preset = "0",
           .min = 0,
           .max = most_outstanding,
           .relevant = built_in,
           .only_for = only_for,
           .decided_by = {"driver"}},
          parse_integer(e.transaction_quota, 0, most_outstanding));
  v.value({.key = "process_time",
           .shape = Shape::distribution,
           .doc = "Processor time the driver spends on each packet.",
           .preset = "\"0ns\"",
           .relevant = built_in,
           .only_for = only_for,
           .decided_by = {"driver"}},
          parse_distribution(e.process_time));
  if (guest)
    integer(v, "vtl", e.vtl, 0, 2, "0",
            "Virtual trust level that its drivers run in: offers for another one are not seen.");
}

void device_fields(Visitor& v, DeviceSpec& d, const std::string& driver) {
  const bool stores = driver != "network";
  const bool elsewhere = v.has(stores ? "disk" : "peer");
  constexpr const char* only_for = "driver = \"storage\"";
  v.value({.key = "service",
           .shape = Shape::service,
           .doc = "Time one server needs for a request, or \"trace\".",
           .required = !driver.empty() && !elsewhere,
           .relevant = !elsewhere,
           .only_for = stores ? "a device without a shared disk" : "a device without a peer on the platform",
           .decided_by = {"disk", "peer"}},
          parse_service(d));
  integer(v, "parallel", d.parallel, 1, 65'536, "1", "Requests served at the same time.");
  v.value(
      {.key = "disk",
       .shape = Shape::text,
       .doc = "In place of service: \"host:disk\" of the platform, \"*:disk\" for the host that carries the guest, or "
              "the name of a [[disk]].",
       .relevant = stores,
       .only_for = only_for},
      [&d](const config::Node& node, Reading& reading) -> std::optional<std::string> {
        auto text = parse_text(d.disk)(node, reading);
        const std::size_t colon = d.disk.find(':');
        if (!text || (colon != 0 && colon + 1 != d.disk.size() && !d.disk.empty())) return text;
        if (text) reading.wrong(node, "right would be a host and its disk, as in \"host:disk\"");
        d.disk.clear();
        return std::nullopt;
      });
  v.value({.key = "peer",
           .shape = Shape::text,
           .doc = "In place of service: the host of the platform that frames go to, over its links.",
           .relevant = !stores,
           .only_for = "driver = \"network\""},
          parse_text(d.peer));
  v.value(
      {.key = "completion",
       .shape = Shape::choice,
       .doc = "Where the host driver completes the packet.",
       .preset = "\"dpc\"",
       .choices = {"dpc", "worker"},
       .relevant = stores,
       .only_for = only_for},
      parse_choice(d.completion, {{"dpc", DeviceSpec::Completion::dpc}, {"worker", DeviceSpec::Completion::worker}}));
}

void save_fields(Visitor& v, SaveSpec& save) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  v.value({.key = "at",
           .shape = Shape::duration,
           .doc = "When, from the start of the run, warm-up included.",
           .required = true},
          parse_duration(save.at, 0ns, longest_run));
  v.value({.key = "restore_after", .shape = Shape::duration, .doc = "How long it stays saved.", .preset = "\"1ms\""},
          parse_duration(save.restore_after, 0ns, longest_run));
  v.value({.key = "save_code",
           .shape = Shape::integer,
           .doc = "Device control of the host's driver that returns what it saved.",
           .required = true,
           .min = 1,
           .max = most},
          parse_integer(save.save_code, 1, most));
  v.value({.key = "restore_code",
           .shape = Shape::integer,
           .doc = "Device control of the host's driver that takes it back.",
           .required = true,
           .min = 1,
           .max = most},
          parse_integer(save.restore_code, 1, most));
}

/// What KMCL does where its documents leave a choice.
void policy_fields(Visitor& v, kmcl::Policies& p) {
  using Routine = kmcl::Policies::RoutineOfSent;
  v.value({.key = "routine_of_sent",
           .shape = Shape::choice,
           .doc = "Completion routine of a packet that wants no answer and had room at once: inside the send, in the "
                  "next pass, or drawn for each.",
           .preset = "\"inside-send\"",
           .choices = {"inside-send", "in-a-pass", "either"}},
          parse_choice(
              p.routine_of_sent,
              {{"inside-send", Routine::inside_send}, {"in-a-pass", Routine::in_a_pass}, {"either", Routine::either}}));
  const auto flag = [&v](const char* key, bool& out, const char* doc) {
    v.value({.key = key, .shape = Shape::boolean, .doc = doc, .preset = "false"}, parse_flag(out));
  };
  flag("refuse_after_close", p.refuse_after_close,
       "A send on a closed channel fails; else it waits for the next open.");
  flag("exact_length", p.exact_length, "Receivers see a payload's own length; else it is rounded up to 8.");
  flag("pause_waits_for_sent", p.pause_waits_for_sent, "VmbChannelPause also waits for the answers to what was sent.");
  flag("overtaking", p.overtaking, "A packet that fits goes ahead of those that wait for room.");
  v.value({.key = "pending_fraction",
           .shape = Shape::real,
           .doc = "Share of packets, 0 to 1, whose external data is not there when it is first asked for.",
           .preset = "0.0"},
          parse_fraction(p.pending_permille));
  v.value({.key = "page_in", .shape = Shape::duration, .doc = "Until it is.", .preset = "\"0ns\""},
          parse_duration(p.page_in, 0ns, longest_cost));
}

/// A built-in pair, or a library that serves both ends.
Parse parse_driver(ChannelSpec& out) {
  return [&out](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    if (is_library(node)) {
      auto canonical = parse_library(out.guest_endpoint.library)(node, reading);
      if (canonical) out.driver = "library";
      out.host_endpoint.library = out.guest_endpoint.library;
      return canonical;
    }
    int ignored = 0;
    auto canonical = parse_choice(ignored, {{"echo", 0}, {"storage", 0}, {"network", 0}})(node, reading);
    if (canonical) out.driver = node.text;
    return canonical;
  };
}

void channel_fields(Visitor& v, const Scenario& s, ChannelSpec& c) {
  v.value({.key = "name", .shape = Shape::name, .doc = "Unique among the channels.", .required = true},
          parse_name(c.name));
  const bool one_vm = s.vms.size() == 1;
  v.value({.key = "vm",
           .shape = Shape::name,
           .doc = "The [[vm]] it belongs to; may be left out where there is one.",
           .preset = one_vm ? std::optional<std::string>(config::toml_quoted(s.vms.front().name)) : std::nullopt,
           .required = s.vms.size() > 1},
          parse_name(c.vm));
  v.value({.key = "driver",
           .shape = Shape::driver,
           .doc = "The drivers at its two ends: a built-in pair, or a library that serves both.",
           .required = true,
           .choices = {"echo", "storage", "network"}},
          parse_driver(c));
  integer(v, "subchannels", c.subchannels, 0, most_subchannels, "0", "Ring pairs beside the primary one.");
  v.value(
      {.key = "placement",
       .shape = Shape::choice,
       .doc =
           "Guest processors that are interrupted: channel i at processor i, or all at the first. Loads stay spread.",
       .preset = "\"spread\"",
       .choices = {"spread", "first"}},
      parse_choice(c.placement, {{"spread", Placement::spread}, {"first", Placement::first}}));
  v.table({.key = "ring", .doc = "Data pages of the rings, each direction, each subchannel."}, [&] {
    v.value({.key = "to_host", .shape = Shape::pages, .doc = "Guest to host.", .preset = "\"32 pages\""},
            parse_pages(c.to_host, 1, most_ring_pages));
    v.value({.key = "to_guest", .shape = Shape::pages, .doc = "Host to guest.", .preset = "\"32 pages\""},
            parse_pages(c.to_guest, 1, most_ring_pages));
  });
  v.table({.key = "batching", .doc = "How one dispatch pass of the host endpoint takes packets."}, [&] {
    using Mode = BatchingSpec::Mode;
    v.value({.key = "mode",
             .shape = Shape::choice,
             .doc = "One packet a batch; until the ring is empty; at most max_packets.",
             .preset = "\"drain\"",
             .choices = {"none", "drain", "limit"}},
            parse_choice(c.batching.mode, {{"none", Mode::none}, {"drain", Mode::drain}, {"limit", Mode::limit}}));
    integer(v, "max_packets", c.batching.max_packets, 1, most_outstanding, "64",
            "Packets of one pass, mode \"limit\" only.");
    v.value({.key = "mask",
             .shape = Shape::boolean,
             .doc = "Hold the interrupt mask while a pass drains.",
             .preset = "false"},
            parse_flag(c.batching.mask));
  });
  v.table({.key = "host_endpoint", .doc = "The server end."}, [&] { endpoint_fields(v, c.host_endpoint, false); });
  v.table({.key = "guest_endpoint", .doc = "The client end."}, [&] { endpoint_fields(v, c.guest_endpoint, true); });
  v.table({.key = "device",
           .doc = "What stands behind the host's driver: a disk, or the wire of a network.",
           .relevant = c.has_device(),
           .only_for = "driver = \"storage\" or \"network\"",
           .decided_by = {"driver", "host_endpoint", "host_endpoint.driver"}},
          [&] { device_fields(v, c.device, c.has_device() ? c.driver : ""); });
  v.table({.key = "policies", .doc = "What KMCL does where its documents leave a choice, at both ends."},
          [&] { policy_fields(v, c.policies); });
  v.table({.key = "save",
           .doc = "The host's end is saved and restored while the guest runs on.",
           .optional = true,
           .relevant = !c.host_endpoint.library.empty(),
           .only_for = "a host endpoint that is a driver library",
           .decided_by = {"driver", "host_endpoint", "host_endpoint.driver"}},
          [&] { save_fields(v, c.save.emplace()); });
}

void trace_fields(Visitor& v, TraceSpec& t, bool needed) {
  using F = TraceSpec::Format;
  t.place = v.place();
  std::optional<F> format;
  v.value({.key = "file", .shape = Shape::path, .doc = "The trace, relative to this file.", .required = needed},
          parse_existing_file(t.file, "trace"));
  v.value({.key = "format",
           .shape = Shape::choice,
           .doc = "What wrote it.",
           .required = needed,
           .choices = {"wpa-disk-io", "msr", "fio-iolog", "csv"}},
          [&](const config::Node& node, Reading& reading) {
            auto text = parse_choice(
                t.format,
                {{"wpa-disk-io", F::wpa_disk_io}, {"msr", F::msr}, {"fio-iolog", F::fio_iolog}, {"csv", F::csv}})(
                node, reading);
            if (text) format = t.format;
            return text;
          });
  v.value({.key = "time_scale", .shape = Shape::real, .doc = "2: arrivals come twice as far apart.", .preset = "1.0"},
          parse_scale(t.time_scale));
  v.value({.key = "sort", .shape = Shape::boolean, .doc = "Sort by arrival.", .preset = "false"}, parse_flag(t.sort));
  const auto mark = [&](const char* key, char& out, const char* doc) {
    v.value({.key = key, .shape = Shape::text, .doc = doc}, parse_mark(out));
  };
  mark("delimiter", t.delimiter, "Between cells: one character, or \"tab\"; left out: found out.");
  mark("decimal", t.decimal, "Decimal mark of numbers; left out: found out.");
  mark("thousands", t.thousands, "Thousands mark of numbers; left out: found out.");
  const bool csv = !format || *format == F::csv;
  const auto column = [&](const char* key, std::string& out, bool required, const char* doc) {
    v.value({.key = key,
             .shape = Shape::text,
             .doc = doc,
             .required = required && format == F::csv,
             .relevant = csv,
             .only_for = "format = \"csv\"",
             .decided_by = {"format"}},
            parse_text(out));
  };
  column("arrival", t.arrival, true, "Column of arrival times.");
  column("size", t.size, false, "Column of sizes; left out: request says the size.");
  column("kind", t.kind, false, "Column of kinds (read, write, flush); left out: all are reads.");
  column("offset", t.offset, false, "Column of offsets.");
  column("service", t.service, false, "Column of the device's times.");
  v.value({.key = "unit",
           .shape = Shape::text,
           .doc = "Of arrival and service where their headers name none.",
           .preset = "\"1ns\"",
           .relevant = csv,
           .only_for = "format = \"csv\"",
           .decided_by = {"format"}},
          parse_column_unit(t.unit));
}

void workload_fields(Visitor& v, const Scenario& s, WorkloadSpec& w) {
  using Loop = WorkloadSpec::Loop;
  v.value({.key = "name", .shape = Shape::name, .doc = "Unique among the workloads.", .required = true},
          parse_name(w.name));
  v.value({.key = "channel", .shape = Shape::name, .doc = "The [[channel]] it drives.", .required = true},
          parse_name(w.channel));
  const ChannelSpec* channel = nullptr;
  for (const ChannelSpec& c : s.channels)
    if (c.name == w.channel) channel = &c;
  v.value({.key = "vm",
           .shape = Shape::name,
           .doc = "The [[vm]] of its channel; may be left out.",
           .preset = channel && !channel->vm.empty() ? std::optional<std::string>(config::toml_quoted(channel->vm))
                                                     : std::nullopt},
          parse_name(w.vm));
  std::optional<Loop> loop;
  v.value({.key = "loop",
           .shape = Shape::choice,
           .doc = "Arrivals ignore completions; a completion admits a request; recorded arrivals.",
           .preset = "\"closed\"",
           .choices = {"open", "closed", "trace"}},
          [&w, &loop](const config::Node& node, Reading& reading) {
            auto text = parse_choice(w.loop, {{"open", Loop::open}, {"closed", Loop::closed}, {"trace", Loop::trace}})(
                node, reading);
            if (text) loop = w.loop;
            return text;
          });
  // A loop that could not be read judges no other key.
  const auto may_be = [&loop](Loop wanted) { return !loop || *loop == wanted; };
  const bool open = may_be(Loop::open);
  const bool closed = may_be(Loop::closed);
  const bool recorded = may_be(Loop::trace);
  const bool synthetic = !loop || *loop != Loop::trace;
  v.value({.key = "arrivals",
           .shape = Shape::arrivals,
           .doc = "When requests arrive.",
           .required = open && loop,
           .relevant = open,
           .only_for = "loop = \"open\"",
           .decided_by = {"loop"}},
          parse_arrivals(w.arrivals));
  v.value({.key = "queue_depth",
           .shape = Shape::integer,
           .doc = "Requests in flight.",
           .preset = "1",
           .min = 1,
           .max = 65'536,
           .relevant = closed,
           .only_for = "loop = \"closed\"",
           .decided_by = {"loop"}},
          parse_integer(w.queue_depth, 1, 65'536));
  v.value({.key = "think_time",
           .shape = Shape::distribution,
           .doc = "From a completion to the request it admits.",
           .preset = "\"0ns\"",
           .relevant = closed,
           .only_for = "loop = \"closed\"",
           .decided_by = {"loop"}},
          parse_distribution(w.think_time));
  const bool reads = !channel || channel->driver != "echo" || !channel->guest_endpoint.library.empty();
  // The trace comes after the plain keys, so whether it names a size column is settled by the checks.
  v.value({.key = "request",
           .shape = Shape::request,
           .doc = "Size of a request, or a mix of sizes by weight.",
           .preset = synthetic ? std::optional<std::string>("\"4KiB\"") : std::nullopt},
          parse_request(w.request));
  v.value({.key = "read_fraction",
           .shape = Shape::real,
           .doc = "Share of reads, 0 to 1; the rest are writes.",
           .preset = "1.0",
           .relevant = reads && synthetic,
           .only_for = "an open or closed loop on a channel that reads and writes",
           .decided_by = {"loop", "channel.guest_endpoint", "channel.guest_endpoint.driver"}},
          parse_fraction(w.read_permille));
  v.table({.key = "trace",
           .doc = "The recorded load.",
           .relevant = recorded,
           .only_for = "loop = \"trace\"",
           .decided_by = {"loop"}},
          [&] { trace_fields(v, w.trace, loop.has_value()); });
}

/// Whether all that metrics are named after could be read, each of its kind under a name of its own: where not, that is the
/// problem.
bool settled(const Scenario& s) {
  const auto distinct = [](const auto& specs, const auto& known) {
    std::set<std::string> names;
    return !specs.empty() && std::all_of(specs.begin(), specs.end(), [&](const auto& spec) {
      return !spec.name.empty() && names.insert(spec.name).second && known(spec);
    });
  };
  std::set<std::string> vms;
  std::set<std::string> channels;
  return distinct(s.vms, [&](const VmSpec& vm) { return vms.insert(vm.name).second; }) &&
         distinct(s.channels,
                  [&](const ChannelSpec& c) {
                    channels.insert(c.name);
                    return !c.driver.empty() && vms.count(c.vm) != 0;
                  }) &&
         distinct(s.workloads,
                  [&](const WorkloadSpec& w) { return channels.count(w.channel) != 0 && vms.count(w.vm) != 0; });
}

/// One line of demands on metrics.
ParseEntry parse_demand(const Scenario& s, std::vector<Expectation>& out) {
  return [&s, &out, judged = settled(s)](const std::string& key, const config::Node& node,
                                         Reading& reading) -> std::optional<std::string> {
    std::string demand;
    auto text = parse_text(demand)(node, reading);
    if (!text || !judged) return text;
    auto line = expectation(s, key, demand);
    if (const auto* wrong = std::get_if<ExpectationError>(&line)) {
      reading.wrong(node, wrong->text);
      return std::nullopt;
    }
    out.push_back(std::get<Expectation>(std::move(line)));
    out.back().place = reading.place(node);
    return text;
  };
}

void report_fields(Visitor& v, const Scenario& s, ReportSpec& report) {
  using config::Node;
  v.value({.key = "rows",
           .shape = Shape::texts,
           .doc = "Metrics that batch shows at its end, one row each: latency.p99 of every channel or workload, or one "
                  "by its full name."},
          [&](const Node& node, Reading& reading) -> std::optional<std::string> {
            auto text = parse_texts(report.rows)(node, reading);
            if (!text || !settled(s)) return text;
            for (std::size_t i = 0; i < report.rows.size(); ++i)
              if (const auto wrong = wrong_row(s, report.rows[i])) {
                reading.wrong(node.is(Node::Kind::list) ? node.items[i] : node, wrong->text);
                text.reset();
              }
            return text;
          });
  v.value({.key = "against", .shape = Shape::text, .doc = "The swept key that makes the columns."},
          [&](const Node& node, Reading& reading) -> std::optional<std::string> {
            auto text = parse_text(report.against)(node, reading);
            if (!text) return std::nullopt;
            const std::vector<std::string> swept = sweep::parameters(s.sweep);
            if (std::find(swept.begin(), swept.end(), report.against) != swept.end()) return text;
            reading.wrong(node, swept.empty() ? "no key is swept; give [sweep] an axis over it"
                                              : "this key is not swept" +
                                                    config::did_you_mean_or(report.against, swept, "; swept are: "));
            return std::nullopt;
          });
}

/// Rules whose findings a scenario may change.
void verifier_fields(Visitor& v, std::vector<VerifierSpec>& out) {
  for (const Rule& rule : rules) {
    if (rule.kind != Rule::Kind::violation) continue;
    const std::string doc = std::string(rule.sentence) + " Left out: " + name_of(rule.severity) + ".";
    v.value({.key = rule.id, .shape = Shape::choice, .doc = doc.c_str(), .choices = {"off", "warning", "error"}},
            [&](const config::Node& node, Reading& reading) {
              Severity severity{};
              auto text = parse_choice(
                  severity, {{"off", Severity::off}, {"warning", Severity::warning}, {"error", Severity::error}})(
                  node, reading);
              if (text) out.push_back({&rule, severity});
              return text;
            });
  }
}

}  // namespace

void fields(Visitor& v, Scenario& s) {
  v.value({.key = "schema", .shape = Shape::version, .doc = "Version of this format.", .required = true},
          parse_version());
  v.value({.key = "name", .shape = Shape::text, .doc = "What results call this scenario.", .required = true},
          parse_title(s.name));
  std::int64_t seed = 1;
  integer(v, "seed", seed, 0, std::numeric_limits<std::int64_t>::max(), "1", "What the run's chance is drawn from.");
  s.seed = {static_cast<std::uint64_t>(seed)};
  warm_up_field(v, s);
  v.value({.key = "run_for", .shape = Shape::duration, .doc = "Simulated span after the warm-up."},
          parse_duration(s.run_for, 1ns, longest_run));
  v.value({.key = "packets",
           .shape = Shape::integer,
           .doc = "Stop after that many completions.",
           .min = 1,
           .max = 1'000'000'000'000},
          parse_integer(s.packets, 1, 1'000'000'000'000));
  v.table({.key = "machine", .doc = "What everything runs on."},
          [&, hosts = v.has("host")] { machine_fields(v, s.machine, hosts); });
  fleet_fields(v, s);
  v.table({.key = "latency", .doc = "What things cost: a profile, and single costs that win over it."},
          [&] { latency_fields(v, s); });
  v.list({.key = "channel", .doc = "A VMBus channel."}, false,
         [&] { channel_fields(v, s, s.channels.emplace_back()); });
  v.list({.key = "workload", .doc = "A load on a channel."}, false,
         [&] { workload_fields(v, s, s.workloads.emplace_back()); });
  v.table({.key = "sweep", .doc = "The points a batch runs.", .optional = true}, [&] { sweep_fields(v, s.sweep); });
  v.entries({.key = "objective", .doc = "Metrics and what must hold of them: what plan must keep.", .optional = true},
            parse_demand(s, s.objective));
  v.table({.key = "plan", .doc = "What plan looks for, and how sure it is to be.", .optional = true},
          [&] { plan_fields(v, s.plan); });
  v.table({.key = "report", .doc = "What a report shows.", .optional = true}, [&] { report_fields(v, s, s.report); });
  v.entries({.key = "expect", .doc = "Metrics and what must hold of them, or the run fails.", .optional = true},
            parse_demand(s, s.expect));
  v.table({.key = "precision", .doc = "A figure that ends the run when it is known well enough.", .optional = true},
          [&] { precision_fields(v, s, settled(s)); });
  v.table({.key = "verifier", .doc = "What becomes of findings, by rule; error: the run fails.", .optional = true},
          [&] { verifier_fields(v, s.verifier); });
  v.table({.key = "hunt", .doc = "What a hunt varies and looks for; a run leaves it aside.", .optional = true},
          [&] { hunt_fields(v, s.hunt); });
  v.table({.key = "record", .doc = "Further result files.", .optional = true}, [&] {
    v.value(
        {.key = "packets", .shape = Shape::boolean, .doc = "packets.csv: one row per transaction.", .preset = "false"},
        parse_flag(s.record.packets));
    v.value({.key = "intervals", .shape = Shape::duration, .doc = "intervals.csv: one row per interval."},
            parse_duration(s.record.interval, 1ns, longest_run));
    v.value({.key = "trace",
             .shape = Shape::boolean,
             .doc = "trace.pftrace: the run as a timeline; ui.perfetto.dev shows it.",
             .preset = "false"},
            parse_flag(s.record.trace));
  });
}

void profile_fields(Visitor& v, std::map<std::string, std::string>& costs) {
  std::string ignored;
  v.value({.key = "schema", .shape = Shape::version, .doc = "Version of this format.", .required = true},
          parse_version());
  v.value({.key = "name", .shape = Shape::text, .doc = "What the profile is called.", .required = true},
          parse_text(ignored));
  v.table({.key = "latency", .doc = "Every cost."}, [&] {
    hw::Costs values;
    for (const CostField& cost : cost_fields)
      v.value({.key = cost.key, .shape = Shape::distribution, .doc = cost.doc, .required = true},
              [&, parse = parse_distribution(values.*cost.member)](const config::Node& node, Reading& reading) {
                auto text = parse(node, reading);
                if (text) costs[cost.key] = *text;
                return text;
              });
  });
}

}  // namespace vmbsim::scenario
