#include "sim/cli/plan_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string_view>
#include <variant>

#include "sim/config/document.hpp"
#include "sim/config/toml_text.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::cli {

namespace {

using config::Node;

constexpr double spread = 0.2;

std::optional<PlanInput> input_of(const Node& node) {
  PlanInput out;
  if (node.is(Node::Kind::integer)) {
    out.value = std::to_string(node.integer);
    out.number = static_cast<double>(node.integer);
    out.least = 1;
    return out;
  }
  if (node.is(Node::Kind::real)) {
    out.value = config::real_text(node.real);
    out.number = node.real;
    out.whole = false;
    return out;
  }
  if (!node.is(Node::Kind::text)) return std::nullopt;
  out.value = node.text;
  const bool pages = node.text.find("page") != std::string::npos;
  const auto time = config::parse_duration(node.text);
  const auto bytes = config::parse_bytes(node.text);
  const auto rate = config::parse_rate(node.text);
  if (const auto* duration = std::get_if<Duration>(&time)) {
    out.number = static_cast<double>(duration->count());
    out.unit = "ns";
  } else if (const auto* size = std::get_if<Bytes>(&bytes)) {
    out.number = static_cast<double>(size->count) / (pages ? 4096.0 : 1.0);
    out.unit = pages ? " pages" : " B";
    out.least = 1;
  } else if (const auto* per = std::get_if<Rate>(&rate)) {
    out.number = static_cast<double>(per->events) * 1e9 / static_cast<double>(per->per.count());
    out.unit = "/s";
    out.whole = out.number >= 100;
  } else {
    return std::nullopt;
  }
  return out;
}

/// Tables by their keys, entries of lists by their names.
void collect(const Node& table, const std::string& path, std::vector<PlanInput>& out) {
  for (const config::Entry& entry : table.entries) {
    const std::string key = path + "." + entry.key;
    if (entry.key == "policies" || entry.key == "save") continue;
    const bool of_trace = path.size() > 6 && path.compare(path.size() - 6, 6, ".trace") == 0;
    if (of_trace && entry.key != "time_scale") continue;  // the rest says how the file is read
    if (entry.value.is(Node::Kind::table)) collect(entry.value, key, out);
    auto input = input_of(entry.value);
    if (!input || input->number == 0) continue;
    input->key = key;
    out.push_back(std::move(*input));
  }
}

/// In the order in which they are looked at; "platform:..." has no dot behind it.
constexpr std::string_view kinds[] = {"channel.", "workload.", "vm.",      "disk.",
                                      "host.",    "platform:", "machine.", "latency."};

/// Whether a part of the metric's name is `thing`'s: "channel.web[*].disk.latency.p99" names web and disk.
bool names(const std::string& metric, const std::string& thing) {
  constexpr const char* ends = ".:[]";
  for (std::size_t from = 0; from < metric.size();) {
    const std::size_t to = std::min(metric.find_first_of(ends, from), metric.size());
    if (!thing.empty() && metric.compare(from, to - from, thing) == 0) return true;
    from = to + 1;
  }
  return false;
}

}  // namespace

InputOrder::InputOrder(const scenario::Scenario& scenario) {
  for (const scenario::Expectation& line : scenario.objective) {
    const auto about = [&line](const char* kind, const std::string& thing) {
      return line.metric.rfind(kind, 0) == 0 && names(line.metric, thing);
    };
    for (const scenario::HostSpec& host : scenario.hosts)
      if (about("host.", host.name) || about("processor.", host.name)) asked_about_.insert("host." + host.name + ".");
    for (const scenario::ChannelSpec& channel : scenario.channels) {
      bool asked = about("channel.", channel.name) || about("device.", channel.name) ||
                   about("device.", channel.device.disk) || about("template.", channel.vm) ||
                   about("processor.", channel.vm);
      for (const scenario::WorkloadSpec& load : scenario.workloads)
        asked = asked || (load.channel == channel.name && about("workload.", load.name));
      if (!asked) continue;
      asked_about_.insert(
          {"channel." + channel.name + ".", "vm." + channel.vm + ".", "disk." + channel.device.disk + "."});
      for (const scenario::WorkloadSpec& load : scenario.workloads)
        if (load.channel == channel.name) asked_about_.insert("workload." + load.name + ".");
    }
  }
}

std::size_t InputOrder::operator()(const std::string& key) const {
  const auto of_kind = std::find_if(std::begin(kinds), std::end(kinds),
                                    [&key](std::string_view kind) { return key.compare(0, kind.size(), kind) == 0; });
  const auto rank = static_cast<std::size_t>(of_kind - std::begin(kinds));
  const bool asked = std::any_of(asked_about_.begin(), asked_about_.end(),
                                 [&key](const std::string& thing) { return key.rfind(thing, 0) == 0; });
  return asked ? rank : std::size(kinds) + rank;
}

std::string PlanInput::text_at(double level) const {
  if (level == 0.5) return value;
  double moved = number * (1 - spread + 2 * spread * level);
  if (whole) {
    moved = std::round(moved);
    if (moved == number) moved += level < 0.5 ? -1 : 1;
  }
  moved = std::max(moved, least);
  return (whole ? fmt::format("{:.0f}", moved) : fmt::format("{:.{}f}", moved, moved < 0.001 ? 15 : 6)) + unit;
}

std::string PlanInput::toml_at(double level) const {
  const std::string text = text_at(level);
  return unit.empty() ? text : config::toml_quoted(text);
}

std::vector<PlanInput> inputs_of(const scenario::Scenario& scenario) {
  Problems none;
  const config::Document document = config::parse_document(scenario.resolved, "resolved", none);
  std::vector<PlanInput> all;
  for (const char* kind : {"machine", "host", "vm", "disk", "latency", "channel", "workload"}) {
    const Node* node = document.root.find(kind);
    if (node == nullptr) continue;
    if (node->is(Node::Kind::table)) collect(*node, kind, all);
    for (const Node& item : node->items)
      if (const Node* name = item.find("name")) collect(item, fmt::format("{}.{}", kind, name->text), all);
  }
  const auto searched = [&](const PlanInput& input) {
    return std::any_of(scenario.plan.axes.begin(), scenario.plan.axes.end(), [&](const auto& axis) {
      return std::find(axis.keys.begin(), axis.keys.end(), input.key) != axis.keys.end();
    });
  };
  all.erase(std::remove_if(all.begin(), all.end(), searched), all.end());
  return all;
}

}  // namespace vmbsim::cli
