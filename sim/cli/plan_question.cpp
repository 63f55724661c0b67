#include "sim/cli/plan_question.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <variant>

#include "models/scenario/expectations.hpp"
#include "sim/config/overrides.hpp"
#include "sim/config/toml_text.hpp"

namespace vmbsim::cli {

namespace {

using Axis = scenario::PlanSpec::Axis;

constexpr std::size_t most_combinations = 1000;

/// A line of [objective] that fits the scenario.
std::string objective_of(const scenario::Scenario& scenario) {
  std::string metric = "run.transactions";
  if (!scenario.channels.empty()) {
    const scenario::ChannelSpec& channel = scenario.channels.front();
    for (const std::string& name : {"channel." + channel.vm + "[*]." + channel.name, "channel." + channel.name})
      if (!scenario::wrong_metric(scenario, name + ".latency.p99")) metric = name + ".latency.p99";
  }
  return fmt::format("\"{}\" = \"{}\"", metric, scenario.channels.empty() ? "> 0" : "< 2ms");
}

/// What could be looked for in it: how many guests, or how much load.
std::string vary_of(const scenario::Scenario& scenario) {
  using Loop = scenario::WorkloadSpec::Loop;
  for (const scenario::VmSpec& vm : scenario.vms)
    if (vm.weight != 0) return "key = \"fleet.per_host\", from = 1, to = 32";
  for (const scenario::VmSpec& vm : scenario.vms)
    if (vm.count > 1)
      return fmt::format("key = {}, from = 1, to = 32", config::toml_quoted("vm." + vm.name + ".count"));
  for (const scenario::WorkloadSpec& load : scenario.workloads) {
    const std::string key = "workload." + load.name;
    if (load.loop == Loop::closed)
      return fmt::format("key = {}, from = 1, to = 32", config::toml_quoted(key + ".queue_depth"));
    if (load.loop == Loop::open && std::holds_alternative<kernel::Poisson>(load.arrivals))
      return fmt::format("key = {}, from = \"1000/s\", to = \"32000/s\", step = \"1000/s\"",
                         config::toml_quoted(key + ".arrivals.poisson"));
  }
  return "key = \"machine.host_cpus\", from = 1, to = 8";
}

/// What stands between a scenario and a plan.
Problems missing(const scenario::Scenario& scenario) {
  Problems problems;
  Place file;
  file.file = scenario.file;
  if (scenario.objective.empty())
    problems.push_back({file, "there is no [objective]: nothing that must hold, as in " + objective_of(scenario)});
  if (scenario.plan.axes.empty())
    problems.push_back({file, "there is no [[plan.vary]]: nothing to look for, as in " + vary_of(scenario)});
  std::size_t combinations = 1;
  for (std::size_t i = 1; i < scenario.plan.axes.size(); ++i)
    combinations *= std::min(scenario.plan.axes[i].last() + 1, most_combinations + 1);
  if (combinations > most_combinations)
    problems.push_back({scenario.plan.axes[1].key_place,
                        fmt::format("[plan]: more than {} combinations beside the first key", most_combinations)});
  return problems;
}

/// Overrides that the plan's own values would undo.
Problems undone(const std::vector<std::string>& overrides, const std::vector<Axis>& axes) {
  Problems problems;
  for (std::size_t number = 0; number < overrides.size(); ++number) {
    const std::vector<std::string> path = config::path_of(overrides[number]);
    for (const Axis& axis : axes)
      for (const std::string& key : axis.keys) {
        const std::vector<std::string> varied = config::path_of(key + "=");
        if (varied.empty() || varied.size() > path.size() || !std::equal(varied.begin(), varied.end(), path.begin()))
          continue;
        Problem& problem = problems.emplace_back();
        problem.place.file = "--set";
        problem.place.line = static_cast<std::uint32_t>(number + 1);
        problem.place.column = 1;
        problem.text = fmt::format(
            "{} is varied by [plan] from {} to {}, and takes no other value; right would be another range, "
            "as in plan.vary.{}.from=...",
            key, axis.value(axis.maximise ? 0 : axis.last()), axis.value(axis.maximise ? axis.last() : 0),
            &axis - axes.data());
      }
  }
  return problems;
}

/// A corner of what may vary, and where what it sets stands.
struct Corner {
  PlanPoint point;
  std::string name;
  struct Setting {
    std::size_t axis;
    std::string key;
    Place key_place, value_place;
  };
  std::vector<Setting> settings;  // in the order of their overrides
  Place last_turned;              // the value of the last axis that is at its far end, else of the first
};

/// Bit by bit, an axis that has several values is at its first or its last one. Those of `without` are as the scenario has them.
Corner corner_of(const std::vector<Axis>& axes, std::size_t corner, const std::set<std::size_t>& without) {
  Corner out;
  std::size_t turned = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Axis& axis = axes[i];
    const std::size_t index = axis.last() > 0 && (corner >> turned++ & 1) != 0 ? axis.last() : 0;
    if (without.count(i) != 0) continue;
    out.point.set(axis, index);
    out.name += fmt::format("{}{} = {}", out.name.empty() ? "" : ", ", axis.keys.front(), axis.value(index));
    const Place& value = index == (axis.maximise ? 0 : axis.last()) ? axis.from_place : axis.to_place;
    for (const std::string& key : axis.keys) out.settings.push_back({i, key, axis.key_place, value});
    if (index > 0 || i == 0) out.last_turned = value;
  }
  return out;
}

/// Every corner of what may vary must be a scenario: what lies between is looked at when the search comes there.
Problems wrong_corners(Loader& loader, const std::string& file, const std::vector<std::string>& overrides,
                       std::optional<Seed> seed, const std::vector<Axis>& axes) {
  Problems problems;
  std::set<std::size_t> wrong;  // axes, told once; the others are tried without them
  // A key with one value has one end; of keys with more there are few, for their combinations are.
  const auto ends = std::count_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.last() > 0; });
  for (std::size_t number = 0; number < std::size_t{1} << ends;) {
    const Corner corner = corner_of(axes, number, wrong);
    std::vector<std::string> all = overrides;
    all.insert(all.end(), corner.point.overrides.begin(), corner.point.overrides.end());
    const Inputs inputs = loader.planned(file, all, seed);
    const auto at = [&corner](const Place& place, const Problem& problem) {
      return Problem{place, fmt::format("[plan]: {}: {}", corner.name, problem.text)};
    };
    const std::size_t before = wrong.size();
    for (const Problem& problem : inputs.problems) {
      if (problem.place.file != "--set" || problem.place.line <= overrides.size()) continue;
      const Corner::Setting& setting = corner.settings[problem.place.line - overrides.size() - 1];
      if (!wrong.insert(setting.axis).second) continue;
      const bool of_key = problem.place.column <= setting.key.size();
      problems.push_back(at(of_key ? setting.key_place : setting.value_place, problem));
    }
    if (wrong.size() > before) continue;
    // The corners before it were fine: so it is what was turned last. Beside a wrong axis nobody knows.
    if (!inputs.scenario && wrong.empty()) return {at(corner.last_turned, inputs.problems.front())};
    ++number;
  }
  std::sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.place.file, a.place.line, a.place.column) < std::tie(b.place.file, b.place.line, b.place.column);
  });
  return problems;
}

}  // namespace

void PlanPoint::set(const Axis& axis, std::size_t index) {
  for (const std::string& key : axis.keys) overrides.push_back(key + "=" + axis.toml(index));
  values[axis.keys.front()] = axis.toml(index);
}

Problems wrong_with_plan(Loader& loader, const std::string& file, const std::vector<std::string>& overrides,
                         std::optional<Seed> seed, const scenario::Scenario& scenario) {
  Problems problems = missing(scenario);
  if (problems.empty()) problems = undone(overrides, scenario.plan.axes);
  if (problems.empty()) problems = wrong_corners(loader, file, overrides, seed, scenario.plan.axes);
  return problems;
}

}  // namespace vmbsim::cli
