#include "models/scenario/checks.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <variant>
#include <vector>

#include "models/drivers/network_protocol.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::scenario {
namespace {

using config::Node;

constexpr Bytes most_ring_memory{std::int64_t{16} << 30};
/// A channel's two rings, control pages included, are one GPADL of one range, whose 16-bit length counts its PFNs' bytes.
/// Source: EMCL, VMBUS_CHANNEL_GPADL_HEADER.
constexpr Pages most_shared_pages{8190};
constexpr std::int64_t most_processors = 100'000;

using Step = std::variant<const char*, std::size_t>;

class Checks {
 public:
  Checks(const Scenario& s, const config::Document& document, const std::set<std::string>& misspelt, Problems& problems)
      : s_(s), document_(document), misspelt_(misspelt), problems_(problems) {}

  void run(HardwareChecks hardware) {
    names();
    fleet();
    channels();
    workloads();
    end_of_run();
    sizes();
    hosts(hardware);
  }

 private:
  /// The place of a value, or of the nearest thing around it that was written.
  Place at(std::initializer_list<Step> path) const {
    const Node* node = &document_.root;
    for (const Step& step : path) {
      const Node* next = nullptr;
      if (const auto* key = std::get_if<const char*>(&step))
        next = node->find(*key);
      else if (std::get<std::size_t>(step) < node->items.size())
        next = &node->items[std::get<std::size_t>(step)];
      if (!next) break;
      node = next;
    }
    return document_.place(node->at);
  }

  void problem(std::initializer_list<Step> path, std::string text) { problems_.push_back({at(path), std::move(text)}); }

  /// Whether every name could be read and is the only one: else it may be the one that seems to be missing.
  template <class Spec>
  bool unique(const std::vector<Spec>& specs, const char* key, const char* unique_over = "") {
    const std::size_t before = problems_.size();
    for (std::size_t i = 0; i < specs.size(); ++i)
      for (std::size_t j = 0; j < i; ++j) {
        if (specs[i].name.empty() || specs[i].name != specs[j].name) continue;
        problem({key, i, "name"}, "name = \"" + specs[i].name + "\": another [[" + key +
                                      "]] has this name; it stands at line " +
                                      std::to_string(at({key, j, "name"}).line) + unique_over);
        break;
      }
    return problems_.size() == before && !specs.empty() &&
           std::none_of(specs.begin(), specs.end(), [](const Spec& spec) { return spec.name.empty(); });
  }

  void names() {
    vms_settled_ = unique(s_.vms, "vm");
    if (s_.placed.by_name) hosts_settled_ = unique(s_.hosts, "host");
    unique(s_.disks, "disk");
    const char* const over_all = s_.vms.size() > 1 ? "; names are unique over all [[vm]]" : "";
    channels_settled_ = unique(s_.channels, "channel", over_all);
    unique(s_.workloads, "workload", over_all);
  }

  template <class Spec>
  static const Spec* named(const std::vector<Spec>& specs, const std::string& name) {
    for (const Spec& spec : specs)
      if (spec.name == name) return &spec;
    return nullptr;
  }

  template <class Spec>
  static std::string alternatives(const std::vector<Spec>& specs, const std::string& name) {
    std::vector<std::string> names;
    for (const Spec& spec : specs)
      if (!spec.name.empty()) names.push_back(spec.name);
    return config::did_you_mean_or(name, names, "; there are: ");
  }

  /// What guests ask for, and whether there is anybody at all.
  void fleet() {
    if (s_.placed.by_name && hosts_settled_) {
      const std::set<std::string> places = host_names(s_.hosts);
      for (std::size_t i = 0; i < s_.vms.size(); ++i) {
        const VmSpec& vm = s_.vms[i];
        if (!vm.host.empty() && places.count(vm.host) == 0)
          problem({"vm", i, "host"},
                  "host = \"" + vm.host + "\": there is no such [[host]]" +
                      config::did_you_mean_or(vm.host, {places.begin(), places.end()}, "; there are: "));
        if (named(s_.hosts, vm.name))
          problem({"vm", i, "name"}, "name = \"" + vm.name + "\": a [[host]] has this name");
      }
    }
    if (!problems_.empty()) return;  // what could not be read may be what seems to be missing
    const bool weighed = std::any_of(s_.vms.begin(), s_.vms.end(), [](const VmSpec& vm) { return vm.weight != 0; });
    if (!weighed && s_.fleet.count + s_.fleet.per_host != 0)
      problem({"fleet", s_.fleet.count != 0 ? "count" : "per_host"},
              "no [[vm]] has a weight, so it is not said of which the fleet is made; give one weight = 1");
    else if (s_.placed.guests.empty() && !s_.placed.refused.empty())
      problem({"host"}, "no guest fits on any host; more room would be right");
    else if (s_.placed.guests.empty() && s_.placed.asked == 0)
      problem({s_.fleet.written ? "fleet" : "vm"},
              "there is no guest; give [fleet] a count or arrivals, or a [[vm]] a count");
  }

