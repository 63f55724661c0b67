#include "sim/plan/reason.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/report/grouping.hpp"
#include "sim/report/metrics.hpp"

namespace vmbsim::plan {

namespace {

using report::metric_text;
using report::Unit;

/// What is this busy makes what comes wait longer than it is served.
constexpr double worth_telling = 0.5;
constexpr double saturated = 0.9;
/// Less is what seeds make of it.
constexpr double worth_calling_growth = 0.005;

double figure(const Figures& figures, const std::string& name) {
  const auto found = figures.find(name);
  return found == figures.end() ? 0 : found->second;
}

/// What stands between `front` and the first `mark` behind it, and what follows the mark.
struct Parts {
  std::string thing, rest;
};
std::optional<Parts> parts(const std::string& name, std::string_view front, std::string_view mark) {
  if (name.rfind(front, 0) != 0) return std::nullopt;
  const std::size_t at = name.find(mark, front.size());
  if (at == std::string::npos) return std::nullopt;
  return Parts{name.substr(front.size(), at - front.size()), name.substr(at + mark.size())};
}

std::string slowest_stage(const Figures& kept, const Figures& broken) {
  constexpr std::string_view end = ".mean";
  double most = 0;
  std::string text;
  for (const auto& [name, now] : broken) {
    const auto stage = parts(name, "channel.", ".stage.");
    const double before = figure(kept, name);
    if (!stage || !(now - before > std::max(most, worth_calling_growth * now))) continue;
    most = now - before;
    const std::string words = stage->rest.substr(0, stage->rest.size() - end.size());
    text = fmt::format("{} of {} takes {}", words, stage->thing, metric_text(now, Unit::nanoseconds));
    if (before > 0) text += fmt::format(", before it {}", metric_text(before, Unit::nanoseconds));
  }
  return text;
}

/// What takes most of a processor's time but idling.
std::string main_activity(const Figures& broken, const std::string& processor) {
  std::string_view activity;
  double share = 0;
  for (const std::string_view one : {"isr", "dpc", "thread", "spin"})
    if (const double value = figure(broken, fmt::format("processor.{}.{}", processor, one)); value > share) {
      share = value;
      activity = one;
    }
  return fmt::format(", {} for {}", activity, metric_text(share, Unit::fraction));
}

/// How busy each single processor and device is, by "host.cpu0" and "device server:ssd0"; means of several hide the one that has
/// nothing left.
std::map<std::string, double> loads(const Figures& figures) {
  std::map<std::string, double> out;
  for (const auto& [name, value] : figures) {
    if (std::isnan(value) || name.find('*') != std::string::npos) continue;
    if (const auto processor = parts(name, "processor.", ".idle")) out[processor->thing] = 1 - value;
    if (const auto device = parts(name, "device.", ".utilisation")) out["device " + device->thing] = value;
  }
  return out;
}

/// "host.cpu0 saturates: busy for 97.1 %, dpc for 60.0 %, before it 88.0 %": of those that got busier the one that has least left.
/// What was not there before is held against the busiest of its kind. Where none of them saturates, what had nothing left before
/// and has nothing now: "host.cpu0 is saturated at the answer already: busy for 100.0 % there, and here for 100.0 %".
std::string busiest(const Figures& kept, const Figures& broken) {
  const std::map<std::string, double> before = loads(kept);
  std::map<std::string, double> of_kind;
  for (const auto& [thing, load] : before) {
    double& most = of_kind[report::template_name(thing)];
    most = std::max(most, load);
  }
  struct Busiest {
    std::string thing;
    double load, before;
  };
  Busiest grown{"", worth_telling, 0};
  Busiest full{"", 0, 0};
  for (const auto& [thing, load] : loads(broken)) {
    const auto same = before.find(thing);
    const auto kind = of_kind.find(report::template_name(thing));
    const double was = same != before.end() ? same->second : kind != of_kind.end() ? kind->second : 0;
    if (load > grown.load && load >= was + worth_calling_growth) grown = {thing, load, was};
    if (same != before.end() && load > full.load && std::min(load, was) >= saturated) full = {thing, load, was};
  }
  const auto busy = [&](const std::string& thing, double load) {
    const bool device = thing.rfind("device ", 0) == 0;
    return metric_text(load, Unit::fraction) + (device ? "" : main_activity(broken, thing));
  };
  if (grown.load < saturated && !full.thing.empty())
    return fmt::format("{} is saturated at the answer already: busy for {} there, and here for {}", full.thing,
                       metric_text(full.before, Unit::fraction), busy(full.thing, full.load));
  if (grown.thing.empty()) return "";
  std::string text =
      fmt::format("{} {}: busy for {}", grown.thing, grown.load < saturated ? "is loaded most" : "saturates",
                  busy(grown.thing, grown.load));
  if (grown.before > 0) text += fmt::format(", before it {}", metric_text(grown.before, Unit::fraction));
  return text;
}

std::string fullest_ring(const Figures& kept, const Figures& broken) {
  double most = 0;
  std::string text;
  for (const auto& [name, times] : broken) {
    const auto ring = parts(name, "channel.", ".ring.");
    if (!ring || ring->rest.find(".full_events") == std::string::npos || !(times > most) || times <= figure(kept, name))
      continue;
    most = times;
    text = fmt::format("the ring {} of {} was full {} times a run", ring->rest.substr(0, ring->rest.find('.')),
                       ring->thing, metric_text(times, Unit::count));
  }
  return text;
}

}  // namespace

std::string reason(const Figures& kept, const Figures& broken) {
  std::string text;
  for (const std::string& clause : {busiest(kept, broken), slowest_stage(kept, broken), fullest_ring(kept, broken)})
    if (!clause.empty()) text += (text.empty() ? "" : "; ") + clause;
  return text;
}

}  // namespace vmbsim::plan
