#include "models/scenario/expectations.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/config/suggestions.hpp"
#include "sim/config/units.hpp"
#include "sim/report/metrics.hpp"

namespace vmbsim::scenario {
namespace {

/// The metrics of one thing of each kind, as the report makes them: `channel.x.latency.p99` and so on.
std::vector<report::Metric> patterns_of(const char* kind) {
  RunResult one;
  one.channels.emplace_back().name = "x";
  one.workloads.emplace_back().name = "x";
  one.processors.emplace_back().name = "x";
  one.devices.emplace_back().name = "x";
  FleetResult& fleet = one.fleet.emplace();
  fleet.hosts.emplace_back().name = "x";
  fleet.templates.emplace_back().name = "x";
  std::vector<report::Metric> out;
  const bool alone = kind == std::string_view("run") || kind == std::string_view("fleet");
  const std::string prefix = std::string(kind) + (alone ? "." : ".x.");
  for (report::Metric& metric : report::metrics(one))
    if (metric.name.compare(0, prefix.size(), prefix) == 0) {
      metric.name.erase(0, prefix.size());
      out.push_back(std::move(metric));
    }
  return out;
}

using Answer = std::variant<std::string_view, ExpectationError>;

const VmSpec* vm_named(const Scenario& s, const std::string& name) {
  for (const VmSpec& vm : s.vms)
    if (vm.name == name) return &vm;
  return nullptr;
}

/// "0", "12": as results write it, without leading zeros.
bool is_index(std::string_view text, std::int64_t below) {
  const auto number = config::parse_count(text);
  const auto* value = std::get_if<std::int64_t>(&number);
  return value != nullptr && *value < below && std::to_string(*value) == text;
}

/// `web[2].` or `web[*].` in front of an instance, taken off; false if it is the wrong one for that guest.
bool strip_guest(std::string_view& rest, const VmSpec& vm) {
  if (vm.count == 1) return true;
  const std::string prefix = vm.name + "[";
  const std::size_t close = rest.find("].");
  if (rest.substr(0, prefix.size()) != prefix || close == std::string_view::npos) return false;
  const std::string_view index = rest.substr(prefix.size(), close - prefix.size());
  rest.remove_prefix(close + 2);
  return index == "*" || is_index(index, vm.count);
}

/// Hosts or guests of one template, and the processors of each.
struct Partition {
  std::string name;
  std::int64_t count;
  std::int64_t cpus;
};

std::vector<Partition> partitions_of(const Scenario& s) {
  std::vector<Partition> all;
  for (const HostSpec& host : s.hosts) all.push_back({host.name, host.count, host.cpus});
  for (const VmSpec& vm : s.vms) all.push_back({vm.name, vm.count, vm.cpus});
  return all;
}

/// "[*]" and "[0]" also mean the guest of a template that makes just one, and "cpu*" the processor of a partition that has just
/// one: results name those things alone. So a sweep over the number of either needs one expectation only.
std::string of_a_single_one(const Scenario& s, std::string metric) {
  const std::size_t name = metric.find('.') + 1;
  const std::string_view kind = std::string_view(metric).substr(0, name);
  const bool processor = kind == "processor.";
  const bool called = processor || kind == "host.";  // by the partition's own name
  for (const Partition& of : partitions_of(s)) {
    for (const char* index : {"[*]", "[0]"}) {
      const std::string prefix = of.name + index;
      if (of.count != 1 || metric.compare(name, prefix.size(), prefix) != 0) continue;
      const bool disk = metric.compare(name + prefix.size(), 1, ":") == 0;
      metric.replace(name, prefix.size() + (called || disk ? 0 : 1), called || disk ? of.name : "");
    }
    const std::string all = of.name + ".cpu*.";
    if (processor && of.count == 1 && of.cpus == 1 && metric.compare(name, all.size(), all) == 0)
      metric.replace(name, all.size(), of.name + ".cpu0.");
  }
  return metric;
}

std::string no_such(const char* kind, std::string_view written, const std::vector<std::string>& names) {
  return std::string("there is no ") + kind + " \"" + std::string(written) + "\"" +
         config::did_you_mean_or(written, names, "; there are: ");
}

/// What follows `channel.` or `workload.` up to the metric, for every spec of that kind: as a user would write it.
template <class Spec>
Answer behind_name(const Scenario& s, const std::vector<const Spec*>& specs, std::string_view rest, const char* kind,
                   const std::vector<std::string>& others = {}) {
  std::vector<std::string> names;
  const auto behind = [](std::string_view text, const std::string& name) -> std::optional<std::string_view> {
    if (text.substr(0, name.size()) != name || text.substr(name.size(), 1) != ".") return std::nullopt;
    return text.substr(name.size() + 1);
  };
  for (const Spec* spec : specs) {
    const VmSpec* vm = vm_named(s, spec->vm);
    if (!vm) continue;
    names.push_back(vm->count == 1 ? spec->name : vm->name + "[*]." + spec->name);
    std::string_view instance = rest;
    if (!strip_guest(instance, *vm)) continue;
    if (const auto metric = behind(instance, spec->name)) return *metric;
  }
  for (const std::string& other : others) {
    names.push_back(other);
    if (const auto metric = behind(rest, other)) return *metric;
  }
  if (std::find(names.begin(), names.end(), rest) != names.end()) return std::string_view();
  const std::size_t guest = rest.find("].");
  return ExpectationError{
      no_such(kind, rest.substr(0, rest.find('.', guest == std::string_view::npos ? 0 : guest + 2)), names)};
}

template <class Spec>
std::vector<const Spec*> all_of(const std::vector<Spec>& specs) {
  std::vector<const Spec*> out;
  out.reserve(specs.size());
  for (const Spec& spec : specs) out.push_back(&spec);
  return out;
}

/// "node", or "node[0]" and so on and all of them together.
std::vector<std::string> hosts_called(const HostSpec& host) {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < host.count; ++i) names.push_back(host_name(host, i));
  if (host.count > 1) names.push_back(host.name + "[*]");
  return names;
}

/// What a channel shares with others: a disk, and the way there.
void add_shared(const Scenario& s, const DeviceSpec& device, std::vector<std::string>& names) {
  const std::size_t colon = device.disk.find(':');
  if (colon != std::string::npos) {
    const std::string owner = device.disk.substr(0, colon);
    for (const Host& host : s.placed.hosts) {
      if (owner == "*") names.push_back(host.on + device.disk.substr(colon));
      if (owner == "*" || owner == host.on) continue;
      names.push_back(host.on + " to " + owner);
      names.push_back(owner + " to " + host.on);
    }
    if (owner != "*") names.push_back(device.disk);
  } else if (!device.disk.empty()) {
    for (const DiskSpec& disk : s.disks) {
      if (disk.name != device.disk) continue;
      if (!disk.of_every_host) names.push_back(disk.name);
      for (const HostSpec& host : s.hosts)
        for (const std::string& called : hosts_called(host))
          if (disk.of_every_host) names.push_back(called + ":" + disk.name);
    }
  }
  for (const Host& host : s.placed.hosts)
    if (!device.peer.empty()) names.push_back(host.on + " to " + device.peer);
}

/// Devices are the servers behind storage and network channels, by the channel's name, and what several share, by its own.
Answer behind_device(const Scenario& s, std::string_view rest) {
  std::vector<const ChannelSpec*> served;
  std::vector<std::string> disks;
  for (const ChannelSpec& channel : s.channels) {
    if (channel.driver.empty() || !channel.has_device()) continue;
    if (channel.device.disk.empty() && channel.device.peer.empty())
      served.push_back(&channel);
    else
      add_shared(s, channel.device, disks);
  }
  return behind_name(s, served, rest, "device", disks);
}

/// A host or a template, by its name.
Answer behind_one_of(const std::vector<std::string>& names, std::string_view rest, const char* kind) {
  for (const std::string& name : names) {
    if (rest == name) return std::string_view();
    if (rest.substr(0, name.size()) == name && rest.substr(name.size(), 1) == ".") return rest.substr(name.size() + 1);
  }
  return ExpectationError{no_such(kind, rest.substr(0, rest.find('.')), names)};
}

Answer behind_processor(const Scenario& s, std::string_view rest) {
  constexpr std::string_view cpu = ".cpu";
  const std::size_t dot = std::min(rest.rfind('.'), rest.size());
  const std::string_view name = rest.substr(0, dot);
  const std::size_t split = std::min(name.rfind(cpu), name.size());
  const std::string_view owner = name.substr(0, split);
  const std::string_view number = split == name.size() ? std::string_view() : name.substr(split + cpu.size());
  std::vector<std::string> names;
  for (const Partition& of : partitions_of(s)) {
    std::string_view left = owner;
    const bool many = of.count > 1;
    bool every = false;
    if (many && left.substr(0, of.name.size() + 1) == of.name + "[" && left.back() == ']') {
      const std::string_view index = left.substr(of.name.size() + 1, left.size() - of.name.size() - 2);
      every = index == "*";
      if (every || is_index(index, of.count)) left = of.name;
    }
    // Together: all processors of one partition, or of all guests of a template. One by one: those of one partition.
    const bool fits = every ? number == "*" : is_index(number, of.cpus) || (number == "*" && !many);
    if (left == of.name && (owner == of.name) != many && fits) return rest.substr(std::min(dot + 1, rest.size()));
    const std::string one = many ? of.name + "[0]" : of.name;
    names.push_back(one + ".cpu0");
    if (of.cpus > 1) names.push_back(one + ".cpu" + std::to_string(of.cpus - 1));
    if (many || of.cpus > 1) names.push_back((many ? of.name + "[*]" : of.name) + ".cpu*");
  }
  return ExpectationError{no_such("processor", name, names)};
}

Answer behind_thing(const Scenario& s, const std::string& kind, std::string_view rest) {
  if (kind == "channel") return behind_name(s, all_of(s.channels), rest, "channel");
  if (kind == "workload") return behind_name(s, all_of(s.workloads), rest, "workload");
  if (kind == "processor") return behind_processor(s, rest);
  if (kind == "device") return behind_device(s, rest);
  std::vector<std::string> names;
  if (kind == "host")
    for (const HostSpec& host : s.hosts)
      for (std::string& name : hosts_called(host)) names.push_back(std::move(name));
  if (kind == "template")
    for (const VmSpec& vm : s.vms) names.push_back(vm.name);
  if (!names.empty()) return behind_one_of(names, rest, kind.c_str());
  return rest;
}

struct Found {
  report::Unit unit;
};

std::variant<Found, ExpectationError> find_metric(const Scenario& s, std::string_view name) {
  std::vector<std::string> kinds{"run", "channel", "workload", "processor", "device"};
  if (has_fleet(s)) kinds.insert(kinds.end(), {"fleet", "host", "template"});
  const std::string kind(name.substr(0, name.find('.')));
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end() || name.size() <= kind.size()) {
    return ExpectationError{"unknown metric" + config::did_you_mean(kind, kinds) +
                            "; metrics begin with one of: " + config::listed(kinds)};
  }
  const Answer behind = behind_thing(s, kind, name.substr(kind.size() + 1));
  if (const auto* wrong = std::get_if<ExpectationError>(&behind)) return *wrong;
  const std::string_view rest = std::get<std::string_view>(behind);
  std::vector<std::string> names;
  for (const report::Metric& metric : patterns_of(kind.c_str())) {
    if (metric.name == rest) return Found{metric.unit};
    names.push_back(metric.name);
  }
  if (rest.empty()) {
    constexpr std::size_t some = 4;
    names.resize(std::min(names.size(), some));
    return ExpectationError{"a metric is missing; a " + kind + " has " + config::listed(names) + " and more"};
  }
  return ExpectationError{"unknown metric \"" + std::string(rest) + "\"" +
                          config::did_you_mean_or(rest, names, "; a " + kind + " has: ")};
}