  void channels() {
    if (s_.channels.empty() && !stands("channel"))
      problem({"channel"}, "there is no [[channel]], so there is nothing to simulate");
    const bool astray = std::any_of(s_.workloads.begin(), s_.workloads.end(), [this](const WorkloadSpec& w) {
      return w.channel.empty() || !named(s_.channels, w.channel);
    });
    for (std::size_t i = 0; i < s_.channels.size(); ++i) {
      const ChannelSpec& c = s_.channels[i];
      if (!c.vm.empty() && vms_settled_ && !named(s_.vms, c.vm))
        problem({"channel", i, "vm"}, "vm = \"" + c.vm + "\": there is no such [[vm]]" + alternatives(s_.vms, c.vm));
      if (!c.name.empty()) driven(i, c, astray);
      if (c.subchannels != 0 && !(c.guest_endpoint.library.empty() && c.host_endpoint.library.empty()))
        problem({"channel", i, "subchannels"},
                "subchannels: KMCL shows a driver's own library one channel; right would be 0");
      if (c.save && s_.run_for.count() != 0 && c.save->at >= s_.warm_up + s_.run_for)
        problem({"channel", i, "save", "at"}, "at = \"" + config::to_text(c.save->at) + "\": the run is over by then");
      const bool of_platform = c.device.disk.find(':') != std::string::npos;
      if (of_platform && s_.machine.platform.empty())
        problem({"channel", i, "device", "disk"},
                "disk = \"" + c.device.disk + "\": there is no platform that could have it; give [machine] a platform");
      if (!c.device.peer.empty() && s_.machine.platform.empty())
        problem({"channel", i, "device", "peer"},
                "peer = \"" + c.device.peer + "\": there is no platform that could have it; give [machine] a platform");
      if (!c.device.disk.empty() && !of_platform && !named(s_.disks, c.device.disk) && !meant("disk"))
        problem({"channel", i, "device", "disk"}, "disk = \"" + c.device.disk + "\": there is no such [[disk]]" +
                                                      alternatives(s_.disks, c.device.disk) +
                                                      "; a disk of the platform is called \"host:disk\"");
    }
  }

  /// `astray`: a workload's channel could not be read or is not there, so it may be this one.
  void driven(std::size_t i, const ChannelSpec& c, bool astray) {
    bool driven = astray || (s_.workloads.empty() && stands("workload"));
    for (std::size_t j = 0; j < s_.workloads.size(); ++j) {
      const WorkloadSpec& w = s_.workloads[j];
      driven = driven || w.channel == c.name;
      if (w.channel != c.name) continue;
      if (c.device.service_from_trace) brings_service(j, w);
      if (const auto largest = largest_request(w)) fits(i, c, j, *largest);
    }
    if (!driven)
      problem({"channel", i}, "channel \"" + c.name +
                                  "\" is unreachable: no workload drives it; give one channel = \"" + c.name + "\"");
  }

  void brings_service(std::size_t j, const WorkloadSpec& w) {
    const std::string because = "\": its channel's device has service = \"trace\", but ";
    const bool recorded = w.loop == WorkloadSpec::Loop::trace;
    if (!recorded) return problem({"workload", j}, "workload \"" + w.name + because + "this workload is no trace");
    if (w.trace.format == TraceSpec::Format::fio_iolog)
      return problem({"workload", j, "trace", "format"},
                     "workload \"" + w.name + because + "an fio-iolog records no service times");
    if (w.trace.format == TraceSpec::Format::csv && w.trace.service.empty())
      problem({"workload", j, "trace"}, "workload \"" + w.name + because + "its trace names no service column");
  }

  static std::optional<Bytes> largest_request(const WorkloadSpec& w) {
    std::optional<Bytes> largest;
    for (const auto& request : w.request) largest = largest ? std::max(*largest, request.size) : request.size;
    return largest;
  }

