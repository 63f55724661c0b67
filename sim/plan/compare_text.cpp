#include <fmt/format.h>
#include <tinyxml2.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "sim/config/suggestions.hpp"
#include "sim/plan/compare.hpp"

namespace vmbsim::plan {

namespace {

using Json = nlohmann::ordered_json;

constexpr Unjudged reasons[] = {Unjudged::one_run, Unjudged::few_runs, Unjudged::few_beyond, Unjudged::unsteady};

std::string relative_text(double relative) {
  return std::isfinite(relative) ? fmt::format("{:+.1f} %", 100 * relative) : "from 0";
}

std::string named(const std::string& point) { return point.empty() ? "the only point" : point; }

std::string failing_text(const Failing& one) {
  return fmt::format("{} failed, before {}", config::counted(one.after, "run", "runs"), one.before);
}

/// "channel.disk.latency.p99 1.20 ms -> 1.50 ms (+25.0 %, 95 % sure of +280 us .. +320 us)"
std::string change_text(const Change& change, const Tolerance& tolerance) {
  const auto figure = [&](double value) { return report::metric_text(value, change.unit); };
  const auto signed_figure = [&](double value) { return (value < 0 ? "-" : "+") + figure(std::abs(value)); };
  const Interval interval = change.difference.interval();
  std::string text = fmt::format("{} {} -> {} ({}", change.metric, figure(change.before), figure(change.after),
                                 relative_text(change.relative()));
  if (interval.known())
    text += fmt::format(", {:g} % sure of {} .. {}", 100 * tolerance.confidence, signed_figure(interval.low),
                        signed_figure(interval.high));
  return text + ")";
}

/// "12 %", "1.3 %", "0.0086 %"
std::string percent_text(double share) {
  if (share < 0.01) return fmt::format("{:.2g} %", 100 * share);
  return fmt::format("{:.{}f} %", 100 * share, 100 * share < 9.95 ? 1 : 0);
}

/// How small a change would have shown where none did; empty where chance could be told nowhere.
std::string visible_text(const Comparison& comparison, const Tolerance& tolerance) {
  std::vector<const Change*> known;
  bool others = false;
  for (const Change& change : comparison.changes) {
    const bool chance_told = change.judged() && change.visible > 0;  // not the same in every run
    if (chance_told && !change.significant) known.push_back(&change);
    others |= change.significant;
  }
  if (known.empty()) return "";
  std::sort(known.begin(), known.end(), [](const Change* a, const Change* b) { return a->visible < b->visible; });
  const Change& least_sure = *known.back();
  std::string text;
  if (known.size() == 1)
    text = fmt::format("a change{} below {} could not have been seen", others ? " of " + least_sure.metric : "",
                       percent_text(least_sure.visible));
  else
    text = fmt::format("changes below {} could not have been seen in half of {}, below {} in {}, the least sure",
                       percent_text(known[known.size() / 2]->visible), others ? "the others" : "them",
                       percent_text(least_sure.visible), least_sure.metric);
  const auto unsure = std::count_if(known.begin(), known.end(),
                                    [&](const Change* change) { return change->visible > tolerance.relative; });
  if (unsure != 0)
    text += fmt::format("; {} may be worse by {:g} % unseen: more runs of a point (repeat) show smaller changes",
                        unsure, 100 * tolerance.relative);
  return text + "\n";
}

/// Those that were not judged for one reason, the one that moved most first.
std::vector<const Change*> unjudged(const Comparison& comparison, Unjudged why) {
  std::vector<const Change*> found;
  for (const Change& change : comparison.changes)
    if (change.unjudged == why) found.push_back(&change);
  std::stable_sort(found.begin(), found.end(),
                   [](const Change* a, const Change* b) { return std::abs(a->relative()) > std::abs(b->relative()); });
  return found;
}

/// What more runs would mend: for each reason the figures of which too little is known, and the one that moved most.
std::string unjudged_text(const Comparison& comparison) {
  std::string text;
  for (const Unjudged why : reasons) {
    const auto found = unjudged(comparison, why);
    if (found.empty()) continue;
    const Change& most = *found.front();
    text += fmt::format("{} of {} could not be judged: {}; ", found.size(),
                        config::counted(comparison.changes.size(), "figure", "figures"), reason_of(why));
    text += most.relative() == 0
                ? "none of them moved\n"
                : fmt::format("most moved {}: {} {} -> {} ({})\n", named(most.point), most.metric,
                              report::metric_text(most.before, most.unit), report::metric_text(most.after, most.unit),
                              relative_text(most.relative()));
  }
  return text;
}

std::string lost_text(const Pair& lost) {
  return fmt::format("{} {} -> nothing measured", lost.metric, report::metric_text(lost.before, lost.unit));
}

std::string maximum_text(const Pair& one) {
  return fmt::format("{}: {} {} -> {} ({})", named(one.point), one.metric, report::metric_text(one.before, one.unit),
                     report::metric_text(one.after, one.unit), relative_text(one.relative()));
}

/// The maximum that moved most, or each that moved.
std::string maxima_text(const Comparison& comparison, Detail detail) {
  const auto moved = [](const Pair& one) { return std::abs(one.relative()); };
  const Pair* most = nullptr;
  std::string text;
  for (const Pair& one : comparison.maxima) {
    if (moved(one) == 0) continue;
    if (most == nullptr || moved(one) > moved(*most)) most = &one;
    if (detail == Detail::all) text += "not judged  " + maximum_text(one) + "\n";
  }
  if (detail == Detail::all || most == nullptr) return text;
  return fmt::format("of {}, which single packets decide and nobody judges, most moved {}\n",
                     config::counted(comparison.maxima.size(), "maximum", "maxima"), maximum_text(*most));
}

std::size_t count(const Comparison& comparison, bool Change::*what) {
  return static_cast<std::size_t>(std::count_if(comparison.changes.begin(), comparison.changes.end(),
                                                [&](const Change& change) { return change.*what; }));
}

std::size_t failing_more(const Comparison& comparison) {
  return static_cast<std::size_t>(std::count_if(comparison.failing.begin(), comparison.failing.end(),
                                                [](const Failing& one) { return one.worse(); }));
}

Json json_of(const Change& change) {
  const Interval interval = change.difference.interval();
  return {{"point", change.point},
          {"metric", change.metric},
          {"unit", report::name_of(change.unit)},
          {"before", change.before},
          {"after", change.after},
          {"relative", std::isfinite(change.relative()) ? Json(change.relative()) : Json(nullptr)},
          {"difference", interval.known() ? Json{interval.low, interval.high} : Json(nullptr)},
          {"paired", change.paired},
          {"judged", change.judged()},
          {"unjudged", change.judged() ? Json(nullptr) : Json(reason_of(change.unjudged))},
          {"probability", change.probability},
          {"significant", change.significant},
          {"visible", std::isfinite(change.visible) ? Json(change.visible) : Json(nullptr)},
          {"worse", change.worse}};
}

/// Changes of one metric and one verdict, the largest first; or figures of one metric that are measured no more.
template <class Of>
struct Alike {
  std::vector<const Of*> all;
  const Of& first() const { return *all.front(); }

