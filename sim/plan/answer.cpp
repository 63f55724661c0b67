#include "sim/plan/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/plan/reason.hpp"

namespace vmbsim::plan {

namespace {

using Json = nlohmann::ordered_json;

std::string percent(double confidence) { return fmt::format("{:.4g} %", confidence * 100); }

std::string all_of(const std::vector<Bound>& bounds) {
  std::string text;
  for (const Bound& bound : bounds)
    text += fmt::format("{}{} {}", text.empty() ? "" : " and ", bound.metric, bound.text);
  return text;
}

/// In more than which share of runs "=" holds, where it held in all there were: n equal ones come with probability share^n.
double share_kept(const Question& question, const Visited& kept) {
  const double error = 1 - (kept.limits.confidence > 0 ? kept.limits.confidence : question.range.confidence);
  return std::pow(error, 1 / static_cast<double>(kept.outcomes.size()));
}

std::string names_of(const Question& question, const std::vector<std::size_t>& bounds) {
  std::string text;
  for (const std::size_t bound : bounds) text += (text.empty() ? "" : " and ") + question.bounds[bound].metric;
  return text;
}

/// What the runs of a point that holds show, and how sure that is. Of "=" never that no run differs.
std::string kept_text(const Question& question, const Visited& kept) {
  const std::string sure = percent(question.range.confidence) + " sure";
  const bool some = kept.too_close.size() < question.bounds.size();
  std::string text;
  for (const Bound& bound : question.bounds) {
    text += fmt::format("{}{} ", text.empty() ? "" : " and ", bound.metric);
    if (bound.demand == Demand::equal)
      text += fmt::format("is {} in more than {:.0f} % of runs (all {} here)", bound.text,
                          std::floor(100 * share_kept(question, kept)), kept.outcomes.size());
    else
      text += "stays " + bound.text;
  }
  if (kept.sure) return sure + " that " + text;
  return fmt::format("likely, but too close to be {}{}, that {}", sure,
                     some && !kept.too_close.empty() ? " of " + names_of(question, kept.too_close) : "", text);
}

/// What is missing at an untold point.
std::string nothing_to_tell(const Question& question, const Visited& untold) {
  if (!untold.reason.empty()) return untold.reason;
  return fmt::format(
      "{} has no value in {}: nothing was measured; right would be a longer run_for, a shorter warm_up, or a larger "
      "load",
      question.bounds[untold.tightest].metric,
      untold.outcomes.size() == 1 ? "its run" : fmt::format("its {} runs", untold.outcomes.size()));
}

/// Whether waiting and what is used up explain it: a time, or how busy something is.
bool hangs_on_load(const Bound& bound) {
  return bound.unit == report::Unit::nanoseconds || bound.unit == report::Unit::fraction;
}

/// "2.60 ms, because host.cpu0 saturates: ..."; of what does not hang on load the figure alone.
std::string why(const Question& question, const Found& found, const Visited& broken) {
  if (!broken.reason.empty()) return broken.reason;
  const Bound& bound = question.bounds[broken.tightest];
  std::string text = report::metric_text(pooled(bound, broken, broken.tightest).figure, bound.unit);
  if (question.bounds.size() > 1) text = bound.metric + " is " + text;
  if (!hangs_on_load(bound)) return text;
  const Visited* kept = found.answer ? found.at(*found.answer) : nullptr;
  const std::string because = reason(kept ? averaged(kept->outcomes) : Figures{}, averaged(broken.outcomes));
  return text + (because.empty() ? "; nothing that was measured tells why" : ", because " + because);
}

/// "1.38 ms (1.31 ms .. 1.45 ms)"; where no run differs "1.38 ms", where few samples show one end alone "1.38 ms (above 1.31 ms)".
std::string figure_text(const Pooled& found, report::Unit unit) {
  const auto [low, high] = found.interval;
  std::string text = report::metric_text(found.figure, unit);
  const auto end = [&](double value) { return report::metric_text(value, unit); };
  if (found.interval.known() && low < high)
    text += fmt::format(" ({} .. {})", end(low), end(high));
  else if (!std::isnan(low) && std::isnan(high))
    text += fmt::format(" (above {})", end(low));
  else if (std::isnan(low) && !std::isnan(high))
    text += fmt::format(" (below {})", end(high));
  return text;
}

/// What a point that likely breaks leaves undecided: "channel.disk.latency.p99 is 2.01 ms (1.98 ms .. 2.05 ms)".
std::string close_text(const Question& question, const Visited& broken) {
  std::string text;
  for (const std::size_t bound : broken.too_close)
    text += fmt::format("{}{} is {}", text.empty() ? "" : " and ", question.bounds[bound].metric,
                        figure_text(pooled(question.bounds[bound], broken, bound), question.bounds[bound].unit));
  return text;
}

const char* verdict_text(const Visited& visited) {
  switch (visited.verdict) {
    case Verdict::holds: return "holds ";
    case Verdict::breaks: return "breaks";
    case Verdict::untold: return "untold";
  }
  return "";
}

/// Why a point took many runs: each has too few packets for its percentile.
std::string too_few_packets(const Question& question, const Found& found) {
  constexpr double enough_beyond = 10;
  const Visited* longest = nullptr;
  for (const Visited& visited : found.visited)
    if (visited.outcomes.size() > question.range.first_runs &&
        (longest == nullptr || visited.outcomes.size() > longest->outcomes.size()))
      longest = &visited;
  if (longest == nullptr || longest->verdict == Verdict::untold) return "";
  const Bound& bound = question.bounds[longest->tightest];
  double samples = 0;
  for (const Outcome& outcome : longest->outcomes) samples += report::number(outcome.times[longest->tightest].count());
  samples /= static_cast<double>(longest->outcomes.size());
  if (!bound.share || samples * (1 - *bound.share) >= enough_beyond) return "";
  return fmt::format(
      "  {} = {} took {} runs: one measures {:.0f} packets, of which {:.2g} lie beyond {}; longer ones would need "
      "fewer\n",
      question.key, question.value(longest->index), longest->outcomes.size(), samples, samples * (1 - *bound.share),
      bound.metric);
}

/// What the search took for granted, and where it looked whether it is so.
std::string assumption(const Question& question, const Found& found) {
  std::string looked;
  for (const Visited& visited : found.visited)
    if (visited.only_looked_at)
      looked += fmt::format("{}{}", looked.empty() ? "" : " and at ", question.value(visited.index));
  std::string text = fmt::format("  taken for granted: what keeps the objective at one value keeps it at every {} one",
                                 question.maximise ? "smaller" : "larger");
  if (!looked.empty()) text += "; looked at " + looked + " for that";
  return text + "\n";
}

}  // namespace

Pooled pooled(const Bound& bound, const Visited& visited, std::size_t which) {
  std::vector<const Outcome*> told;
  for (const Outcome& outcome : visited.outcomes)
    if (outcome.missing.empty()) told.push_back(&outcome);
  Shown shown;
  Histogram all;
  for (const Outcome* outcome : told) {
    shown.values.push_back(outcome->values[which]);
    all.merge(outcome->times[which]);
  }
  if (all.count() != 0)
    for (const Outcome* outcome : told) shown.times.push_back(&outcome->times[which]);
  Pooled out;
  if (all.count() != 0)
    out.figure = bound.share ? all.quantile_ns(*bound.share) : all.mean_ns();
  else if (!told.empty())
    out.figure = stats::mean_of(shown.values, interval_confidence).mean;
  if (!std::isnan(out.figure)) out.interval = left_by(visited.limits, bound, shown);
  if (out.interval.low < 0) out.interval.low = 0;  // as no metric is
  if (bound.unit == report::Unit::fraction && out.interval.high > 1) out.interval.high = 1;
  return out;
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

bool breached(const Visited& visited) { return visited.verdict == Verdict::breaks && !visited.reason.empty(); }

bool answered(const Found& found) {
  const Visited* next = found.broken();
  return found.answer && found.contrary() == nullptr && (next == nullptr || next->verdict == Verdict::breaks);
}

std::string sentence(const Question& question, const Found& found) {
  const Visited* broken = found.broken();
  const std::string where = question.others.empty() ? "" : "with " + question.others + ": ";
  const auto at = [&](const Visited& visited) { return question.key + " = " + question.value(visited.index); };
  if (const Visited* contrary = found.contrary()) {
    const bool holds = contrary->verdict == Verdict::holds;
    const Visited* const other = holds || !found.answer ? broken : found.at(*found.answer);
    const auto told = [&](const Visited& visited, bool kept) {
      const std::string breach = kept || visited.reason.empty() ? "" : fmt::format(" ({})", visited.reason);
      return fmt::format("{} at {}{}", kept ? "holds" : "breaks", question.value(visited.index), breach);
    };
    return fmt::format(
        "{}no answer: {} {} and {}; it does not go one way with {}, which is what a search takes for granted, so look "
        "at single values, as batch does",
        where, all_of(question.bounds), told(*other, !holds), told(*contrary, holds), question.key);
  }
  const bool untold = broken != nullptr && broken->verdict == Verdict::untold;
  if (!found.answer && untold)
    return fmt::format("{}no answer: {}: {}", where, at(*broken), nothing_to_tell(question, *broken));
  const bool close = broken != nullptr && !broken->sure && !broken->too_close.empty();
  if (!found.answer && close)
    return fmt::format("{}whether even {} keeps {} is too close to call: {}", where, at(*broken),
                       all_of(question.bounds), close_text(question, *broken));
  if (!found.answer)
    return fmt::format("{}not even {} keeps {}: {}", where, at(*broken), all_of(question.bounds),
                       why(question, found, *broken));
  std::string text = fmt::format("{}{} = {}: {}", where, question.key, question.value(*found.answer),
                                 kept_text(question, *found.at(*found.answer)));
  if (broken == nullptr) return text + "; it is the last that was asked for";
  if (untold)
    return fmt::format("{}; whether it does at {} cannot be told: {}", text, question.value(broken->index),
                       nothing_to_tell(question, *broken));
  if (close)
    return fmt::format("{}; at {} it is too close to call: {}", text, question.value(broken->index),
                       close_text(question, *broken));
  return fmt::format("{}; at {} it breaks: {}", text, question.value(broken->index), why(question, found, *broken));
}

std::string points_text(const Question& question, const Found& found) {
  std::vector<const Visited*> sorted;
  for (const Visited& visited : found.visited) sorted.push_back(&visited);
  std::sort(sorted.begin(), sorted.end(), [](const Visited* a, const Visited* b) { return a->index < b->index; });
  std::string text;
  for (const Visited* visited : sorted) {
    text += fmt::format("  {} = {:<10} {:>4} runs  {}", question.key, question.value(visited->index),
                        visited->outcomes.size(), verdict_text(*visited));
    if (visited->verdict == Verdict::untold) {
      text += "  " + nothing_to_tell(question, *visited) + "\n";
      continue;
    }
    if (!visited->sure) text += visited->only_looked_at ? " (only looked at)" : " (too close to call)";
    for (std::size_t i = 0; i < question.bounds.size(); ++i)
      text += fmt::format("  {} {}", question.bounds[i].metric,
                          figure_text(pooled(question.bounds[i], *visited, i), question.bounds[i].unit));
    if (!visited->reason.empty())
      text += "  " + visited->reason;
    else if (visited->limits.confidence > 0)
      text += fmt::format("  at {}", percent(visited->limits.confidence));
    text += "\n";
  }
  return text + assumption(question, found) + too_few_packets(question, found);
}

std::string answer_json(const Question& question, const Found& found) {
  Json bounds = Json::array();
  for (const Bound& bound : question.bounds)
    bounds.push_back({{"metric", bound.metric}, {"demand", bound.text}, {"unit", report::name_of(bound.unit)}});
  Json points = Json::array();
  for (const Visited& visited : found.visited) {
    Json values = Json::object();
    Json intervals = Json::object();
    Json shares = Json::object();
    for (std::size_t i = 0; i < question.bounds.size(); ++i) {
      const auto [figure, interval] = pooled(question.bounds[i], visited, i);
      values[question.bounds[i].metric] = figure;  // null where nothing was measured
      intervals[question.bounds[i].metric] = {interval.low, interval.high};
      if (question.bounds[i].demand == Demand::equal && visited.verdict == Verdict::holds)
        shares[question.bounds[i].metric] = share_kept(question, visited);
    }
    const bool untold = visited.verdict == Verdict::untold;
    Json point = {{"value", question.value(visited.index)},
                  {"runs", visited.outcomes.size()},
                  {"holds", untold ? Json(nullptr) : Json(visited.verdict == Verdict::holds)},
                  {"sure", visited.sure},
                  {"only_looked_at", visited.only_looked_at},
                  {"tightest", question.bounds[visited.tightest].metric},
                  {"metrics", values},
                  {"intervals", intervals},
                  {"confidence", visited.limits.confidence},
                  {"figures", averaged(visited.outcomes)}};
    if (!shares.empty()) point["shares"] = shares;
    if (!visited.too_close.empty()) {
      Json close = Json::array();
      for (const std::size_t bound : visited.too_close) close.push_back(question.bounds[bound].metric);
      point["too_close"] = std::move(close);
    }
    const std::string text = untold ? nothing_to_tell(question, visited) : visited.reason;
    if (!text.empty()) point["reason"] = text;
    points.push_back(std::move(point));
  }
  Json answer = {{"key", question.key},
                 {"answer", answered(found) ? Json(question.value(*found.answer)) : Json(nullptr)},
                 {"sure", answered(found) && found.sure()},
                 {"confidence", question.range.confidence},
                 {"runs", found.runs},
                 {"sentence", sentence(question, found)},
                 {"bounds", bounds},
                 {"points", points}};
  if (!question.others.empty()) answer["others"] = question.others;
  return answer.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vmbsim::plan
