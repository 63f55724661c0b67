#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <variant>

#include "models/scenario/expectations.hpp"
#include "sim/cli/loading.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/plan_runs.hpp"
#include "sim/cli/plan_sensitivity.hpp"
#include "sim/cli/signals.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/cli/version.hpp"
#include "sim/config/file.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/toml_text.hpp"
#include "sim/plan/answer.hpp"
#include "sim/report/writer.hpp"

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
    problems.push_back({scenario.plan.axes[1].place,
                        fmt::format("[plan]: more than {} combinations beside the first key", most_combinations)});
  return problems;
}

/// Some axes with a value each.
struct Point {
  std::vector<std::string> overrides;         // as --set takes them
  std::map<std::string, std::string> values;  // TOML text by the axis' first key
};

void set(const Axis& axis, std::size_t index, Point& point) {
  for (const std::string& key : axis.keys) point.overrides.push_back(key + "=" + axis.toml(index));
  point.values[axis.keys.front()] = axis.toml(index);
}

/// Every corner of what may vary must be a scenario: what lies between is looked at when the search comes there.
Problems wrong_corners(Loader& loader, const PlanArguments& arguments, const scenario::Scenario& scenario) {
  const std::vector<Axis>& axes = scenario.plan.axes;
  // A key with one value has one end; of keys with more there are few, for their combinations are.
  const auto ends = std::count_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.last() > 0; });
  for (std::size_t corner = 0; corner < std::size_t{1} << ends; ++corner) {
    Point point{arguments.overrides, {}};
    std::string name;
    std::size_t turned = 0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::size_t index = axes[i].last() > 0 && (corner >> turned++ & 1) != 0 ? axes[i].last() : 0;
      set(axes[i], index, point);
      name += fmt::format("{}{} = {}", i == 0 ? "" : ", ", axes[i].keys.front(), axes[i].value(index));
    }
    const Inputs inputs = loader.planned(arguments.scenario, point.overrides, arguments.seed);
    if (!inputs.scenario)
      return {{axes.front().place, fmt::format("[plan]: {}: {}", name, inputs.problems.front().text)}};
  }
  return {};
}

/// Every combination of the values of all axes but the first, the last of them turning fastest.
std::vector<std::vector<std::size_t>> combinations_of(const std::vector<Axis>& axes) {
  std::vector<std::vector<std::size_t>> all{{}};
  for (std::size_t i = 1; i < axes.size(); ++i) {
    std::vector<std::vector<std::size_t>> longer;
    for (const auto& one : all)
      for (std::size_t index = 0; index <= axes[i].last(); ++index) {
        longer.push_back(one);
        longer.back().push_back(index);
      }
    all = std::move(longer);
  }
  return all;
}

struct Answer {
  plan::Question question;
  plan::Found found;
  std::vector<double> goals;  // larger is better
  Point others;               // without the key
};

class Planner {
 public:
  Planner(Loader& loader, const PlanArguments& arguments, const scenario::Scenario& scenario,
          const batch::Runner::Config& runner)
      : loader_(loader),
        arguments_(arguments),
        scenario_(scenario),
        bounds_(bounds_of(scenario.objective)),
        runs_(config(runner, arguments.out, {})),
        moved_(config(runner, arguments.out.empty() ? "" : std::filesystem::path(arguments.out) / "sensitivity",
                      {"moved"})) {}

  /// Opens what keeps the runs. What is wrong with it.
  std::optional<Problem> prepare() {
    if (auto wrong = runs_.prepare()) return wrong;
    return arguments_.sensitivity ? moved_.prepare() : std::nullopt;
  }

  std::vector<Answer> answers() {
    std::vector<Answer> all;
    const auto combinations = combinations_of(scenario_.plan.axes);
    std::size_t guess = 0;
    for (const auto& combination : combinations) {
      all.push_back(answer(combination, combinations.size(), guess));
      guess = all.back().found.answer.value_or(0);
    }
    return all;
  }

  /// Of the answer's point, or of the first where nothing holds.
  Sensitivity sensitivity(const Answer& answer) {
    const std::size_t index = answer.found.answer.value_or(0);
    const plan::Visited* broken = answer.found.broken();
    Point at = answer.others;
    set(scenario_.plan.axes.front(), index, at);
    return sensitivity_of({.scenario = scenario_,
                           .file = arguments_.scenario,
                           .overrides = arguments_.overrides,
                           .point = answer.question.key + " = " + answer.question.value(index),
                           .run = run_at(at, scenario_.seed),
                           .bounds = bounds_,
                           .tightest = (broken != nullptr ? *broken : answer.found.visited.back()).tightest,
                           .most_inputs = arguments_.sensitivity_inputs,
                           .runs_before = answer.found.runs,
                           .breached = broken != nullptr && plan::breached(*broken)},
                          loader_, moved_);
  }

