#include "sim/cli/plan_runs.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "sim/cli/running.hpp"
#include "sim/report/grouping.hpp"
#include "sim/report/metrics.hpp"
#include "vmbsim/assert.hpp"

namespace vmbsim::cli {

namespace {

using Json = nlohmann::json;
using scenario::Expectation;

plan::Margin margin_of(const Expectation& line, double value, const std::optional<report::Times>& times) {
  using Relation = Expectation::Relation;
  const bool above = line.relation == Relation::above || line.relation == Relation::at_least;
  if (std::isnan(value)) return {1};  // nothing holds of what was not measured
  if (line.relation == Relation::equals) return {value == line.value ? -1.0 : 1.0};
  const double sign = above ? -1 : 1;
  if (!times) return {sign * (value - line.value)};
  const auto n = static_cast<double>(times->histogram.count());
  if (!times->share) return {sign * n * (times->histogram.mean_ns() - line.value)};
  // Packets that are beyond the bound, less those that may be.
  const double beyond = 1 - *times->share;
  return {sign * n * (1 - times->histogram.share_up_to(line.value) - beyond), n * beyond * (1 - beyond)};
}

Json json_of(const Histogram& times) {
  Json buckets = Json::array();
  for (const Histogram::Bucket& bucket : times.buckets()) buckets.push_back({bucket.upper.count(), bucket.count});
  const Wide sum = times.sum_ns();
  return {{"buckets", buckets},
          {"sum", {static_cast<std::uint64_t>(sum >> 64), static_cast<std::uint64_t>(sum)}},
          {"min", times.min().count()},
          {"max", times.max().count()}};
}

Histogram histogram_in(const Json& json) {
  std::vector<Histogram::Bucket> buckets;
  for (const Json& bucket : json["buckets"])
    buckets.push_back({Duration{bucket[0].get<std::int64_t>()}, bucket[1].get<std::uint64_t>()});
  const Wide sum = Wide{json["sum"][0].get<std::uint64_t>()} << 64 | json["sum"][1].get<std::uint64_t>();
  const auto found = Histogram::restore(buckets, sum, Duration{json["min"].get<std::int64_t>()},
                                        Duration{json["max"].get<std::int64_t>()});
  VMBSIM_ASSERT(found.has_value(), "a histogram reads back as it was written");
  return *found;
}

double number_in(const Json& json) { return json.is_null() ? nothing_measured : json.get<double>(); }

plan::Outcome failed(std::string why) {
  plan::Outcome out;
  out.failure = std::move(why);
  return out;
}

/// In the process of the run.
plan::Outcome run_at(Loader& loader, const std::string& file, const std::vector<std::string>& overrides, Seed seed) {
  Inputs inputs = loader.planned(file, overrides, seed);
  std::unique_ptr<platform::Platform> platform;
  if (inputs.scenario && !inputs.scenario->machine.platform.empty()) {
    platform = platform::Platform::load(inputs.scenario->machine.platform, inputs.problems);
    if (platform == nullptr) inputs.scenario.reset();
  }
  if (!inputs.scenario) return failed("cannot be run: " + inputs.problems.front().line());
  return outcome_of(run_once(*inputs.scenario, inputs.traces, platform.get()), inputs.scenario->objective);
}

std::string how_it_ended(const workers::Crew::Ended& ended) {
  if (ended.how == workers::Crew::Ended::How::died) return fmt::format("a run died by signal {}", ended.signal);
  return "a run left without an answer";
}

}  // namespace

plan::Outcome outcome_of(const RunResult& result, const std::vector<Expectation>& lines) {
  plan::Outcome out;
  for (const Expectation& line : lines) {
    const double value = report::metric_value(result, line.metric).value_or(nothing_measured);
    auto times = report::metric_times(result, line.metric);
    out.margins.push_back(margin_of(line, value, times));
    out.values.push_back(value);
    out.times.push_back(times ? std::move(times->histogram) : Histogram{});
  }
  // Of a template with several instances only what they are together: the rest is too much to keep of every run.
  for (const report::Metric& metric : report::metrics(result))
    if (metric.name.find('[') == std::string::npos || metric.name.find("[*]") != std::string::npos)
      out.figures[metric.name] = metric.value;
  return out;
}

std::string text_of(const plan::Outcome& outcome) {
  Json margins = Json::array();
  for (const plan::Margin& margin : outcome.margins) margins.push_back({margin.value, margin.least_variance});
  Json times = Json::array();
  for (const Histogram& histogram : outcome.times) times.push_back(json_of(histogram));
  const Json all = {{"margins", margins},
                    {"values", outcome.values},
                    {"times", times},
                    {"figures", outcome.figures},
                    {"failure", outcome.failure}};
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

plan::Outcome outcome_in(const std::string& text) {
  const Json all = Json::parse(text);
  plan::Outcome out;
  for (const Json& margin : all["margins"]) out.margins.push_back({number_in(margin[0]), number_in(margin[1])});
  for (const Json& value : all["values"]) out.values.push_back(number_in(value));
  for (const Json& histogram : all["times"]) out.times.push_back(histogram_in(histogram));
  for (const auto& [name, value] : all["figures"].items()) out.figures[name] = number_in(value);
  out.failure = all["failure"].get<std::string>();
  return out;
}

std::vector<plan::Outcome> PlanRuns::operator()(const std::vector<Run>& runs) const {
  std::vector<plan::Outcome> outcomes(runs.size());
  workers::Crew crew(config_.jobs, {});
  std::size_t next = 0;
  while (next < runs.size() || !crew.empty()) {
    if (next < runs.size() && !crew.full()) {
      const Run& run = runs[next];
      std::vector<std::string> overrides = config_.overrides;
      overrides.insert(overrides.end(), run.overrides.begin(), run.overrides.end());
      crew.start(next++, [&](workers::BlackBox&) {
        return text_of(run_at(config_.loader, config_.scenario, overrides, run.seed));
      });
      continue;
    }
    const auto ended = crew.wait(200);
    if (!ended) continue;
    outcomes[ended->id] =
        ended->how == workers::Crew::Ended::How::told ? outcome_in(ended->text) : failed(how_it_ended(*ended));
  }
  return outcomes;
}

}  // namespace vmbsim::cli