template <class T, class Number>
std::variant<double, ExpectationError> number_in(const config::Parsed<T>& parsed, Number number) {
  if (const auto* wrong = std::get_if<config::UnitError>(&parsed)) return ExpectationError{wrong->text};
  return static_cast<double>(number(std::get<T>(parsed)));
}

std::variant<double, ExpectationError> value_in(report::Unit unit, std::string_view text) {
  switch (unit) {
    case report::Unit::nanoseconds:
      return number_in(config::parse_duration(text), [](Duration d) { return d.count(); });
    case report::Unit::bytes: return number_in(config::parse_bytes(text), [](Bytes b) { return b.count; });
    case report::Unit::bytes_per_second:
      return number_in(config::parse_bandwidth(text), [](config::Bandwidth b) { return b.bytes_per_s; });
    case report::Unit::per_second:
      return number_in(config::parse_rate(text), [](const Rate& r) {
        return static_cast<double>(r.events) * 1e9 / static_cast<double>(r.per.count());
      });
    case report::Unit::fraction:
    case report::Unit::count: break;
  }
  double value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (text.empty() || end.ec != std::errc() || end.ptr != text.data() + text.size() || !std::isfinite(value))
    return ExpectationError{"not a number; this metric has no unit, write it as in \"<= 0.8\""};
  return value;
}

}  // namespace