  void fits(std::size_t i, const ChannelSpec& c, std::size_t j, Bytes request) {
    if (c.driver.empty() || !c.guest_endpoint.library.empty()) return;  // what a library sends is its own business
    const Bytes packet = packet_size(c, request);
    if (const Bytes most = largest_request_of(c); request > most)
      return problem({"workload", j, "request"}, "request is too large: " + config::to_text(request) +
                                                     "; a frame of a network channel has at most " +
                                                     config::to_text(most));
    const std::string takes =
        "a request of " + config::to_text(request) + " takes a packet of " + std::to_string(packet.count) + " B";
    if (packet > largest_packet)
      return problem({"workload", j, "request"}, "request is too large: " + takes + ", and a packet has at most " +
                                                     std::to_string(largest_packet.count) + " B");
    // 8 bytes of a ring always stay free, so that full and empty differ. Source: OpenVMM, vmbus_ring.
    const Pages least = pages_for(packet + Bytes{8});
    const auto ring = [&](const char* key, Pages size) {
      if (size >= least) return;
      problem({"channel", i, "ring", key},
              std::string(key) + " = \"" + config::to_text(size) + "\": too small: " + takes +
                  " and 8 B stay free; right would be at least \"" + config::to_text(least) + "\"");
    };
    ring("to_host", c.to_host);
    if (c.driver == "echo") ring("to_guest", c.to_guest);  // an echo answers with as much as it got
  }

  void workloads() {
    for (std::size_t j = 0; j < s_.workloads.size(); ++j) {
      const WorkloadSpec& w = s_.workloads[j];
      if (w.channel.empty()) continue;
      const ChannelSpec* channel = named(s_.channels, w.channel);
      if (!channel && channels_settled_)
        problem({"workload", j, "channel"},
                "channel = \"" + w.channel + "\": there is no such [[channel]]" + alternatives(s_.channels, w.channel));
      if (channel && channels_settled_ && !w.vm.empty() && !channel->vm.empty() && w.vm != channel->vm)
        problem({"workload", j, "vm"},
                "vm = \"" + w.vm + "\": channel \"" + w.channel + "\" belongs to vm \"" + channel->vm + "\"");
      if (w.loop == WorkloadSpec::Loop::trace && !w.trace.file.empty()) sizes_of_trace(j, w);
    }
  }

  void sizes_of_trace(std::size_t j, const WorkloadSpec& w) {
    const bool brings = w.trace.format != TraceSpec::Format::csv || !w.trace.size.empty();
    if (brings && !w.request.empty())
      problem({"workload", j, "request"}, "request: has no effect here; the trace brings the sizes");
    if (!brings && w.request.size() != 1)
      problem({"workload", j, "request"},
              "the trace names no size column, so request must say the one size of all, as in \"4KiB\"");
  }

  void end_of_run() {
    if (document_.root.find("run_for") || document_.root.find("packets") || meant("run_for") || meant("packets"))
      return;
    for (const WorkloadSpec& w : s_.workloads) {
      if (w.loop == WorkloadSpec::Loop::trace || meant("workload.loop")) continue;
      return problem({}, "run_for or packets is missing: workload \"" + w.name +
                             "\" never ends by itself; give run_for = \"200ms\" or packets = 1000");
    }
  }

  void sizes() {
    Bytes memory;
    std::int64_t processors = 0;
    std::int64_t instances = 0;
    for (const HostSpec& host : s_.hosts) processors += std::int64_t{host.cpus} * host.count;
    for (const VmSpec& vm : s_.vms) processors += std::int64_t{vm.cpus} * vm.count;
    for (std::size_t i = 0; i < s_.channels.size(); ++i) {
      const VmSpec* vm = named(s_.vms, s_.channels[i].vm);
      if (s_.channels[i].to_host.count + s_.channels[i].to_guest.count + 2 > most_shared_pages.count)
        problem({"channel", i, "ring"}, "the two rings are too large: together they have at most " +
                                            std::to_string(most_shared_pages.count - 2) +
                                            " pages, because one message describes them to the host");
      const Bytes one = ring_memory(s_.channels[i]);
      const std::int64_t copies = vm ? vm->count : 1;
      instances += copies;
      if (copies == 0) continue;
      if (one.count > most_ring_memory.count / copies || memory + Bytes{one.count * copies} > most_ring_memory) {
        problem({"channel", i}, "the rings up to this channel take more than " + config::to_text(most_ring_memory) +
                                    "; fewer guests, subchannels or ring pages would be right");
        break;
      }
      memory += Bytes{one.count * copies};
    }
    if (processors <= most_processors && s_.placed.asked > most_guests_of_fleet)
      problem({"fleet"}, "more than " + std::to_string(most_guests_of_fleet) + " guests over the whole run");
    if (processors > most_processors)
      problem({"vm"}, std::to_string(processors) + " processors; at most " + std::to_string(most_processors) +
                          " are simulated");
    if (s_.record.interval > Duration{0} &&
        s_.run_for / s_.record.interval > most_recorded_rows / std::max<std::int64_t>(instances, 1))
      problem({"record", "intervals"}, "more than " + std::to_string(most_recorded_rows) +
                                           " intervals over all channels; a longer one would be right");
  }