  std::size_t before() const { return runs_.before() + moved_.before(); }

 private:
  PlanRuns::Config config(const batch::Runner::Config& runner, const std::filesystem::path& folder,
                          const std::vector<std::string>& more) const {
    PlanRuns::Config out{.loader = loader_,
                         .scenario = arguments_.scenario,
                         .overrides = arguments_.overrides,
                         .runner = runner,
                         .parameters = {}};
    out.runner.folder = folder;
    for (const Axis& axis : scenario_.plan.axes) out.parameters.push_back(axis.keys.front());
    out.parameters.insert(out.parameters.end(), more.begin(), more.end());
    return out;
  }

  PlanRuns::Run run_at(const Point& point, Seed seed) const {
    PlanRuns::Run run{.overrides = point.overrides, .parameters = {}, .seed = seed};
    for (const Axis& axis : scenario_.plan.axes) run.parameters.push_back(point.values.at(axis.keys.front()));
    return run;
  }

  Answer answer(const std::vector<std::size_t>& combination, std::size_t combinations, std::size_t guess) {
    const std::vector<Axis>& axes = scenario_.plan.axes;
    const Axis& searched = axes.front();
    Answer out;
    Point& others = out.others;
    for (std::size_t i = 0; i < combination.size(); ++i) {
      set(axes[i + 1], combination[i], others);
      out.question.others +=
          fmt::format("{}{} = {}", i == 0 ? "" : ", ", axes[i + 1].keys.front(), axes[i + 1].value(combination[i]));
      out.goals.push_back((axes[i + 1].maximise ? 1 : -1) * axes[i + 1].number(combination[i]));
    }
    out.question.key = searched.keys.front();
    out.question.value = [searched](std::size_t index) { return searched.value(index); };
    out.question.maximise = searched.maximise;
    out.question.bounds = bounds_;
    out.question.range = {.last = searched.last(),
                          .guess = guess,
                          // Of several answers all are right with the confidence that was asked for.
                          .confidence = 1 - (1 - scenario_.plan.confidence) / static_cast<double>(combinations),
                          .first_runs = scenario_.plan.first_runs,
                          .most_runs = scenario_.plan.most_runs};
    out.found =
        plan::search(out.question.range, bounds_.size(), [&](std::size_t index, std::size_t first, std::size_t count) {
          fmt::print(stderr, "vmbsim: {}{}{} = {}: {} more\n", out.question.others,
                     out.question.others.empty() ? "" : ", ", searched.keys.front(), searched.value(index),
                     config::counted(count, "run", "runs"));
          Point at = others;
          set(searched, index, at);
          std::vector<PlanRuns::Run> runs;
          for (std::size_t i = 0; i < count; ++i) runs.push_back(run_at(at, {scenario_.seed.value + first + i}));
          return runs_(runs);
        });
    out.question.range.confidence = scenario_.plan.confidence;
    if (plan::answered(out.found))
      out.goals.insert(out.goals.begin(), (searched.maximise ? 1 : -1) * searched.number(*out.found.answer));
    return out;
  }

  Loader& loader_;
  const PlanArguments& arguments_;
  const scenario::Scenario& scenario_;
  std::vector<plan::Bound> bounds_;
  PlanRuns runs_;
  PlanRuns moved_;  // of the sensitivity
};

/// Those that no other is better than; of one alone that one.
std::vector<const Answer*> best_of(const std::vector<Answer>& answers) {
  std::vector<const Answer*> found;
  std::vector<std::vector<double>> goals;
  for (const Answer& answer : answers)
    if (plan::answered(answer.found)) {
      found.push_back(&answer);
      goals.push_back(answer.goals);
    }
  std::vector<const Answer*> best;
  for (const std::size_t i : plan::pareto_front(goals)) best.push_back(found[i]);
  return best;
}

