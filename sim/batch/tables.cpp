#include "sim/batch/tables.hpp"

#include <fmt/format.h>

#include <iterator>
#include <map>

#include "sim/batch/points.hpp"
#include "sim/report/csv.hpp"
#include "sim/report/metrics.hpp"
#include "sim/sweep/quantity.hpp"

namespace vmbsim::batch {
namespace {

using report::csv_field;
using report::csv_figure;

constexpr std::size_t piece = 1 << 16;

std::string parameter_names(const Campaign& campaign) {
  std::string names;
  for (const std::string& name : campaign.parameters) names += csv_field(name) + ",";
  return names;
}

std::string parameter_fields(const std::vector<std::string>& values) {
  std::string fields;
  for (const std::string& value : values) fields += csv_field(sweep::plain_text(value)) + ",";
  return fields;
}

/// Calls `take` with every run that `wanted` says, whole; until it answers false.
std::optional<Problem> each(const Runs& runs, const std::function<bool(const Record&)>& wanted,
                            const std::function<bool(const Record&)>& take) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!wanted(runs.head(i))) continue;
    const auto record = runs.at(i);
    if (const auto* wrong = std::get_if<Problem>(&record)) return *wrong;
    if (!take(std::get<Record>(record))) break;
  }
  return std::nullopt;
}

bool is_done(const Record& record) { return done(record.status); }

/// A table on its way to its sink, a piece at a time.
struct Pieces {
  explicit Pieces(const Sink& to) : sink(to) {}
  std::string text;

  /// Whether more is wanted.
  bool more() {
    if (text.size() < piece) return true;
    const bool go_on = sink(text);
    text.clear();
    return go_on;
  }
  void last() { sink(text); }

 private:
  const Sink& sink;
};

}  // namespace

std::optional<Problem> long_table(const Runs& runs, const Sink& sink) {
  Pieces out(sink);
  out.text = "scenario,key," + parameter_names(runs.campaign()) + "seed,metric,value,unit\n";
  const std::string scenario = csv_field(runs.campaign().scenario);
  auto wrong = each(runs, is_done, [&](const Record& record) {
    const std::string run =
        fmt::format("{},{},{}{}", scenario, record.key.text(), parameter_fields(record.parameters), record.seed.value);
    for (const report::Metric& metric : record.figures.metrics)
      fmt::format_to(std::back_inserter(out.text), "{},{},{},{}\n", run, csv_field(metric.name),
                     csv_figure(metric.value), report::name_of(metric.unit));
    return out.more();
  });
  if (!wrong) out.last();
  return wrong;
}

std::optional<Problem> wide_table(const Runs& runs, const Sink& sink) {
  std::vector<std::string> columns;
  std::map<std::string, std::size_t> places;
  auto wrong = each(runs, is_done, [&](const Record& record) {
    for (const report::Metric& metric : record.figures.metrics)
      if (places.emplace(metric.name, columns.size()).second) columns.push_back(metric.name);
    return true;
  });
  if (wrong) return wrong;
  Pieces out(sink);
  out.text = "scenario,key," + parameter_names(runs.campaign()) + "seed,status,reason,fingerprint";
  for (const std::string& column : columns) out.text += "," + csv_field(column);
  out.text += "\n";
  const std::string scenario = csv_field(runs.campaign().scenario);
  const auto every = [](const Record&) { return true; };
  wrong = each(runs, every, [&](const Record& record) {
    fmt::format_to(std::back_inserter(out.text), "{},{},{}{},{},{},{}", scenario, record.key.text(),
                   parameter_fields(record.parameters), record.seed.value, name_of(record.status),
                   csv_field(record.reason), is_done(record) ? record.figures.fingerprint.text() : "");
    std::vector<std::string> cells(columns.size());
    for (const report::Metric& metric : record.figures.metrics) cells[places[metric.name]] = csv_figure(metric.value);
    for (const std::string& cell : cells) (out.text += ',') += cell;
    out.text += "\n";
    return out.more();
  });
  if (!wrong) out.last();
  return wrong;
}

std::optional<Problem> pooled_table(const Runs& runs, const Sink& sink) {
  Pieces out(sink);
  out.text =
      "scenario," + parameter_names(runs.campaign()) + "runs,latency,count,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns";
  for (const auto& [name, share] : report::figures_of_times)
    fmt::format_to(std::back_inserter(out.text), ",{0}_low_ns,{0}_high_ns", name);
  out.text += "\n";
  const std::string scenario = csv_field(runs.campaign().scenario);
  const Wanted latencies{.metric = [](const std::string&) { return false; },
                         .latency = [](const std::string&) { return true; }};
  const auto wrong = each_point(runs, latencies, [&](const PointRuns& point) {
    const std::string front = fmt::format("{},{}{}", scenario, parameter_fields(point.parameters), point.seeds.size());
    for (const auto& [name, pool] : point.latencies) {
      fmt::format_to(std::back_inserter(out.text), "{},{},{}", front, csv_field(name), pool.all().count());
      for (const auto& [figure, share] : report::figures_of_times)
        fmt::format_to(std::back_inserter(out.text), ",{}", csv_figure(pool.figure(share)));
      const double most = pool.all().count() == 0 ? nothing_measured : report::number(pool.all().max());
      fmt::format_to(std::back_inserter(out.text), ",{}", csv_figure(most));
      for (const auto& [figure, share] : report::figures_of_times) {
        const Interval interval = pool.interval(share, interval_confidence);
        fmt::format_to(std::back_inserter(out.text), ",{},{}", csv_figure(interval.low), csv_figure(interval.high));
      }
      out.text += "\n";
    }
    return out.more();
  });
  if (!wrong) out.last();
  return wrong;
}

}  // namespace vmbsim::batch