std::variant<Expectation, ExpectationError> expectation(const Scenario& s, const std::string& written,
                                                        const std::string& demand) {
  const std::string metric = of_a_single_one(s, written);
  const auto found = find_metric(s, metric);
  if (const auto* wrong = std::get_if<ExpectationError>(&found)) return *wrong;
  using R = Expectation::Relation;
  static constexpr std::pair<std::string_view, R> relations[] = {
      {"<=", R::at_most}, {">=", R::at_least}, {"==", R::equals}, {"<", R::below}, {">", R::above}, {"=", R::equals}};
  constexpr const char* right = "right would be a relation and a value, as in \"< 2ms\" (relations: <, <=, >, >=, =)";
  const std::string_view written_sign = std::string_view(demand).substr(0, demand.find_first_not_of("<>=!~"));
  if (written_sign.empty()) return ExpectationError{right};
  for (const auto& [sign, relation] : relations) {
    if (sign != written_sign) continue;
    std::string_view text = std::string_view(demand).substr(sign.size());
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const auto value = value_in(std::get<Found>(found).unit, text);
    if (const auto* wrong = std::get_if<ExpectationError>(&value)) return *wrong;
    Expectation out;
    out.metric = metric;
    out.written = written;
    out.relation = relation;
    out.value = std::get<double>(value);
    out.unit = std::get<Found>(found).unit;
    out.text = demand;
    return out;
  }
  return ExpectationError{"unknown relation \"" + std::string(written_sign) + "\"; " + right};
}

std::optional<ExpectationError> wrong_metric(const Scenario& s, const std::string& metric) {
  const auto found = find_metric(s, of_a_single_one(s, metric));
  if (const auto* wrong = std::get_if<ExpectationError>(&found)) return *wrong;
  return std::nullopt;
}

std::optional<ExpectationError> wrong_row(const Scenario& s, const std::string& row) {
  std::vector<std::string> names;
  for (const char* kind : {"channel", "workload"})
    for (const report::Metric& metric : patterns_of(kind)) {
      if (metric.name == row) return std::nullopt;
      names.push_back(metric.name);
    }
  for (const char* kind : {"run.", "channel.", "workload.", "processor.", "device.", "fleet.", "host.", "template."}) {
    if (row.compare(0, std::string_view(kind).size(), kind) != 0) continue;
    return wrong_metric(s, row);
  }
  return ExpectationError{"unknown metric" + config::did_you_mean(row, names) +
                          "; right would be one of a channel or a workload, as in \"latency.p99\", or a full name"};
}

}  // namespace vmbsim::scenario
