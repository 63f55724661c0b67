#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/cli/loading.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/plan_inputs.hpp"
#include "sim/cli/plan_runs.hpp"
#include "sim/cli/signals.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/cli/version.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/plan/answer.hpp"
#include "sim/plan/sensitivity.hpp"
#include "sim/report/writer.hpp"

namespace vmbsim::cli {

namespace {

using Axis = scenario::PlanSpec::Axis;

constexpr std::size_t most_combinations = 1000;

/// What stands between a scenario and a plan.
Problems missing(const scenario::Scenario& scenario) {
  Problems problems;
  Place file;
  file.file = scenario.file;
  if (scenario.objective.empty())
    problems.push_back({file,
                        "there is no [objective]: nothing that must hold, as in \"channel.disk.latency.p99\" = "
                        "\"< 2ms\""});
  if (scenario.plan.axes.empty())
    problems.push_back({file,
                        "there is no [[plan.vary]]: nothing to look for, as in key = \"vm.web.count\", from = 1, "
                        "to = 32"});
  std::size_t combinations = 1;
  for (std::size_t i = 1; i < scenario.plan.axes.size(); ++i)
    combinations *= std::min(scenario.plan.axes[i].last() + 1, most_combinations + 1);
  if (combinations > most_combinations)
    problems.push_back({scenario.plan.axes[1].place,
                        fmt::format("[plan]: more than {} combinations beside the first key", most_combinations)});
  return problems;
}

void set(const Axis& axis, std::size_t index, std::vector<std::string>& overrides) {
  for (const std::string& key : axis.keys) overrides.push_back(key + "=" + axis.toml(index));
}

/// Both ends of every axis must be scenarios, with the same metrics.
Problems wrong_ends(Loader& loader, const PlanArguments& arguments, const scenario::Scenario& scenario) {
  for (const Axis& axis : scenario.plan.axes)
    for (const std::size_t end : {std::size_t{0}, axis.last()}) {
      std::vector<std::string> overrides = arguments.overrides;
      set(axis, end, overrides);
      const Inputs inputs = loader.planned(arguments.scenario, overrides, arguments.seed);
      if (!inputs.scenario)
        return {{axis.place,
                 fmt::format("[plan]: {} = {}: {}", axis.keys.front(), axis.value(end), inputs.problems.front().text)}};
    }
  return {};
}

std::vector<plan::Bound> bounds_of(const std::vector<scenario::Expectation>& lines) {
  std::vector<plan::Bound> bounds;
  for (const scenario::Expectation& line : lines) {
    const auto times = report::times_figure(line.metric);
    bounds.push_back(
        {.metric = line.metric, .text = line.text, .unit = line.unit, .share = times ? times->share : std::nullopt});
  }
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

/// What one input does to the metric that breaks first.
struct Influence {
  PlanInput input;
  plan::Effect effect;
};

/// Of the answer's point, or of the first where nothing holds.
struct Sensitivity {
  plan::Bound bound;
  std::string point;
  double middle = 0;  // the metric there
  std::vector<Influence> influences;
  std::size_t runs = 0;
};

constexpr std::size_t walks = 4;
constexpr std::size_t influences_shown = 5;
constexpr std::uint32_t runs_of_each = 3;

struct Answer {
  plan::Question question;
  plan::Found found;
  std::vector<double> goals;        // larger is better
  std::vector<std::string> others;  // overrides beside the key
};

class Planner {
 public:
  Planner(Loader& loader, const PlanArguments& arguments, const scenario::Scenario& scenario)
      : loader_(loader),
        scenario_(scenario),
        bounds_(bounds_of(scenario.objective)),
        runs_({.loader = loader,
               .scenario = arguments.scenario,
               .overrides = arguments.overrides,
               .jobs = arguments.jobs != 0 ? arguments.jobs : workers::processors()}) {}

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

  /// At the point of `answer`, seeds the same everywhere.
  Sensitivity sensitivity(const PlanArguments& arguments, const Answer& answer) const {
    Sensitivity out;
    const std::size_t which = tightest_of(answer.found);
    const std::size_t index = answer.found.answer.value_or(0);
    out.bound = bounds_[which];
    out.point = answer.question.key + " = " + answer.question.value(index);
    std::vector<std::string> at = answer.others;
    set(scenario_.plan.axes.front(), index, at);
    std::vector<std::string> overrides = arguments.overrides;
    overrides.insert(overrides.end(), at.begin(), at.end());
    const std::vector<PlanInput> inputs = movable(arguments.scenario, overrides);
    const auto respond = [&](const std::vector<plan::Levels>& points) {
      std::vector<PlanRuns::Run> runs;
      for (const plan::Levels& levels : points)
        for (std::uint32_t i = 0; i < runs_of_each; ++i) {
          PlanRuns::Run& run = runs.emplace_back(PlanRuns::Run{at, {scenario_.seed.value + i}});
          for (std::size_t k = 0; k < inputs.size(); ++k)
            if (levels[k] != 0.5) run.overrides.push_back(inputs[k].key + "=" + inputs[k].at(levels[k]));
        }
      out.runs = runs.size();
      fmt::print(stderr, "vmbsim: what the answer hangs on: {}\n", config::counted(runs.size(), "run", "runs"));
      std::vector<plan::Outcome> outcomes = runs_(runs);
      std::vector<double> responses;
      for (auto of_point = outcomes.begin(); of_point != outcomes.end(); of_point += runs_of_each)
        responses.push_back(plan::pooled(out.bound, {of_point, of_point + runs_of_each}, which).figure);
      out.middle = responses.front();
      return responses;
    };
    for (const plan::Effect& effect : plan::effects(inputs.size(), walks, scenario_.seed, respond))
      out.influences.push_back({inputs[effect.input], effect});
    return out;
  }

 private:
  static std::size_t tightest_of(const plan::Found& found) {
    const plan::Visited* broken = found.broken();
    return broken != nullptr ? broken->tightest : found.visited.back().tightest;
  }

  /// Inputs that can be moved both ways and still make a scenario.
  std::vector<PlanInput> movable(const std::string& file, const std::vector<std::string>& overrides) const {
    std::vector<PlanInput> fine;
    for (PlanInput& input : inputs_of(scenario_)) {
      const auto loads = [&](double level) {
        std::vector<std::string> moved = overrides;
        moved.push_back(input.key + "=" + input.at(level));
        return loader_.planned(file, moved, {}).scenario.has_value();
      };
      if (loads(0) && loads(1)) fine.push_back(std::move(input));
    }
    return fine;
  }

  Answer answer(const std::vector<std::size_t>& combination, std::size_t combinations, std::size_t guess) {
    const std::vector<Axis>& axes = scenario_.plan.axes;
    const Axis& searched = axes.front();
    Answer out;
    std::vector<std::string>& others = out.others;
    for (std::size_t i = 0; i < combination.size(); ++i) {
      set(axes[i + 1], combination[i], others);
      out.question.others +=
          fmt::format("{}{} = {}", i == 0 ? "" : ", ", axes[i + 1].keys.front(), axes[i + 1].value(combination[i]));
      out.goals.push_back((axes[i + 1].maximise ? 1 : -1) * axes[i + 1].number(combination[i]));
    }
    out.question.key = searched.keys.front();
    out.question.value = [searched](std::size_t index) { return searched.value(index); };
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
          std::vector<PlanRuns::Run> runs(count);
          for (std::size_t i = 0; i < count; ++i) {
            runs[i].overrides = others;
            set(searched, index, runs[i].overrides);
            runs[i].seed = {scenario_.seed.value + first + i};
          }
          return runs_(runs);
        });
    out.question.range.confidence = scenario_.plan.confidence;
    if (out.found.answer)
      out.goals.insert(out.goals.begin(), (searched.maximise ? 1 : -1) * searched.number(*out.found.answer));
    return out;
  }

