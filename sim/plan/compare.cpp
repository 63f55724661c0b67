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

/// Run by run, or group by group: as many values on either side, of the same seeds. Few runs that know their own errors are not asked
/// for their pairs'.
bool belong_together(const Measured& before, const Measured& after, const stats::Sample& first,
                     const stats::Sample& second) {
  const std::size_t runs = before.seeds.size();
  const std::size_t values = first.values.size();
  if (!std::isnan(first.error) && !std::isnan(second.error)) return false;
  return before.seeds == after.seeds && values >= 2 && values == second.values.size() &&
         (values == runs || values == stats::Pool::groups_of(runs));
}

bool counted(const std::string& metric) { return metric == "run.findings" || ends_with(metric, ".refused"); }

/// What hosts have room for is declared, and no matter of chance; nor is it that a run breaks a rule which the one of the same seed
/// kept.
bool certain(const std::string& metric, const Measured& before, const Measured& after) {
  if (ends_with(metric, ".refused")) return true;
  return counted(metric) && before.seeds.size() == 1 && before.seeds == after.seeds;
}

bool same_runs(const Measured& before, const Measured& after) {
  const auto equal = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  return before.seeds == after.seeds && !before.runs.empty() &&
         std::equal(before.runs.begin(), before.runs.end(), after.runs.begin(), after.runs.end(),
                    [&](const auto& a, const auto& b) {
                      return a.first == b.first &&
                             std::equal(a.second.begin(), a.second.end(), b.second.begin(), b.second.end(), equal);
                    });
}

Unjudged too_little(const Measured& before, const Measured& after) {
  const std::size_t fewest = std::min(before.seeds.size(), after.seeds.size());
  if (fewest < 2) return Unjudged::one_run;
  return fewest < stats::fewest_runs ? Unjudged::few_runs : Unjudged::few_beyond;
}

/// By more than the tolerance, also where the two are as near to each other as what is open lets them be.
bool got_worse(const Change& change, const stats::Sample& first, const stats::Sample& second, double tolerance) {
  const auto ends = [](const stats::Sample& one) {
    return one.within.known() ? one.within : Interval{one.figure, one.figure};
  };
  switch (sense_of(change.metric)) {
    case Sense::neither: return false;
    case Sense::more_is_worse: return relative_change(ends(first).high, ends(second).low) > tolerance;
    case Sense::less_is_worse: return relative_change(ends(first).low, ends(second).high) < -tolerance;
  }
  return false;
}

/// Holm asks most of the one with the smallest probability: that it be below what the confidence leaves over all questions.
double visible_change(const Change& change, std::size_t questions, double confidence) {
  const auto& [estimate, open, freedom, probability] = change.difference;
  if (!std::isfinite(estimate.half_width) || change.before == 0) return nothing_measured;
  const double error = estimate.half_width / stats::t_quantile(0.5 + confidence / 2, freedom);
  const double level = (1 - confidence) / (2 * static_cast<double>(questions));
  return (stats::t_quantile(1 - level, freedom) * error + std::max(-open.low, open.high)) / std::abs(change.before);
}

}  // namespace

Sense sense_of(const std::string& metric) {
  if (ends_with(metric, ".throughput") || ends_with(metric, ".bandwidth")) return Sense::less_is_worse;
  if (holds_any(metric, {".latency.", ".response.", ".stage."}) || ends_with(metric, ".full_events") ||
      ends_with(metric, ".refused") || metric == "run.findings" || metric == "run.warnings")
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

bool Comparison::undecided() const {
  return !regressed() && unjudged() != 0 && std::none_of(changes.begin(), changes.end(), [](const Change& change) {
    return change.judged() && !counted(change.metric);
  });
}

std::size_t Comparison::unjudged() const {
  return static_cast<std::size_t>(
      std::count_if(changes.begin(), changes.end(), [](const Change& change) { return !change.judged(); }));
}

Comparison compare(const Side& before, const Side& after, const Tolerance& tolerance) {
  Comparison out;
  std::vector<std::size_t> questions;  // changes that chance can be told from
  std::vector<double> probabilities;
  std::vector<bool> beyond;  // of the changes: worse by more than the tolerance, if they are changes
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
    const bool same = same_runs(first, second);
    bool by_themselves = false;
    if (first.failed + second.failed > 0) out.failing.push_back({point, first.failed, second.failed});
    for (const auto& [metric, sample] : first.figures) {
      const auto other = second.figures.find(metric);
      if (std::isnan(sample.figure)) continue;
      Pair pair{point, metric, before.units.at(metric), sample.figure};
      if (other == second.figures.end() || std::isnan(other->second.figure)) {
        out.lost.push_back(std::move(pair));
        continue;
      }
      pair.after = other->second.figure;
      Change change{std::move(pair), {}};
      change.paired = belong_together(first, second, sample, other->second);
      change.difference =
          (change.paired ? stats::paired_difference : stats::difference)(sample, other->second, tolerance.confidence);
      if (same) {
        change.difference = {.estimate = {0, 0, change.difference.estimate.values}};
        change.visible = 0;
      } else if (certain(metric, first, second)) {
        change.probability = change.after == change.before ? 1 : 0;
      } else if (change.difference.freedom > 0) {
        by_themselves |= !std::isnan(sample.error) || !std::isnan(other->second.error);
        questions.push_back(out.changes.size());
        probabilities.push_back(change.difference.probability);
      } else {
        change.unjudged = too_little(first, second);
      }
      beyond.push_back(got_worse(change, sample, other->second, tolerance.relative));
      out.changes.push_back(std::move(change));
    }
    out.few += by_themselves ? 1 : 0;
    for (const auto& [metric, largest] : first.maxima)
      if (const auto other = second.maxima.find(metric); other != second.maxima.end())
        out.maxima.push_back({point, metric, before.units.at(metric), largest, other->second});
  }
  const std::vector<double> corrected = stats::holm(probabilities);
  for (std::size_t q = 0; q < questions.size(); ++q) {
    Change& change = out.changes[questions[q]];
    change.probability = corrected[q];
    change.visible = visible_change(change, questions.size(), tolerance.confidence);
  }
  for (std::size_t i = 0; i < out.changes.size(); ++i) {
    Change& change = out.changes[i];
    change.significant = change.probability < 1 - tolerance.confidence;
    change.worse = change.significant && beyond[i];
    // Judged by its runs' differences or by what they know of themselves: the probabilities of the others stay as they are.
    if (!change.significant && change.visible > 1)
      change.unjudged = change.difference.freedom < stats::fewest_runs - 1 ? Unjudged::few_runs : Unjudged::unsteady;
  }
  return out;
}

}  // namespace vmbsim::plan