std::string told(const scenario::Scenario& scenario, const std::vector<Answer>& answers,
                 const std::vector<const Answer*>& best) {
  std::string text = fmt::format("{}  seed {}  vmbsim {}\n", scenario.name, scenario.seed.value, version);
  std::size_t runs = 0;
  for (const Answer& answer : answers) runs += answer.found.runs;
  if (best.size() > 1) text += "no other combination is better than these in all that was asked for:\n";
  for (const Answer* answer : best) text += plan::sentence(answer->question, answer->found) + "\n";
  if (best.empty())
    for (const Answer& answer : answers) text += plan::sentence(answer.question, answer.found) + "\n";
  text += "\n";
  for (const Answer& answer : answers) {
    if (!answer.question.others.empty()) text += answer.question.others + "\n";
    text += plan::points_text(answer.question, answer.found);
  }
  return text + fmt::format("{} in all\n", config::counted(runs, "run", "runs"));
}

std::string json_of(const std::vector<Answer>& answers, const std::vector<const Answer*>& best,
                    const std::optional<Sensitivity>& sensitivity) {
  std::string text = "{\n\"schema\": 1,\n\"front\": [";
  const auto index_of = [&](const Answer* answer) { return static_cast<std::size_t>(answer - answers.data()); };
  for (std::size_t i = 0; i < best.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", index_of(best[i]));
  text += "],\n\"answers\": [\n";
  for (std::size_t i = 0; i < answers.size(); ++i)
    text += (i == 0 ? "" : ",\n") + plan::answer_json(answers[i].question, answers[i].found);
  text += "\n]";
  if (sensitivity) text += ",\n\"sensitivity\": " + json_of(*sensitivity);
  return text + "\n}\n";
}

/// Nobody knows what a better input would answer; a run that crashed or went beyond its limits is one that failed, as in a batch.
int status_of(const std::vector<Answer>& answers, const std::vector<const Answer*>& best) {
  int status = best.empty() ? unmet : fine;
  for (const Answer& answer : answers)
    if (const plan::Visited* next = answer.found.broken(); next != nullptr && next->verdict == plan::Verdict::untold)
      status = std::max<int>(status, next->ended_early ? unmet : bad_input);
  return status;
}

}  // namespace

int plan(const PlanArguments& arguments) {
  const auto runner = runner_config(arguments.limits, arguments.jobs);
  if (const auto* wrong = std::get_if<Problem>(&runner)) {
    print({*wrong});
    return bad_input;
  }
  Loader loader;
  const Inputs inputs = loader.whole(arguments.scenario, arguments.overrides, arguments.seed);
  Problems problems = inputs.problems;
  if (problems.empty()) problems = missing(*inputs.scenario);
  if (problems.empty()) problems = wrong_corners(loader, arguments, *inputs.scenario);
  if (!problems.empty()) {
    print(problems);
    return bad_input;
  }
  const StopRequest stop;
  Planner planner(loader, arguments, *inputs.scenario, std::get<batch::Runner::Config>(runner));
  if (const auto wrong = planner.prepare()) {
    print({*wrong});
    return bad_input;
  }
  std::vector<Answer> answers;
  std::vector<const Answer*> best;
  std::optional<Sensitivity> sensitivity;
  std::string without_sensitivity;
  try {
    answers = planner.answers();
    best = best_of(answers);
    try {
      if (arguments.sensitivity) sensitivity = planner.sensitivity(best.empty() ? answers.front() : *best.front());
    } catch (const std::runtime_error& wrong) {  // the answer stands all the same
      without_sensitivity = wrong.what();
    }
  } catch (const PlanRuns::Stopped& early) {
    if (early.unwritten) {
      print({*early.unwritten});
      return broken;
    }
    return say(arguments.out.empty() ? "stopped; nothing is kept without --out DIR\n" : stopped_text(arguments.command),
               stopped);
  }
  if (planner.before() > 0)
    fmt::print(stderr, "vmbsim: {} taken from {}\n", config::counted(planner.before(), "run", "runs"), arguments.out);
  int status =
      say(told(*inputs.scenario, answers, best) + (sensitivity ? told(*sensitivity) : ""), status_of(answers, best));
  if (!without_sensitivity.empty()) {
    print({config::problem_with(arguments.scenario, "its sensitivity cannot be told: " + without_sensitivity)});
    status = broken;
  }
  if (arguments.out.empty()) return status;
  const Unstoppable until_written;
  const auto unwritten =
      report::write_whole(std::filesystem::path(arguments.out) / "plan.json", json_of(answers, best, sensitivity));
  if (unwritten) print({*unwritten});
  return unwritten ? broken : status;
}

}  // namespace vmbsim::cli