  Loader& loader_;
  const scenario::Scenario& scenario_;
  std::vector<plan::Bound> bounds_;
  PlanRuns runs_;
};

/// Those that no other is better than; of one alone that one.
std::vector<const Answer*> best_of(const std::vector<Answer>& answers) {
  std::vector<const Answer*> found;
  std::vector<std::vector<double>> goals;
  for (const Answer& answer : answers)
    if (answer.found.answer) {
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

/// Those that move the metric most, over two fifths of their value.
std::string told(const Sensitivity& found) {
  std::string text = fmt::format("\nwhat {} hangs on most at {} ({}), by a fifth less and a fifth more of each:\n",
                                 found.bound.metric, found.point, config::counted(found.runs, "run", "runs"));
  const auto moved = [&](double by) { return fmt::format("{:+.1f} %", 100 * by / found.middle); };
  for (std::size_t i = 0; i < std::min(found.influences.size(), influences_shown); ++i) {
    const auto& [input, effect] = found.influences[i];
    text += fmt::format("  {} = {}: {}, {}; with others moved {} on average, scatter {}\n", input.key, input.value,
                        moved(effect.down), moved(effect.up), moved(effect.mean), moved(effect.scatter));
  }
  return text;
}

std::string json_of(const Sensitivity& found) {
  nlohmann::ordered_json inputs = nlohmann::ordered_json::array();
  for (const auto& [input, effect] : found.influences)
    inputs.push_back({{"key", input.key},
                      {"value", input.value},
                      {"down", effect.down},
                      {"up", effect.up},
                      {"mean", effect.mean},
                      {"scatter", effect.scatter}});
  const nlohmann::ordered_json all = {{"metric", found.bound.metric},
                                      {"point", found.point},
                                      {"value", found.middle},
                                      {"runs", found.runs},
                                      {"inputs", inputs}};
  return all.dump(2);
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

}  // namespace

int plan(const PlanArguments& arguments) {
  Loader loader;
  const Inputs inputs = loader.whole(arguments.scenario, arguments.overrides, arguments.seed);
  Problems problems = inputs.problems;
  if (problems.empty()) problems = missing(*inputs.scenario);
  if (problems.empty()) problems = wrong_ends(loader, arguments, *inputs.scenario);
  if (!problems.empty()) {
    print(problems);
    return bad_input;
  }
  if (!arguments.out.empty())
    if (const auto failed = report::make_folder(arguments.out)) {
      print({*failed});
      return broken;
    }
  Planner planner(loader, arguments, *inputs.scenario);
  const std::vector<Answer> answers = planner.answers();
  const std::vector<const Answer*> best = best_of(answers);
  std::optional<Sensitivity> sensitivity;
  if (arguments.sensitivity)
    sensitivity = planner.sensitivity(arguments, best.empty() ? answers.front() : *best.front());
  const int status =
      say(told(*inputs.scenario, answers, best) + (sensitivity ? told(*sensitivity) : ""), best.empty() ? unmet : fine);
  if (arguments.out.empty()) return status;
  const Unstoppable until_written;
  const auto unwritten =
      report::write_whole(std::filesystem::path(arguments.out) / "plan.json", json_of(answers, best, sensitivity));
  if (unwritten) print({*unwritten});
  return unwritten ? broken : status;
}

}  // namespace vmbsim::cli
