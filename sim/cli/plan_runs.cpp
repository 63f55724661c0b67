#include "sim/cli/plan_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>

#include "sim/batch/folder.hpp"
#include "sim/batch/plan.hpp"
#include "sim/batch/progress.hpp"
#include "sim/cli/signals.hpp"
#include "sim/config/file.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/report/grouping.hpp"
#include "sim/workers/crew.hpp"

namespace vmbsim::cli {

namespace {

using How = workers::Crew::Ended::How;

constexpr std::int64_t commit_every_ms = 250;
constexpr std::int64_t unread = -1;  // the row of what was stored since
// What a run's process answers: its figures, or why it has none.
constexpr char figures_follow = '+';
constexpr char problem_follows = '-';

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double value_of(const batch::Figures& figures, const std::string& metric) {
  for (const report::Metric& one : figures.metrics)
    if (one.name == metric) return one.value;
  return nothing_measured;
}

/// Of one thing, or of all instances of a template together.
Histogram times_of(const batch::Figures& figures, const std::string& name) {
  Histogram together;
  for (const batch::NamedHistogram& one : figures.histograms) {
    if (one.name == name) return one.histogram;
    if (report::template_name(one.name) == name) together.merge(one.histogram);
  }
  return together;
}

/// Of a template with several instances only what they are together, and how busy each processor and device is: the rest is too
/// much to keep of every run.
bool tells_a_reason(const std::string& metric) {
  return metric.find('[') == std::string::npos || metric.find("[*]") != std::string::npos ||
         metric.rfind("processor.", 0) == 0 || metric.rfind("device.", 0) == 0;
}

plan::Demand demand_of(scenario::Expectation::Relation relation) {
  using Relation = scenario::Expectation::Relation;
  switch (relation) {
    case Relation::below: return plan::Demand::below;
    case Relation::at_most: return plan::Demand::at_most;
    case Relation::above: return plan::Demand::above;
    case Relation::at_least: return plan::Demand::at_least;
    case Relation::equals: break;
  }
  return plan::Demand::equal;
}

std::string how_it_ended(const workers::Crew::Ended& ended) {
  if (ended.how == How::died) return fmt::format("a run died by signal {}", ended.signal);
  return "a run left without an answer";
}

}  // namespace

std::vector<plan::Bound> bounds_of(const std::vector<scenario::Expectation>& lines) {
  std::vector<plan::Bound> bounds;
  for (const scenario::Expectation& line : lines) {
    const auto times = report::times_figure(line.metric);
    bounds.push_back({.metric = line.metric,
                      .text = line.text,
                      .unit = line.unit,
                      .share = times ? times->share : std::nullopt,
                      .demand = demand_of(line.relation),
                      .value = line.value});
  }
  return bounds;
}

plan::Outcome outcome_of(const batch::Figures& figures, const std::vector<plan::Bound>& bounds) {
  plan::Outcome out;
  bool refusals_asked_for = false;
  for (const plan::Bound& bound : bounds) {
    refusals_asked_for = refusals_asked_for || bound.metric == "fleet.refused";
    const double value = value_of(figures, bound.metric);
    const auto figure = report::times_figure(bound.metric);
    out.times.push_back(figure ? times_of(figures, figure->times) : Histogram{});
    out.values.push_back(value);
    out.margins.push_back(plan::margin_of(bound, value, figure ? &out.times.back() : nullptr));
  }
  for (const report::Metric& metric : figures.metrics)
    if (tells_a_reason(metric.name)) out.figures[metric.name] = metric.value;
  const double refused = value_of(figures, "fleet.refused");
  if (refused > 0 && !refusals_asked_for)
    out.breach =
        fmt::format("{} found no place", config::counted(static_cast<std::size_t>(refused), "guest", "guests"));
  return out;
}

std::vector<std::string> PlanRuns::overrides_of(const Run& run) const {
  std::vector<std::string> all = config_.overrides;
  all.insert(all.end(), run.overrides.begin(), run.overrides.end());
  return all;
}

const PlanRuns::Point& PlanRuns::point_of(const Run& run) {
  const auto [found, fresh] = points_.try_emplace(run.overrides);
  Point& point = found->second;
  if (!fresh) return point;
  // The objective names metrics as there are at this point; it is no part of what is run.
  const Inputs planned = config_.loader.planned(config_.scenario, overrides_of(run), {});
  const Inputs one = config_.loader.one_run(config_.scenario, overrides_of(run), {});
  for (const Inputs* inputs : {&planned, &one})
    if (!inputs->scenario && point.wrong.empty()) point.wrong = "cannot be run: " + inputs->problems.front().text;
  if (!point.wrong.empty()) return point;
  const Inputs base = config_.loader.one_run(config_.scenario, config_.overrides, {});
  if (!base.scenario || identities_.of(*base.scenario) != base_) point.wrong = was_changed();
  if (!point.wrong.empty()) return point;
  point.identity = identities_.of(*one.scenario);
  point.bounds = bounds_of(planned.scenario->objective);
  return point;
}

std::string PlanRuns::was_changed() const { return config_.scenario + " was changed while its plan was going on"; }

std::optional<Problem> PlanRuns::prepare() {
  const Inputs base = config_.loader.one_run(config_.scenario, config_.overrides, {});
  if (!base.scenario) return base.problems.front();
  base_ = identities_.of(*base.scenario);
  if (config_.folder.empty()) return std::nullopt;
  std::error_code error;
  std::filesystem::create_directories(config_.folder, error);
  if (error) return config::problem_with(config_.folder.string(), "cannot be made a folder: " + error.message());
  const std::filesystem::path file = batch::store_of(config_.folder, 0, 1);
  if (auto held = lock_.take(std::filesystem::path(file).replace_extension(".lock"))) return held;
  std::optional<std::string> rescued;
  auto opened = batch::Store::open(file,
                                   {.scenario = base.scenario->name,
                                    .version = model_version(),
                                    .text = base.scenario->resolved,
                                    .identity = base_,
                                    .parameters = config_.parameters},
                                   rescued);
  if (auto* wrong = std::get_if<Problem>(&opened)) return *wrong;
  store_ = std::get<std::unique_ptr<batch::Store>>(std::move(opened));
  if (rescued) fmt::print(stderr, "vmbsim: {}\n", *rescued);
  return store_->each(batch::Store::Depth::heads,
                      [&](const batch::Store::Row& row) { rows_[row.record.key] = row.id; });
}

/// In the process of the run.
std::string PlanRuns::work(const Run& run) {
  try {
    Inputs inputs = config_.loader.one_run(config_.scenario, overrides_of(run), {});
    if (!inputs.scenario) throw std::runtime_error(inputs.problems.front().text);
    if (identities_.of(*inputs.scenario) != points_.at(run.overrides).identity) throw std::runtime_error(was_changed());
    inputs.scenario->seed = run.seed;
    return figures_follow + batch::encoded(figures_of(inputs));
  } catch (const std::exception& wrong) { return problem_follows + std::string("cannot be run: ") + wrong.what(); }
}

void PlanRuns::keep(const Run& run, const batch::Key& key, batch::Figures figures) {
  if (store_ == nullptr) return;
  batch::Record record;
  record.key = key;
  record.parameters = run.parameters;
  record.seed = run.seed;
  record.status = figures.met ? batch::Status::met : batch::Status::unmet;
  record.figures = std::move(figures);
  if (auto wrong = store_->add(record)) throw Stopped{std::move(wrong)};
  rows_.try_emplace(key, unread);
}

void PlanRuns::commit() {
  if (store_ == nullptr) return;
  for (auto wrong : {store_->plan(rows_.size()), store_->commit()})
    if (wrong) throw Stopped{std::move(wrong)};
}

std::vector<plan::Outcome> PlanRuns::operator()(const std::vector<Run>& runs, bool show) {
  std::vector<plan::Outcome> outcomes(runs.size());
  std::vector<batch::Key> keys(runs.size());
  std::vector<std::size_t> left;
  batch::Standing standing{.planned = runs.size()};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Point& point = point_of(runs[i]);
    if (!point.wrong.empty()) {
      outcomes[i].missing = point.wrong;
      ++standing.failed;
      continue;
    }
    keys[i] = batch::key_of(point.identity, runs[i].seed, model_version());
    const auto known = rows_.find(keys[i]);
    if (known == rows_.end() || known->second == unread) {
      left.push_back(i);
      continue;
    }
    auto record = store_->at(known->second);
    if (auto* wrong = std::get_if<Problem>(&record)) throw Stopped{std::move(*wrong)};
    outcomes[i] = outcome_of(std::get<batch::Record>(record).figures, point.bounds);
    ++before_;
    ++standing.before;
  }
  standing.done = standing.before;
  const std::int64_t started = now_ms();
  std::int64_t committed = started;
  batch::Progress progress(show ? batch::ProgressForm::automatic : batch::ProgressForm::none);
  workers::Crew crew(config_.jobs, {});
  std::size_t next = 0;
  while (next < left.size() || !crew.empty()) {
    if (StopRequest::made()) {
      crew.dismiss();
      commit();
      throw Stopped{};
    }
    if (next < left.size() && !crew.full()) {
      const std::size_t i = left[next++];
      crew.start(i, [&](workers::BlackBox&) { return work(runs[i]); });
      continue;
    }
    const auto ended = crew.wait(200);
    standing.running = std::min<std::size_t>(config_.jobs, left.size() - standing.done + standing.before);
    standing.elapsed_ms = now_ms() - started;
    progress.show(standing);
    if (now_ms() - committed >= commit_every_ms) {
      commit();
      committed = now_ms();
    }
    if (!ended) continue;
    plan::Outcome& outcome = outcomes[ended->id];
    ++standing.failed;
    if (ended->how != How::told) {
      outcome.missing = how_it_ended(*ended);
    } else if (ended->text.empty() || ended->text.front() == problem_follows) {
      outcome.missing = ended->text.empty() ? "a run gave an empty answer" : ended->text.substr(1);
    } else if (auto figures = batch::figures_in(std::string_view(ended->text).substr(1))) {
      outcome = outcome_of(*figures, points_.at(runs[ended->id].overrides).bounds);
      keep(runs[ended->id], keys[ended->id], std::move(*figures));
      --standing.failed;
      ++standing.done;
    } else {
      outcome.missing = "a run's answer cannot be read";
    }
  }
  commit();
  standing.running = 0;
  standing.elapsed_ms = now_ms() - started;
  progress.finish(standing);
  return outcomes;
}

}  // namespace vmbsim::cli
