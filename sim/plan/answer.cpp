#include "sim/plan/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/plan/reason.hpp"

namespace vmbsim::plan {

namespace {

using Json = nlohmann::ordered_json;

std::string percent(double confidence) { return fmt::format("{:g} %", std::round(confidence * 1000) / 10); }

std::string all_of(const std::vector<Bound>& bounds, const char* verb) {
  std::string text;
  for (const Bound& bound : bounds)
    text += fmt::format("{}{} {}{}", text.empty() ? "" : " and ", bound.metric, verb, bound.text);
  return text;
}

const std::string* failure_of(const Visited& visited) {
  for (const Outcome& outcome : visited.outcomes)
    if (!outcome.failure.empty()) return &outcome.failure;
  return nullptr;
}

/// "2.60 ms, because host.cpu0 saturates: ..."
std::string why(const Question& question, const Found& found, const Visited& broken) {
  if (const std::string* failure = failure_of(broken)) return *failure;
  const Bound& bound = question.bounds[broken.tightest];
  std::string text = report::metric_text(pooled(bound, broken.outcomes, broken.tightest).figure, bound.unit);
  if (question.bounds.size() > 1) text = bound.metric + " is " + text;
  const Visited* kept = found.answer ? found.at(*found.answer) : nullptr;
  const std::string because = reason(kept ? averaged(kept->outcomes) : Figures{}, averaged(broken.outcomes));
  return because.empty() ? text : text + ", because " + because;
}

/// "1.38 ms (1.31 ms .. 1.45 ms)"; where nothing tells how sure it is, or no run differs, "1.38 ms".
std::string figure_text(const Pooled& found, report::Unit unit) {
  const Interval& interval = found.interval;
  const std::string text = report::metric_text(found.figure, unit);
  if (!interval.known() || interval.low == interval.high) return text;
  return fmt::format("{} ({} .. {})", text, report::metric_text(interval.low, unit),
                     report::metric_text(interval.high, unit));
}

}  // namespace

Pooled pooled(const Bound& bound, const std::vector<Outcome>& outcomes, std::size_t which) {
  const auto timed = [&](const Outcome& outcome) {
    return outcome.failure.empty() && outcome.times[which].count() != 0;
  };
  stats::Pool times(static_cast<std::size_t>(std::count_if(outcomes.begin(), outcomes.end(), timed)));
  std::vector<double> values;
  for (const Outcome& outcome : outcomes) {
    if (timed(outcome)) times.add(outcome.times[which]);
    if (outcome.failure.empty()) values.push_back(outcome.values[which]);
  }
  if (times.all().count() != 0) return {times.figure(bound.share), times.interval(bound.share, interval_confidence)};
  const stats::Estimate of_runs = stats::mean_of(stats::sample_of(values).values, interval_confidence);
  return {of_runs.mean, {std::max(of_runs.interval().low, 0.0), of_runs.interval().high}};
}

std::map<std::string, double> averaged(const std::vector<Outcome>& outcomes) {
  std::map<std::string, double> sums;
  std::map<std::string, double> runs;
  for (const Outcome& outcome : outcomes)
    for (const auto& [name, value] : outcome.figures)
      if (!std::isnan(value)) {
        sums[name] += value;
        ++runs[name];
      }
  for (auto& [name, sum] : sums) sum /= runs[name];
  return sums;
}

std::string sentence(const Question& question, const Found& found) {
  const Visited* broken = found.broken();
  const std::string where = question.others.empty() ? "" : "with " + question.others + ": ";
  if (!found.answer)
    return fmt::format("{}not even {} = {} keeps {}: {}", where, question.key, question.value(0),
                       all_of(question.bounds, ""), why(question, found, *broken));
  const std::string sure = percent(question.range.confidence) + " sure";
  std::string text =
      fmt::format("{}{} = {}: {} that {}", where, question.key, question.value(*found.answer),
                  found.sure() ? sure : "likely, but too close to be " + sure + ",", all_of(question.bounds, "stays "));
  if (broken == nullptr) return text + "; it is the last that was asked for";
  return fmt::format("{}; at {} it breaks: {}", text, question.value(broken->index), why(question, found, *broken));
}

std::string points_text(const Question& question, const Found& found) {
  std::vector<const Visited*> sorted;
  for (const Visited& visited : found.visited) sorted.push_back(&visited);
  std::sort(sorted.begin(), sorted.end(), [](const Visited* a, const Visited* b) { return a->index < b->index; });
  std::string text;
  for (const Visited* visited : sorted) {
    text += fmt::format("  {} = {:<10} {:>4} runs  {}{}", question.key, question.value(visited->index),
                        visited->outcomes.size(), visited->verdict == Verdict::holds ? "holds " : "breaks",
                        visited->sure ? "" : " (too close to call)");
    for (std::size_t i = 0; i < question.bounds.size(); ++i)
      text += fmt::format("  {} {}", question.bounds[i].metric,
                          figure_text(pooled(question.bounds[i], visited->outcomes, i), question.bounds[i].unit));
    text += "\n";
  }
  return text;
}

std::string answer_json(const Question& question, const Found& found) {
  Json bounds = Json::array();
  for (const Bound& bound : question.bounds)
    bounds.push_back({{"metric", bound.metric}, {"demand", bound.text}, {"unit", report::name_of(bound.unit)}});
  Json points = Json::array();
  for (const Visited& visited : found.visited) {
    Json values = Json::object();
    Json intervals = Json::object();
    for (std::size_t i = 0; i < question.bounds.size(); ++i) {
      const auto [figure, interval] = pooled(question.bounds[i], visited.outcomes, i);
      values[question.bounds[i].metric] = figure;  // null where nothing was measured
      intervals[question.bounds[i].metric] = interval.known() ? Json{interval.low, interval.high} : Json(nullptr);
    }
    Json point = {{"value", question.value(visited.index)},
                  {"runs", visited.outcomes.size()},
                  {"holds", visited.verdict == Verdict::holds},
                  {"sure", visited.sure},
                  {"tightest", question.bounds[visited.tightest].metric},
                  {"metrics", values},
                  {"intervals", intervals},
                  {"figures", averaged(visited.outcomes)}};
    if (const std::string* failure = failure_of(visited)) point["failure"] = *failure;
    points.push_back(std::move(point));
  }
  Json answer = {{"key", question.key},  {"answer", found.answer ? Json(question.value(*found.answer)) : Json(nullptr)},
                 {"sure", found.sure()}, {"confidence", question.range.confidence},
                 {"runs", found.runs},   {"sentence", sentence(question, found)},
                 {"bounds", bounds},     {"points", points}};
  if (!question.others.empty()) answer["others"] = question.others;
  return answer.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vmbsim::plan
