#include "sim/plan/compare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vmbsim::plan {

namespace {

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool holds_any(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

/// Run by run, or group by group: as many values on either side, of the same seeds.
bool belong_together(const Measured& before, const Measured& after, const stats::Sample& first,
                     const stats::Sample& second) {
  const std::size_t runs = before.seeds.size();
  const std::size_t values = first.values.size();
  return before.seeds == after.seeds && values == second.values.size() &&
         (values == runs || values == stats::Pool::groups_of(runs));
}

bool got_worse(const Change& change, double tolerance) {
  const Sense sense = sense_of(change.metric);
  if (sense == Sense::neither) return false;
  return (sense == Sense::more_is_worse ? change.relative() : -change.relative()) > tolerance;
}

/// What hosts have room for is declared, and no matter of chance.
bool declared(const std::string& metric) { return ends_with(metric, ".refused"); }

/// At least that of a difference's error: Welch's lies above the smaller group's, and below their sum.
double freedom_of(const Change& change, const stats::Sample& first, const stats::Sample& second) {
  const std::size_t values = change.paired ? first.values.size() : std::min(first.values.size(), second.values.size());
  return static_cast<double>(values) - 1;
}

/// Holm asks most of the one with the smallest probability: that it be below what the confidence leaves over all questions.
double visible_change(const Change& change, double freedom, std::size_t questions, double confidence) {
  const double half_width = change.difference.estimate.half_width;
  if (!std::isfinite(half_width) || freedom < 1 || change.before == 0) return nothing_measured;
  const double error = half_width / stats::t_quantile(0.5 + confidence / 2, freedom);
  const double level = (1 - confidence) / (2 * static_cast<double>(questions));
  return stats::t_quantile(1 - level, freedom) * error / std::abs(change.before);
}

}  // namespace

Sense sense_of(const std::string& metric) {
  if (ends_with(metric, ".throughput") || ends_with(metric, ".bandwidth")) return Sense::less_is_worse;
  if (holds_any(metric, {".latency.", ".response.", ".stage."}) || ends_with(metric, ".full_events") ||
      declared(metric) || metric == "run.findings" || metric == "run.warnings")
    return Sense::more_is_worse;
  return Sense::neither;
}

Role role_of(const std::string& metric) {
  if (metric == "run.findings" || metric == report::refused_metric) return Role::judged;
  const bool once = metric.rfind("channel.", 0) == 0 || metric.rfind("workload.", 0) == 0;
  const std::size_t instance = metric.find('[');
  if (!once || (instance != std::string::npos && metric.compare(instance, 3, "[*]") != 0)) return Role::aside;
  if (ends_with(metric, ".throughput")) return Role::judged;
  if (!holds_any(metric, {".latency.", ".response."})) return Role::aside;
  return ends_with(metric, ".max") ? Role::told : Role::judged;
}

double relative_change(double before, double after) {
  if (after == before) return 0;
  if (before == 0)
    return after > 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  return (after - before) / std::abs(before);
}

bool Comparison::regressed() const {
  return !lost.empty() ||
         std::any_of(changes.begin(), changes.end(), [](const Change& change) { return change.worse; }) ||
         std::any_of(failing.begin(), failing.end(), [](const Failing& one) { return one.worse(); });
}

Comparison compare(const Side& before, const Side& after, const Tolerance& tolerance) {
  Comparison out;
  std::vector<double> freedoms;  // of the changes
  for (const auto& [point, runs] : after.points)
    if (before.points.count(point) == 0) out.only_after.push_back(point);
  for (const auto& [point, first] : before.points) {
    const auto match = after.points.find(point);
    if (match == after.points.end()) {
      out.only_before.push_back(point);
      continue;
    }
    const Measured& second = match->second;
    ++out.matched;
    if (first.seeds.size() < 2 || second.seeds.size() < 2) ++out.single;
    if (first.failed + second.failed > 0) out.failing.push_back({point, first.failed, second.failed});
    for (const auto& [metric, sample] : first.figures) {
      const auto other = second.figures.find(metric);
      if (std::isnan(sample.figure)) continue;
      if (other == second.figures.end() || std::isnan(other->second.figure)) {
        out.lost.push_back({point, metric, before.units.at(metric), sample.figure});
        continue;
      }
      Change change;
      change.point = point;
      change.metric = metric;
      change.unit = before.units.at(metric);
      change.before = sample.figure;
      change.after = other->second.figure;
      change.paired = belong_together(first, second, sample, other->second);
      change.difference = (change.paired ? stats::paired_difference : stats::difference)(
          sample.values, other->second.values, tolerance.confidence);
      if (declared(metric)) change.difference.probability = change.after == change.before ? 1 : 0;
      freedoms.push_back(freedom_of(change, sample, other->second));
      out.changes.push_back(std::move(change));
    }
    for (const auto& [metric, largest] : first.maxima)
      if (const auto other = second.maxima.find(metric); other != second.maxima.end())
        out.maxima.push_back({point, metric, before.units.at(metric), largest, other->second});
  }
  std::vector<std::size_t> questions;  // changes that chance can be told from, or not
  std::vector<double> probabilities;
  for (std::size_t i = 0; i < out.changes.size(); ++i)
    if (freedoms[i] >= 1 && !declared(out.changes[i].metric)) {
      questions.push_back(i);
      probabilities.push_back(out.changes[i].difference.probability);
    }
  const std::vector<double> corrected = stats::holm(probabilities);
  for (Change& change : out.changes) change.probability = change.difference.probability;
  for (std::size_t q = 0; q < questions.size(); ++q) {
    Change& change = out.changes[questions[q]];
    change.probability = corrected[q];
    change.visible = visible_change(change, freedoms[questions[q]], questions.size(), tolerance.confidence);
  }
  for (Change& change : out.changes) {
    change.significant = change.probability < 1 - tolerance.confidence;
    change.worse = change.significant && got_worse(change, tolerance.relative);
  }
  return out;
}

}  // namespace vmbsim::plan
