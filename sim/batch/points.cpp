#include "sim/batch/points.hpp"

#include <algorithm>

#include "sim/report/grouping.hpp"
#include "sim/sweep/quantity.hpp"

namespace vmbsim::batch {
namespace {

/// The one of this name; made when there is none.
template <class Thing, class Make>
Thing& named(std::vector<Thing>& things, const std::string& name, const Make& make) {
  const auto found = std::find_if(things.begin(), things.end(), [&](const Thing& one) { return one.name == name; });
  return found != things.end() ? *found : things.emplace_back(make());
}

/// Those of all instances of a template together, where there are several.
std::vector<NamedHistogram> templates(const std::vector<NamedHistogram>& histograms) {
  std::vector<NamedHistogram> all;
  for (const report::Group<NamedHistogram>& group : report::group(histograms)) {
    if (group.items.size() < 2) continue;
    NamedHistogram& sum = all.emplace_back(NamedHistogram{group.name, {}});
    for (const NamedHistogram* one : group.items) sum.histogram.merge(one->histogram);
  }
  return all;
}

void add(PointRuns& point, std::size_t runs, const Wanted& wanted, const Figures& figures) {
  for (const report::Metric& metric : figures.metrics)
    if (wanted.metric(metric.name)) {
      RunValues& of = named(point.metrics, metric.name,
                            [&] { return RunValues{.name = metric.name, .unit = metric.unit, .values = {}}; });
      of.values.push_back(metric.value);
      of.intervals.push_back(metric.interval);
    }
  for (const auto& histograms : {figures.histograms, templates(figures.histograms)})
    for (const NamedHistogram& one : histograms)
      if (wanted.latency(one.name))
        named(point.latencies, one.name, [&] { return Latency{one.name, stats::Pool(runs)}; }).pool.add(one.histogram);
}

}  // namespace

std::string name_of(const Campaign& campaign, const PointRuns& point) {
  std::string text;
  for (std::size_t i = 0; i < point.parameters.size(); ++i)
    if (!point.parameters[i].empty())
      text += (text.empty() ? "" : " ") + campaign.parameters[i] + "=" + point.parameters[i];
  return text;
}

std::map<std::string, std::string> values_of(const Campaign& campaign, const PointRuns& point) {
  std::map<std::string, std::string> values;
  for (std::size_t i = 0; i < point.parameters.size(); ++i)
    if (!point.parameters[i].empty()) values[campaign.parameters[i]] = sweep::canonical(point.parameters[i]);
  return values;
}

std::optional<Problem> each_point(const Runs& runs, const Wanted& wanted,
                                  const std::function<bool(const PointRuns&)>& take) {
  std::size_t next = 0;
  while (next < runs.size()) {
    PointRuns point;
    point.parameters = runs.head(next).parameters;
    std::size_t end = next;
    std::size_t many = 0;
    for (; end < runs.size() && runs.head(end).parameters == point.parameters; ++end)
      many += done(runs.head(end).status) ? 1 : 0;
    for (; next < end; ++next) {
      if (!done(runs.head(next).status)) {
        ++point.failed;
        continue;
      }
      const auto read = runs.at(next);
      if (const auto* wrong = std::get_if<Problem>(&read)) return *wrong;
      const auto& record = std::get<Record>(read);
      point.seeds.push_back(record.seed);
      add(point, many, wanted, record.figures);
    }
    if (!take(point)) break;
  }
  return std::nullopt;
}

}  // namespace vmbsim::batch
