#include "models/scenario/expectations.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
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
  std::vector<report::Metric> out;
  const std::string prefix = std::string(kind) + (kind == std::string_view("run") ? "." : ".x.");
  for (report::Metric& metric : report::metrics(one))
    if (metric.name.compare(0, prefix.size(), prefix) == 0) {
      metric.name.erase(0, prefix.size());
      out.push_back(std::move(metric));
    }
  return out;
}

/// `web[2].` or `web[*].` in front of an instance, taken off; false if it is the wrong one for that guest.
bool strip_guest(std::string_view& rest, const VmSpec& vm) {
  if (vm.count == 1) return true;
  const std::string prefix = vm.name + "[";
  const std::size_t close = rest.find("].");
  if (rest.substr(0, prefix.size()) != prefix || close == std::string_view::npos) return false;
  const std::string_view index = rest.substr(prefix.size(), close - prefix.size());
  rest.remove_prefix(close + 2);
  if (index == "*") return true;
  const auto number = config::parse_count(index);
  return std::holds_alternative<std::int64_t>(number) && std::get<std::int64_t>(number) < vm.count;
}

/// "web[*]." and "web[0]." also mean the guest of a template that makes just one, whose things results name without it; so a
/// sweep over the number of guests needs one expectation only.
std::string of_a_single_guest(const Scenario& s, std::string metric) {
  const std::size_t name = metric.find('.') + 1;
  for (const VmSpec& vm : s.vms)
    for (const char* index : {"[*].", "[0]."}) {
      const std::string prefix = vm.name + index;
      if (vm.count != 1 || metric.compare(name, prefix.size(), prefix) != 0) continue;
      return metric.replace(name, prefix.size(), metric.compare(0, name, "processor.") == 0 ? vm.name + "." : "");
    }
  return metric;
}

const VmSpec* vm_named(const Scenario& s, const std::string& name) {
  for (const VmSpec& vm : s.vms)
    if (vm.name == name) return &vm;
  return nullptr;
}

/// What follows `channel.` or `workload.` up to the metric, for every spec of that kind: as a user would write it.
template <class Spec>
std::variant<std::string_view, ExpectationError> behind_name(const Scenario& s, const std::vector<Spec>& specs,
                                                             std::string_view rest, const char* kind) {
  std::vector<std::string> names;
  for (const Spec& spec : specs) {
    const VmSpec* vm = vm_named(s, spec.vm);
    if (!vm) continue;
    names.push_back(vm->count == 1 ? spec.name : vm->name + "[*]." + spec.name);
    std::string_view metric = rest;
    if (!strip_guest(metric, *vm)) continue;
    if (metric.substr(0, spec.name.size()) != spec.name) continue;
    metric.remove_prefix(spec.name.size());
    if (metric.empty() || metric[0] != '.') continue;
    return metric.substr(1);
  }
  const std::string written(
      rest.substr(0, rest.find('.', rest.find("].") == std::string_view::npos ? 0 : rest.find("].") + 2)));
  return ExpectationError{std::string("there is no ") + kind + " \"" + written + "\"" +
                          config::did_you_mean_or(written, names, "; there are: ")};
}

struct Found {
  report::Unit unit;
};

std::variant<Found, ExpectationError> find_metric(const Scenario& s, std::string_view name) {
  static constexpr const char* kinds[] = {"run", "channel", "workload", "processor", "device"};
  const std::string kind(name.substr(0, name.find('.')));
  if (std::find(std::begin(kinds), std::end(kinds), kind) == std::end(kinds) || name.size() <= kind.size()) {
    const std::vector<std::string> known(std::begin(kinds), std::end(kinds));
    return ExpectationError{"unknown metric" + config::did_you_mean(kind, known) +
                            "; metrics begin with one of: " + config::listed(known)};
  }
  std::string_view rest = name.substr(kind.size() + 1);
  if (kind == "channel" || kind == "workload") {
    const auto metric =
        kind == "channel" ? behind_name(s, s.channels, rest, "channel") : behind_name(s, s.workloads, rest, "workload");
    if (const auto* wrong = std::get_if<ExpectationError>(&metric)) return *wrong;
    rest = std::get<std::string_view>(metric);
  } else if (kind != "run") {
    // Processors and devices get their names when the scenario is wired; only the last word is known here.
    const std::size_t dot = rest.rfind('.');
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  }
  std::vector<std::string> names;
  for (const report::Metric& metric : patterns_of(kind.c_str())) {
    if (metric.name == rest) return Found{metric.unit};
    names.push_back(metric.name);
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
  const std::string metric = of_a_single_guest(s, written);
  const auto found = find_metric(s, metric);
  if (const auto* wrong = std::get_if<ExpectationError>(&found)) return *wrong;
  using R = Expectation::Relation;
  static constexpr std::pair<std::string_view, R> relations[] = {
      {"<=", R::at_most}, {">=", R::at_least}, {"==", R::equals}, {"<", R::below}, {">", R::above}, {"=", R::equals}};
  for (const auto& [sign, relation] : relations) {
    if (demand.compare(0, sign.size(), sign) != 0) continue;
    std::string_view text = std::string_view(demand).substr(sign.size());
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const auto value = value_in(std::get<Found>(found).unit, text);
    if (const auto* wrong = std::get_if<ExpectationError>(&value)) return *wrong;
    Expectation out;
    out.metric = metric;
    out.relation = relation;
    out.value = std::get<double>(value);
    out.text = demand;
    return out;
  }
  return ExpectationError{"right would be a relation and a value, as in \"< 2ms\" (relations: <, <=, >, >=, =)"};
}

}  // namespace vmbsim::scenario
