#include "sim/cli/plan_runs.hpp"

#include <fmt/format.h>

#include <deque>
#include <utility>

#include "sim/batch/plan.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/report/grouping.hpp"

namespace vmbsim::cli {

namespace {

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

/// A run without figures, and why it has none.
plan::Outcome missing_of(const batch::Record& record) {
  plan::Outcome out;
  out.ended_early = record.status != batch::Status::failed;
  const char* const what = record.status == batch::Status::crashed ? "a run crashed: "
                           : out.ended_early                       ? "a run was ended: "
                                                                   : "cannot be run: ";
  out.missing = what + record.reason;
  return out;
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
    refusals_asked_for = refusals_asked_for || bound.metric == report::refused_metric;
    const double value = value_of(figures, bound.metric);
    const auto figure = report::times_figure(bound.metric);
    out.times.push_back(figure ? times_of(figures, figure->times) : Histogram{});
    out.values.push_back(value);
    out.margins.push_back(plan::margin_of(bound, value, figure ? &out.times.back() : nullptr));
  }
  for (const report::Metric& metric : figures.metrics)
    if (tells_a_reason(metric.name)) out.figures[metric.name] = metric.value;
  const double refused = value_of(figures, report::refused_metric);
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

PlanRuns::Point PlanRuns::point_of(const Run& run) {
  Point point;
  // The objective names metrics as there are at this point; it is no part of what is run.
  const Inputs planned = config_.loader.planned(config_.scenario, overrides_of(run), {});
  const Inputs one = config_.loader.one_run(config_.scenario, overrides_of(run), {});
  for (const Inputs* inputs : {&planned, &one})
    if (!inputs->scenario && point.wrong.empty()) point.wrong = "cannot be run: " + inputs->problems.front().text;
  if (!point.wrong.empty()) return point;
  point.identity = identities_.of(*one.scenario);
  point.bounds = bounds_of(planned.scenario->objective);
  return point;
}

void PlanRuns::look_at(const std::vector<Run>& runs) {
  std::vector<Point*> fresh;
  for (const Run& run : runs)
    if (const auto [found, is_new] = points_.try_emplace(run.overrides); is_new) {
      found->second = point_of(run);
      fresh.push_back(&found->second);
    }
  if (fresh.empty()) return;
  const Inputs base = config_.loader.one_run(config_.scenario, config_.overrides, {});
  if (base.scenario && identities_.of(*base.scenario) == base_) return;
  for (Point* point : fresh) point->wrong = was_changed(config_.scenario, "plan");
}

std::optional<Problem> PlanRuns::prepare() {
  const Inputs base = config_.loader.one_run(config_.scenario, config_.overrides, {});
  if (!base.scenario) return base.problems.front();
  base_ = identities_.of(*base.scenario);
  config_.runner.campaign = {.scenario = base.scenario->name,
                             .version = model_version(),
                             .text = base.scenario->resolved,
                             .identity = base_,
                             .parameters = config_.parameters};
  runner_ = std::make_unique<batch::Runner>(config_.runner);
  return runner_->prepare();
}

batch::Job PlanRuns::job_of(const Run& run) {
  const Point& point = points_.at(run.overrides);
  batch::Job job;
  job.key = batch::key_of(point.identity, run.seed, model_version());
  job.parameters = run.parameters;
  job.seed = run.seed;
  job.figures = [this, &run, &point] {
    return figures_of(
        {.path = config_.scenario, .overrides = overrides_of(run), .identity = point.identity, .seed = run.seed},
        config_.loader, identities_, "plan");
  };
  return job;
}

std::vector<plan::Outcome> PlanRuns::operator()(const std::vector<Run>& runs, bool show) {
  look_at(runs);
  std::vector<plan::Outcome> outcomes(runs.size());
  std::deque<batch::Job> left;
  std::map<batch::Key, std::size_t> first;  // of those that are left
  std::vector<std::pair<std::size_t, std::size_t>> alike;
  batch::Standing standing;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Point& point = points_.at(runs[i].overrides);
    if (!point.wrong.empty()) {
      outcomes[i].missing = point.wrong;
      ++standing.failed;
      continue;
    }
    batch::Job job = job_of(runs[i]);
    auto known = runner_->recalled(job.key);
    if (auto* wrong = std::get_if<Problem>(&known)) throw Stopped{std::move(*wrong)};
    if (const auto& record = std::get<std::optional<batch::Record>>(known)) {
      outcomes[i] = outcome_of(record->figures, point.bounds);
      ++before_;
      ++standing.before;
    } else if (const auto [same, is_new] = first.emplace(job.key, i); is_new) {
      job.number = i;
      left.push_back(std::move(job));
    } else {
      alike.emplace_back(i, same->second);
    }
  }
  standing.planned = runs.size() - alike.size();
  const batch::Summary summary =
      runner_->run({.next = [&]() -> std::optional<batch::Job> {
                      if (left.empty()) return std::nullopt;
                      std::optional<batch::Job> job = std::move(left.front());
                      left.pop_front();
                      return job;
                    },
                    .took =
                        [&](std::uint64_t number, const batch::Record& record) {
                          if (batch::done(record.status))
                            outcomes[number] = outcome_of(record.figures, points_.at(runs[number].overrides).bounds);
                          else
                            outcomes[number] = missing_of(record);
                        },
                    .standing = standing,
                    .progress = show ? batch::ProgressForm::automatic : batch::ProgressForm::none});
  if (summary.end != batch::Summary::End::complete) throw Stopped{summary.unwritten};
  for (const auto& [other, same] : alike) outcomes[other] = outcomes[same];
  return outcomes;
}

}  // namespace vmbsim::cli
