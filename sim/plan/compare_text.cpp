#include <fmt/format.h>
#include <tinyxml2.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/config/suggestions.hpp"
#include "sim/plan/compare.hpp"

namespace vmbsim::plan {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t changes_shown = 40;

std::string relative_text(double relative) {
  return std::isfinite(relative) ? fmt::format("{:+.1f} %", 100 * relative) : "from 0";
}

std::string point_of(const Change& change) { return change.point.empty() ? "the only point" : change.point; }

/// "channel.disk.latency.p99 1.20 ms -> 1.50 ms (+25.0 %, 95 % sure of +280 us .. +320 us)"
std::string change_text(const Change& change, const Tolerance& tolerance) {
  const auto figure = [&](double value) { return report::metric_text(value, change.unit); };
  const auto signed_figure = [&](double value) { return (value < 0 ? "-" : "+") + figure(std::abs(value)); };
  const Interval interval = change.difference.estimate.interval();
  std::string text = fmt::format("{} {} -> {} ({}", change.metric, figure(change.before), figure(change.after),
                                 relative_text(change.relative()));
  if (interval.known())
    text += fmt::format(", {:g} % sure of {} .. {}", 100 * tolerance.confidence, signed_figure(interval.low),
                        signed_figure(interval.high));
  return text + ")";
}

std::size_t count(const Comparison& comparison, bool Change::*what) {
  return static_cast<std::size_t>(std::count_if(comparison.changes.begin(), comparison.changes.end(),
                                                [&](const Change& change) { return change.*what; }));
}

std::string counted(std::size_t count, const char* one, const char* many) { return config::counted(count, one, many); }

Json json_of(const Change& change) {
  const Interval interval = change.difference.estimate.interval();
  return {{"point", change.point},
          {"metric", change.metric},
          {"unit", report::name_of(change.unit)},
          {"before", change.before},
          {"after", change.after},
          {"relative", std::isfinite(change.relative()) ? Json(change.relative()) : Json(nullptr)},
          {"difference", interval.known() ? Json{interval.low, interval.high} : Json(nullptr)},
          {"paired", change.paired},
          {"probability", change.probability},
          {"significant", change.significant},
          {"worse", change.worse}};
}

}  // namespace

std::string comparison_text(const Comparison& comparison, const Tolerance& tolerance) {
  std::vector<const Change*> shown;
  for (const Change& change : comparison.changes)
    if (change.significant) shown.push_back(&change);
  std::stable_sort(shown.begin(), shown.end(), [](const Change* a, const Change* b) {
    return std::make_pair(!a->worse, -std::abs(a->relative())) < std::make_pair(!b->worse, -std::abs(b->relative()));
  });
  std::string text;
  for (std::size_t i = 0; i < std::min(shown.size(), changes_shown); ++i)
    text += fmt::format("{}  {}: {}\n", shown[i]->worse ? "worse  " : "changed", point_of(*shown[i]),
                        change_text(*shown[i], tolerance));
  if (shown.size() > changes_shown) text += fmt::format("and {} more\n", shown.size() - changes_shown);
  for (const std::string& point : comparison.only_before) text += "only in the first: " + point + "\n";
  for (const std::string& point : comparison.only_after) text += "only in the second: " + point + "\n";
  if (comparison.single != 0)
    text += fmt::format("{} with one run on a side: chance cannot be told from change there\n",
                        counted(comparison.single, "point", "points"));
  return text + fmt::format("{} compared: {} changed, {} worse by more than {:g} %\n",
                            counted(comparison.changes.size(), "figure", "figures"),
                            count(comparison, &Change::significant), count(comparison, &Change::worse),
                            100 * tolerance.relative);
}

std::string comparison_json(const Comparison& comparison, const Tolerance& tolerance) {
  Json changes = Json::array();
  for (const Change& change : comparison.changes) changes.push_back(json_of(change));
  const Json all = {{"schema", 1},
                    {"tolerance", tolerance.relative},
                    {"confidence", tolerance.confidence},
                    {"regressed", comparison.regressed()},
                    {"changes", changes},
                    {"only_before", comparison.only_before},
                    {"only_after", comparison.only_after}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string comparison_junit(const Comparison& comparison, const Tolerance& tolerance) {
  tinyxml2::XMLPrinter page;
  page.PushHeader(false, true);
  page.OpenElement("testsuites");
  page.OpenElement("testsuite");
  page.PushAttribute("name", "vmbsim compare");
  page.PushAttribute("tests", static_cast<std::uint64_t>(comparison.changes.size()));
  page.PushAttribute("failures", static_cast<std::uint64_t>(count(comparison, &Change::worse)));
  for (const Change& change : comparison.changes) {
    page.OpenElement("testcase");
    page.PushAttribute("classname", point_of(change).c_str());
    page.PushAttribute("name", change.metric.c_str());
    if (change.worse) {
      page.OpenElement("failure");
      page.PushAttribute("message", change_text(change, tolerance).c_str());
      page.CloseElement();
    }
    page.CloseElement();
  }
  page.CloseElement();
  page.CloseElement();
  return std::string(page.CStr()) + "\n";
}

}  // namespace vmbsim::plan
