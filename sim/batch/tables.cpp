#include "sim/batch/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "sim/report/csv.hpp"
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

std::string parameter_fields(const Record& record) {
  std::string fields;
  for (const std::string& value : record.parameters) fields += csv_field(sweep::plain_text(value)) + ",";
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

}  // namespace

std::optional<Problem> long_table(const Runs& runs, const Sink& sink) {
  std::string out = "scenario,key," + parameter_names(runs.campaign()) + "seed,metric,value,unit\n";
  const std::string scenario = csv_field(runs.campaign().scenario);
  auto wrong = each(runs, is_done, [&](const Record& record) {
    const std::string run =
        fmt::format("{},{},{}{}", scenario, record.key.text(), parameter_fields(record), record.seed.value);
    for (const report::Metric& metric : record.figures.metrics)
      fmt::format_to(std::back_inserter(out), "{},{},{},{}\n", run, csv_field(metric.name), csv_figure(metric.value),
                     report::name_of(metric.unit));
    if (out.size() < piece) return true;
    const bool more = sink(out);
    out.clear();
    return more;
  });
  if (!wrong) sink(out);
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
  std::string out = "scenario,key," + parameter_names(runs.campaign()) + "seed,status,reason,fingerprint";
  for (const std::string& column : columns) out += "," + csv_field(column);
  out += "\n";
  const std::string scenario = csv_field(runs.campaign().scenario);
  const auto every = [](const Record&) { return true; };
  wrong = each(runs, every, [&](const Record& record) {
    fmt::format_to(std::back_inserter(out), "{},{},{}{},{},{},{}", scenario, record.key.text(),
                   parameter_fields(record), record.seed.value, name_of(record.status), csv_field(record.reason),
                   is_done(record) ? record.figures.fingerprint.text() : "");
    std::vector<std::string> cells(columns.size());
    for (const report::Metric& metric : record.figures.metrics) cells[places[metric.name]] = csv_figure(metric.value);
    for (const std::string& cell : cells) (out += ',') += cell;
    out += "\n";
    if (out.size() < piece) return true;
    const bool more = sink(out);
    out.clear();
    return more;
  });
  if (!wrong) sink(out);
  return wrong;
}

std::optional<Problem> pooled_table(const Runs& runs, const Sink& sink) {
  std::string out = "scenario," + parameter_names(runs.campaign()) +
                    "runs,latency,count,mean_ns,p50_ns,p90_ns,p99_ns,p999_ns,max_ns\n";
  const std::string scenario = csv_field(runs.campaign().scenario);
  std::vector<NamedHistogram> pool;  // of the point that is being read, in the order of its runs
  std::vector<std::string> point;
  std::uint64_t many = 0;
  const auto flush = [&] {
    Record named;
    named.parameters = point;
    for (const NamedHistogram& one : pool) {
      const report::Spread spread = report::spread(one.histogram, one.histogram.mean_ns());
      fmt::format_to(std::back_inserter(out), "{},{}{},{},{},{},{},{},{},{},{}\n", scenario, parameter_fields(named),
                     many, csv_field(one.name), one.histogram.count(), csv_figure(spread.mean), csv_figure(spread.p50),
                     csv_figure(spread.p90), csv_figure(spread.p99), csv_figure(spread.p999), csv_figure(spread.max));
    }
    pool.clear();
    many = 0;
  };
  auto wrong = each(runs, is_done, [&](const Record& record) {
    if (many != 0 && record.parameters != point) flush();
    point = record.parameters;
    ++many;
    for (const NamedHistogram& one : record.figures.histograms) {
      auto at = std::find_if(pool.begin(), pool.end(), [&](const NamedHistogram& p) { return p.name == one.name; });
      if (at == pool.end())
        pool.push_back(one);
      else
        at->histogram.merge(one.histogram);
    }
    return true;
  });
  if (wrong) return wrong;
  flush();
  sink(out);
  return std::nullopt;
}

}  // namespace vmbsim::batch