  /// "channel.disk.latency.p99 at 3 of 4 points, most at depth=8"; the point alone where there is one.
  std::string where(std::size_t points, const char* most) const {
    if (all.size() == 1) return named(first().point);
    return fmt::format("{} of {} points, {} {}", all.size(), points, most, named(first().point));
  }
};

/// In the order of their first ones. `grouped`: else each stands alone.
template <class Of, class Same>
std::vector<Alike<Of>> alike(const std::vector<const Of*>& sorted, bool grouped, Same same) {
  std::vector<Alike<Of>> groups;
  for (const Of* one : sorted) {
    const auto found = std::find_if(groups.begin(), groups.end(),
                                    [&](const Alike<Of>& group) { return grouped && same(group.first(), *one); });
    (found == groups.end() ? groups.emplace_back() : *found).all.push_back(one);
  }
  return groups;
}

}  // namespace

const char* reason_of(Unjudged why) {
  switch (why) {
    case Unjudged::no: return "";
    case Unjudged::one_run:
      return "one run on a side is too short to know its own error; right would be repeat = 5 in [sweep], or longer "
             "runs";
    case Unjudged::few_runs:
      return "too few runs on a side, which do not know their own errors; right would be repeat = 5 in [sweep], or "
             "longer runs";
    case Unjudged::few_beyond:
      return "too few packets lie beyond a percentile; right would be longer runs, or more of them (repeat in [sweep])";
    case Unjudged::unsteady:
      return "not even twice as much would have shown; right would be longer runs, or more of them (repeat in [sweep])";
  }
  return "";
}

const char* unjudged_reason(const Comparison& comparison) {
  return reason_of(*std::max_element(std::begin(reasons), std::end(reasons), [&](Unjudged a, Unjudged b) {
    return unjudged(comparison, a).size() < unjudged(comparison, b).size();
  }));
}

std::string comparison_text(const Comparison& comparison, const Tolerance& tolerance, Detail detail) {
  const bool grouped = detail == Detail::by_metric;
  std::vector<const Change*> shown;
  for (const Change& change : comparison.changes)
    if (change.significant) shown.push_back(&change);
  std::stable_sort(shown.begin(), shown.end(), [](const Change* a, const Change* b) {
    return std::make_pair(!a->worse, -std::abs(a->relative())) < std::make_pair(!b->worse, -std::abs(b->relative()));
  });
  std::vector<const Pair*> lost;
  for (const Pair& one : comparison.lost) lost.push_back(&one);
  std::string text;
  for (const Failing& one : comparison.failing)
    text += fmt::format("{}  {}: {}\n", one.worse() ? "worse  " : "failed ", named(one.point), failing_text(one));
  for (const auto& group : alike(lost, grouped, [](const Pair&a, const Pair&b) { return a.metric == b.metric; }))
    text += fmt::format("worse    {}: {}\n", group.where(comparison.matched, "first at"), lost_text(group.first()));
  for (const auto& group : alike(shown, grouped, [](const Change&a, const Change&b) {
         return a.metric == b.metric && a.worse == b.worse && (a.relative() > 0) == (b.relative() > 0);
       }))
    text += fmt::format("{}  {}: {}\n", group.first().worse ? "worse  " : "changed",
                        group.where(comparison.matched, "most at"), change_text(group.first(), tolerance));
  for (const std::string& point : comparison.only_before) text += "only in the first: " + named(point) + "\n";
  for (const std::string& point : comparison.only_after) text += "only in the second: " + named(point) + "\n";
  if (comparison.few != 0)
    text += fmt::format(
        "{} with fewer than {} runs on a side, judged by what these know of themselves: repeat = {} shows more\n",
        config::counted(comparison.few, "point", "points"), stats::fewest_runs, stats::fewest_runs);
  text += unjudged_text(comparison);
  const std::size_t gone = comparison.lost.size();
  text += fmt::format("{} compared: {} changed, {} worse by more than {:g} %",
                      config::counted(comparison.changes.size() + gone, "figure", "figures"),
                      count(comparison, &Change::significant) + gone, count(comparison, &Change::worse) + gone,
                      100 * tolerance.relative);
  if (gone != 0) text += fmt::format(", {} of them measured no more", gone);
  if (const std::size_t failing = failing_more(comparison); failing != 0)
    text +=
        fmt::format("; more runs fail at {} of {}", failing, config::counted(comparison.matched, "point", "points"));
  return text + "\n" + visible_text(comparison, tolerance) + maxima_text(comparison, detail);
}

std::string comparison_json(const Comparison& comparison, const Tolerance& tolerance) {
  Json changes = Json::array();
  for (const Change& change : comparison.changes) changes.push_back(json_of(change));
  Json failing = Json::array();
  for (const Failing& one : comparison.failing)
    failing.push_back({{"point", one.point}, {"before", one.before}, {"after", one.after}, {"worse", one.worse()}});
  Json lost = Json::array();
  for (const Pair& one : comparison.lost)
    lost.push_back({{"point", one.point}, {"metric", one.metric}, {"before", one.before}});
  Json maxima = Json::array();
  for (const Pair& one : comparison.maxima)
    maxima.push_back({{"point", one.point},
                      {"metric", one.metric},
                      {"unit", report::name_of(one.unit)},
                      {"before", one.before},
                      {"after", one.after}});
  const Json all = {{"schema", 1},
                    {"tolerance", tolerance.relative},
                    {"confidence", tolerance.confidence},
                    {"regressed", comparison.regressed()},
                    {"undecided", comparison.undecided()},
                    {"unjudged", comparison.unjudged()},
                    {"matched", comparison.matched},
                    {"changes", changes},
                    {"failing", failing},
                    {"lost", lost},
                    {"maxima", maxima},
                    {"only_before", comparison.only_before},
                    {"only_after", comparison.only_after}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string comparison_junit(const Comparison& comparison, const Tolerance& tolerance) {
  tinyxml2::XMLPrinter page;
  // A failure's text stands in the attribute that lists show, and again where details are looked for.
  const auto add = [&](const std::string& point, const std::string& name, const char* verdict,
                       const std::string& text) {
    page.OpenElement("testcase");
    page.PushAttribute("classname", named(point).c_str());
    page.PushAttribute("name", name.c_str());
    page.PushAttribute("time", "0");
    if (verdict != nullptr) {
      page.OpenElement(verdict);
      page.PushAttribute("message", text.c_str());
      if (std::string_view(verdict) == "failure") {
        page.PushAttribute("type", "regression");
        page.PushText(text.c_str());
      }
      page.CloseElement();
    }
    page.CloseElement();
  };
  const std::size_t skipped = comparison.only_before.size() + comparison.only_after.size() + comparison.unjudged();
  const auto failures = count(comparison, &Change::worse) + comparison.lost.size() + failing_more(comparison);
  page.PushHeader(false, true);
  for (const char* element : {"testsuites", "testsuite"}) {
    page.OpenElement(element);
    page.PushAttribute("name", "vmbsim compare");
    page.PushAttribute("tests", static_cast<std::uint64_t>(comparison.changes.size() + comparison.lost.size() +
                                                           comparison.failing.size() + comparison.only_before.size() +
                                                           comparison.only_after.size()));
    page.PushAttribute("failures", static_cast<std::uint64_t>(failures));
    page.PushAttribute("errors", 0);
    page.PushAttribute("skipped", static_cast<std::uint64_t>(skipped));
    page.PushAttribute("time", "0");
  }
  for (const Failing& one : comparison.failing)
    add(one.point, "runs", one.worse() ? "failure" : nullptr, failing_text(one));
  for (const Change& change : comparison.changes)
    add(change.point, change.metric,
        change.worse      ? "failure"
        : change.judged() ? nullptr
                          : "skipped",
        change.judged() ? change_text(change, tolerance)
                        : change_text(change, tolerance) + " cannot be judged: " + reason_of(change.unjudged));
  for (const Pair& one : comparison.lost) add(one.point, one.metric, "failure", lost_text(one));
  for (const std::string& point : comparison.only_before) add(point, "runs", "skipped", "only in the first campaign");
  for (const std::string& point : comparison.only_after) add(point, "runs", "skipped", "only in the second campaign");
  page.CloseElement();
  page.CloseElement();
  return std::string(page.CStr()) + "\n";
}

}  // namespace vmbsim::plan
