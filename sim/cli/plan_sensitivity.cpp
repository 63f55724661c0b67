#include "sim/cli/plan_sensitivity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "sim/cli/platform_inputs.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/toml_text.hpp"
#include "sim/plan/answer.hpp"

namespace vmbsim::cli {

namespace {

constexpr std::size_t walks = 4;
constexpr std::size_t influences_shown = 5;
constexpr std::uint32_t runs_of_each = 3;

/// An input, and which of the platform's it is where it is one.
struct Movable {
  PlanInput input;
  std::optional<std::size_t> of_platform;
};

/// What `--set` takes to move some of them; the others are as the scenario has them.
std::vector<std::string> overrides_at(const std::vector<Movable>& inputs, const plan::Levels& levels,
                                      PlatformInputs& platform) {
  std::vector<std::string> out;
  std::vector<PlatformInputs::Moved> moved;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (levels[i] == 0.5) continue;
    if (inputs[i].of_platform)
      moved.push_back({*inputs[i].of_platform, levels[i]});
    else
      out.push_back(inputs[i].input.key + "=" + inputs[i].input.toml_at(levels[i]));
  }
  if (!moved.empty()) out.push_back(platform.override_with(moved));
  return out;
}

/// The same for people: what is in a copy of the platform's file has no name there.
std::string moves_text(const std::vector<Movable>& inputs, const plan::Levels& levels) {
  std::string text;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (levels[i] != 0.5)
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", inputs[i].input.key, inputs[i].input.toml_at(levels[i]));
  return text;
}

/// The first inputs that can be moved both ways and still make a scenario; `left_out` gets the keys of those behind them.
std::vector<Movable> movable(const SensitivityQuestion& question, Loader& loader, PlatformInputs& platform,
                             std::vector<std::string>& left_out) {
  std::vector<Movable> all;
  for (PlanInput& input : inputs_of(question.scenario)) all.push_back({std::move(input), std::nullopt});
  for (std::size_t i = 0; i < platform.inputs().size(); ++i) all.push_back({platform.inputs()[i], i});
  const InputOrder order(question.scenario);
  std::stable_sort(all.begin(), all.end(),
                   [&order](const Movable& a, const Movable& b) { return order(a.input.key) < order(b.input.key); });
  std::vector<Movable> fine;
  for (Movable& one : all) {
    if (fine.size() == question.most_inputs) {
      left_out.push_back(std::move(one.input.key));
      continue;
    }
    const auto loads = [&](double level) {
      std::vector<std::string> overrides = question.overrides;
      overrides.insert(overrides.end(), question.run.overrides.begin(), question.run.overrides.end());
      for (std::string& moved : overrides_at({one}, {level}, platform)) overrides.push_back(std::move(moved));
      return loader.planned(question.file, overrides, {}).scenario.has_value();
    };
    if (loads(0) && loads(1)) fine.push_back(std::move(one));
  }
  return fine;
}

/// Of the runs of one point that came to their end: guests without a place, on average.
double refused_in(const std::vector<plan::Outcome>& outcomes) {
  const auto figures = plan::averaged(outcomes);
  const auto found = figures.find(report::refused_metric);
  return found == figures.end() ? nothing_measured : found->second;
}

}  // namespace

