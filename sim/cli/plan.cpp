#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <variant>

#include "sim/cli/loading.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/plan_question.hpp"
#include "sim/cli/plan_runs.hpp"
#include "sim/cli/plan_sensitivity.hpp"
#include "sim/cli/signals.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/cli/version.hpp"
#include "sim/config/file.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/plan/answer.hpp"
#include "sim/report/writer.hpp"

namespace vmbsim::cli {

namespace {

using Axis = scenario::PlanSpec::Axis;

/// The lines of an [objective] as it names their metrics: a point may have only one of what "[*]" are several of elsewhere.
std::vector<plan::Bound> bounds_as_written(const std::vector<scenario::Expectation>& lines) {
  std::vector<plan::Bound> bounds = bounds_of(lines);
  for (std::size_t i = 0; i < lines.size(); ++i) bounds[i].metric = lines[i].written;
  return bounds;
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
  PlanPoint others;           // without the key
};

class Planner {
 public:
  Planner(Loader& loader, const PlanArguments& arguments, const scenario::Scenario& scenario,
          const batch::Runner::Config& runner)
      : loader_(loader),
        arguments_(arguments),
        scenario_(scenario),
        bounds_(bounds_as_written(scenario.objective)),
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
    PlanPoint at = answer.others;
    at.set(scenario_.plan.axes.front(), index);
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

  PlanRuns::Run run_at(const PlanPoint& point, Seed seed) const {
    PlanRuns::Run run{.overrides = point.overrides, .parameters = {}, .seed = seed};
    for (const Axis& axis : scenario_.plan.axes) run.parameters.push_back(point.values.at(axis.keys.front()));
    return run;
  }

  Answer answer(const std::vector<std::size_t>& combination, std::size_t combinations, std::size_t guess) {
    const std::vector<Axis>& axes = scenario_.plan.axes;
    const Axis& searched = axes.front();
    Answer out;
    PlanPoint& others = out.others;
    for (std::size_t i = 0; i < combination.size(); ++i) {
      others.set(axes[i + 1], combination[i]);
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
          PlanPoint at = others;
          at.set(searched, index);
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
  if (problems.empty())
    problems = wrong_with_plan(loader, arguments.scenario, arguments.overrides, arguments.seed, *inputs.scenario);
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
