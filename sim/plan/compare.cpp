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

struct Values {
  std::vector<double> before, after;
  bool paired = false;
};

/// By seed, where both sides have the same ones.
Values values_of(const std::vector<Measured>& before, const std::vector<Measured>& after, const std::string& metric) {
  const auto by_seed = [&](const std::vector<Measured>& runs) {
    std::map<std::uint64_t, double> values;
    for (const Measured& run : runs)
      if (const auto found = run.figures.find(metric); found != run.figures.end() && !std::isnan(found->second))
        values[run.seed] = found->second;
    return values;
  };
  const auto first = by_seed(before);
  const auto second = by_seed(after);
  Values out;
  out.paired =
      first.size() == second.size() && std::equal(first.begin(), first.end(), second.begin(),
                                                  [](const auto& a, const auto& b) { return a.first == b.first; });
  for (const auto& [seed, value] : first) out.before.push_back(value);
  for (const auto& [seed, value] : second) out.after.push_back(value);
  return out;
}

bool got_worse(const Change& change, double tolerance) {
  const Sense sense = sense_of(change.metric);
  if (sense == Sense::neither) return false;
  return (sense == Sense::more_is_worse ? change.relative() : -change.relative()) > tolerance;
}

}  // namespace

Sense sense_of(const std::string& metric) {
  if (ends_with(metric, ".throughput") || ends_with(metric, ".bandwidth")) return Sense::less_is_worse;
  if (holds_any(metric, {".latency.", ".response.", ".stage."}) || ends_with(metric, ".full_events") ||
      metric == "run.findings" || metric == "run.warnings")
    return Sense::more_is_worse;
  return Sense::neither;
}

bool compared_by_default(const std::string& metric) {
  if (metric == "run.findings") return true;
  const std::size_t instance = metric.find('[');
  if (instance != std::string::npos && metric.compare(instance, 3, "[*]") != 0) return false;
  return ends_with(metric, ".throughput") || holds_any(metric, {".latency.", ".response."});
}

double Change::relative() const {
  if (after == before) return 0;
  if (before == 0)
    return after > 0 ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  return (after - before) / std::abs(before);
}

bool Comparison::regressed() const {
  return std::any_of(changes.begin(), changes.end(), [](const Change& change) { return change.worse; });
}

Comparison compare(const Side& before, const Side& after, const Tolerance& tolerance) {
  Comparison out;
  for (const auto& [point, runs] : after.points)
    if (before.points.count(point) == 0) out.only_after.push_back(point);
  for (const auto& [point, runs] : before.points) {
    const auto match = after.points.find(point);
    if (match == after.points.end()) {
      out.only_before.push_back(point);
      continue;
    }
    if (runs.size() < 2 || match->second.size() < 2) ++out.single;
    for (const auto& [metric, unit] : before.units) {
      const Values values = values_of(runs, match->second, metric);
      if (values.before.empty() || values.after.empty()) continue;
      Change change;
      change.point = point;
      change.metric = metric;
      change.unit = unit;
      change.before = stats::mean_of(values.before, tolerance.confidence).mean;
      change.after = stats::mean_of(values.after, tolerance.confidence).mean;
      change.paired = values.paired;
      change.difference = values.paired ? stats::paired_difference(values.before, values.after, tolerance.confidence)
                                        : stats::difference(values.before, values.after, tolerance.confidence);
      out.changes.push_back(std::move(change));
    }
  }
  std::vector<double> probabilities;
  for (const Change& change : out.changes) probabilities.push_back(change.difference.probability);
  const std::vector<double> corrected = stats::holm(probabilities);
  for (std::size_t i = 0; i < corrected.size(); ++i) {
    Change& change = out.changes[i];
    change.probability = corrected[i];
    change.significant = corrected[i] < 1 - tolerance.confidence;
    change.worse = change.significant && got_worse(change, tolerance.relative);
  }
  return out;
}

}  // namespace vmbsim::plan