Sensitivity sensitivity_of(const SensitivityQuestion& question, Loader& loader, PlanRuns& runs) {
  const plan::Bound& bound = question.bounds[question.tightest];
  Sensitivity out{.metric = question.breached ? report::refused_metric : bound.metric,
                  .unit = question.breached ? report::Unit::count : bound.unit,
                  .point = question.point,
                  .influences = {}};
  PlatformInputs platform(question.scenario);
  out.platform = platform.inputs().empty() ? "" : std::filesystem::path(question.scenario.machine.platform).filename();
  const std::vector<Movable> inputs = movable(question, loader, platform, out.left_out);
  std::vector<double> refused;
  const auto respond = [&](const std::vector<plan::Levels>& points) {
    std::vector<PlanRuns::Run> all;
    for (const plan::Levels& levels : points) {
      const std::vector<std::string> overrides = overrides_at(inputs, levels, platform);
      const std::string name = moves_text(inputs, levels);
      for (std::uint32_t i = 0; i < runs_of_each; ++i) {
        PlanRuns::Run& run = all.emplace_back(question.run);
        run.seed.value += i;
        run.overrides.insert(run.overrides.end(), overrides.begin(), overrides.end());
        run.parameters.push_back(name.empty() ? "" : config::toml_quoted(name));
      }
    }
    out.runs = all.size();
    fmt::print(stderr, "vmbsim: what the answer hangs on: {}, {} (the answer took {})\n",
               config::counted(inputs.size(), "input", "inputs"), config::counted(all.size(), "run", "runs"),
               question.runs_before);
    const std::vector<plan::Outcome> outcomes = runs(all, true);
    std::vector<double> responses;
    for (auto of_point = outcomes.begin(); of_point != outcomes.end(); of_point += runs_of_each) {
      plan::Visited point;
      point.outcomes.assign(of_point, of_point + runs_of_each);
      refused.push_back(refused_in(point.outcomes));
      responses.push_back(question.breached ? refused.back() : plan::pooled(bound, point, question.tightest).figure);
    }
    out.middle = responses.front();
    return responses;
  };
  for (const plan::Effect& effect : plan::effects(inputs.size(), walks, question.scenario.seed, respond)) {
    Influence& influence = out.influences.emplace_back(Influence{inputs[effect.input].input, effect});
    influence.refused_down = refused[plan::point_below(effect.input)] - refused.front();
    influence.refused_up = refused[plan::point_above(effect.input)] - refused.front();
  }
  return out;
}

std::string told(const Sensitivity& found) {
  std::string text = fmt::format(
      "\nwhat {} hangs on most at {} ({}), of the {} looked at{}, by a fifth less and a fifth more of each:\n",
      found.metric, found.point, config::counted(found.runs, "run", "runs"),
      config::counted(found.influences.size(), "input", "inputs"),
      found.left_out.empty() ? "" : fmt::format(" ({} were not)", found.left_out.size()));
  const auto signed_text = [](double by, report::Unit unit) {
    return (by < 0 ? "-" : "+") + report::metric_text(std::abs(by), unit);
  };
  // Of nothing there is no part: then the figure itself.
  const auto moved = [&](double by) -> std::string {
    if (std::isnan(by)) return "no value";
    return found.middle != 0 ? fmt::format("{:+.1f} %", 100 * by / found.middle) : signed_text(by, found.unit);
  };
  // Fewer guests measure less: a figure that gets better by that is no better one.
  const auto refused = [&](double more, const char* way) {
    if (found.metric == report::refused_metric || !(std::abs(more) > 0)) return std::string();
    return fmt::format("; a fifth {}: {} guests without a place", way, signed_text(more, report::Unit::count));
  };
  for (std::size_t i = 0; i < std::min(found.influences.size(), influences_shown); ++i) {
    const Influence& one = found.influences[i];
    text += fmt::format("  {} = {}: {}, {}; with others moved {} on average, scatter {}{}{}\n", one.input.key,
                        one.input.value, moved(one.effect.down), moved(one.effect.up), moved(one.effect.mean),
                        moved(one.effect.scatter), refused(one.refused_down, "less"), refused(one.refused_up, "more"));
  }
  text +=
      "  with others moved: over the whole range of an input, wherever in theirs the others stand (Morris' mu*)\n"
      "  scatter: how much that differs with where they stand (Morris' sigma); as large as it: the input works with "
      "others\n";
  if (!found.platform.empty()) text += fmt::format("  platform: what stands in {}\n", found.platform);
  if (!found.left_out.empty())
    text += fmt::format("  left out: {}, from {} on; --sensitivity-inputs {} looks at all\n",
                        config::counted(found.left_out.size(), "input", "inputs"), found.left_out.front(),
                        found.influences.size() + found.left_out.size());
  return text;
}

std::string json_of(const Sensitivity& found) {
  nlohmann::ordered_json inputs = nlohmann::ordered_json::array();
  for (const auto& [input, effect, refused_down, refused_up] : found.influences) {
    nlohmann::ordered_json one = {{"key", input.key}, {"value", input.value}, {"down", effect.down},
                                  {"up", effect.up},  {"mean", effect.mean},  {"scatter", effect.scatter}};
    if (!std::isnan(refused_down) && !std::isnan(refused_up)) one["refused"] = {refused_down, refused_up};
    inputs.push_back(std::move(one));
  }
  const nlohmann::ordered_json all = {{"metric", found.metric}, {"point", found.point}, {"value", found.middle},
                                      {"runs", found.runs},     {"inputs", inputs},     {"left_out", found.left_out}};
  return all.dump(2);
}

}  // namespace vmbsim::cli