  void hosts(HardwareChecks hardware) {
    const std::string& platform = s_.machine.platform;
    if (platform.empty()) return;
    const auto ask = [&](const std::string& host, std::initializer_list<Step> path, const char* key) {
      if (host.empty() || !hardware.host) return true;
      const auto wrong = hardware.host(platform, host);
      if (wrong) problem(path, std::string(key) + " = \"" + host + "\": " + *wrong);
      return !wrong;
    };
    bool known = ask(s_.machine.host, {"machine", "host"}, "host");
    for (std::size_t i = 0; s_.placed.by_name && i < s_.hosts.size(); ++i)
      known = carried(i, [&](const std::string& on) { return ask(on, {"host", i, "on"}, "on"); }) && known;
    std::set<std::string> carriers;
    for (const Host& host : s_.placed.hosts)
      if (!carriers.insert(host.on).second && !host.on.empty())
        problem({"host"}, "two hosts are on \"" + host.on + "\" of the platform; right would be one");
    for (std::size_t i = 0; i < s_.vms.size(); ++i)
      if (!s_.placed.by_name && s_.vms[i].host != s_.machine.host) ask(s_.vms[i].host, {"vm", i, "host"}, "host");
    for (std::size_t i = 0; i < s_.channels.size(); ++i) {
      const DeviceSpec& device = s_.channels[i].device;
      const std::size_t colon = device.disk.find(':');
      if (colon != std::string::npos && device.disk[0] == '*') {
        for (const Host& host : s_.placed.hosts)
          if (known && !ask(host.on + device.disk.substr(colon), {"channel", i, "device", "disk"}, "disk")) break;
      } else if (colon != std::string::npos && ask(device.disk, {"channel", i, "device", "disk"}, "disk") && known) {
        routes(hardware.route, device.disk.substr(0, colon), false, {"channel", i, "device", "disk"});
      }
      if (!device.peer.empty() && ask(device.peer, {"channel", i, "device", "peer"}, "peer") && known)
        routes(hardware.route, device.peer, true, {"channel", i, "device", "peer"});
    }
  }

  /// Whether the platform has what carries the hosts of template `i`, up to the first that it has not.
  template <class Ask>
  bool carried(std::size_t i, Ask ask) const {
    const std::string& name = s_.hosts[i].name;
    return std::all_of(s_.placed.hosts.begin(), s_.placed.hosts.end(), [&](const Host& host) {
      const bool of_it = host.name == name || host.name.compare(0, name.size() + 1, name + "[") == 0;
      return !of_it || ask(host.on);
    });
  }

  /// Every host reaches `to`; `always`: also the host that is `to`, which needs a loop of its own.
  void routes(const RouteCheck& route_check, const std::string& to, bool always, std::initializer_list<Step> path) {
    if (!route_check) return;
    std::vector<std::string> from;
    for (const Host& host : s_.placed.hosts)
      if (host.on != to || always) from.push_back(host.on);
    if (from.empty()) return;
    if (const auto wrong = route_check(s_.machine.platform, from, to)) problem(path, *wrong);
  }

  /// Whether a key that nobody knows probably means this one.
  bool meant(const char* key) const { return misspelt_.count(key) != 0; }

  /// Whether a list of which nothing could be read was written all the same.
  bool stands(const char* key) const {
    const Node* node = document_.root.find(key);
    return meant(key) || (node && !(node->is(Node::Kind::list) && node->items.empty()));
  }

  const Scenario& s_;
  const config::Document& document_;
  const std::set<std::string>& misspelt_;
  Problems& problems_;
  bool vms_settled_ = false;
  bool channels_settled_ = false;
  bool hosts_settled_ = false;
};

}  // namespace

Bytes packet_size(const ChannelSpec& channel, Bytes size) {
  if (channel.driver == "echo") return {16 + (size.count + 7) / 8 * 8 + 8};
  if (channel.driver == "network") return {16 + 8 + 8 + 8 * (pages_for(size).count + 1) + 40 + 8};
  return {16 + 8 + 8 + 8 * (pages_for(size).count + 1) + 64 + 8};
}

Bytes largest_request_of(const ChannelSpec& channel) {
  if (channel.driver == "network" && channel.guest_endpoint.library.empty()) return {drivers::NetworkMaximumFrame};
  return {std::numeric_limits<std::int64_t>::max()};
}

Bytes ring_memory(const ChannelSpec& channel) {
  const Pages pair{channel.to_host.count + channel.to_guest.count + 2};
  return {pair.bytes().count * (std::int64_t{channel.subchannels} + 1)};
}

void check(const Scenario& s, const config::Document& document, const std::set<std::string>& misspelt,
           HardwareChecks hardware, Problems& problems) {
  Checks(s, document, misspelt, problems).run(hardware);
}

}  // namespace vmbsim::scenario
