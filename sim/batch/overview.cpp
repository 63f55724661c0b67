#include "sim/batch/overview.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

#include "sim/batch/points.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/report/columns.hpp"
#include "sim/report/metrics.hpp"
#include "sim/sweep/quantity.hpp"

namespace vmbsim::batch {
namespace {

/// Which of the rows that were asked for a metric belongs to; none of an instance of a template.
std::optional<std::size_t> row_of(const Asked& asked, std::string_view metric) {
  const bool instance = metric.find('[') != std::string_view::npos && metric.find("[*]") == std::string_view::npos;
  const bool common = metric.rfind("channel.", 0) == 0 || metric.rfind("workload.", 0) == 0;
  for (std::size_t i = 0; i < asked.rows.size(); ++i) {
    if (metric == asked.rows[i]) return i;
    const std::string end = "." + asked.rows[i];
    if (common && !instance && metric.size() > end.size() && metric.substr(metric.size() - end.size()) == end) return i;
  }
  return std::nullopt;
}

/// "channel.web[*].disk.throughput" is named "channel.disk.throughput" where there is one guest.
std::string of_a_single_one(const std::string& metric) {
  const std::size_t star = metric.find("[*].");
  const std::size_t kind = metric.find('.');
  return star == std::string::npos || kind > star ? metric : metric.substr(0, kind + 1) + metric.substr(star + 4);
}

struct Line {
  std::size_t row;     // of those that were asked for
  std::string metric;  // as it is named where there are most
  std::map<std::size_t, std::string> cells;
};

/// Points that differ in the columns' parameter alone.
struct Section {
  std::string heading;
  std::vector<std::string> columns;
  std::vector<Line> lines;
  Line refused{.row = 0, .metric = "guests without a place", .cells = {}};
  bool any_refused = false;

  Line& line(std::size_t row, const std::string& metric) {
    const std::string single = of_a_single_one(metric);
    for (Line& one : lines)
      if (of_a_single_one(one.metric) == single) {
        if (metric.size() > one.metric.size()) one.metric = metric;
        return one;
      }
    return lines.emplace_back(Line{row, metric, {}});
  }
};

double figure_of(const PointRuns& point, const RunValues& metric) {
  if (const auto figure = report::times_figure(metric.name))
    for (const Latency& latency : point.latencies)
      if (latency.name == figure->times) return latency.pool.figure(figure->share);
  return stats::sample_of(metric.values).figure;
}

std::string text_of(Section& section, const std::string& against) {
  std::stable_sort(section.lines.begin(), section.lines.end(),
                   [](const Line& a, const Line& b) { return a.row < b.row; });
  if (section.lines.empty())
    return section.heading + (section.heading.empty() ? "" : "\n") + "no run has these figures\n";
  if (section.any_refused) section.lines.push_back(section.refused);
  std::vector<report::Row> rows;
  if (!against.empty()) {
    rows.push_back({against});
    rows.front().insert(rows.front().end(), section.columns.begin(), section.columns.end());
  }
  for (const Line& line : section.lines) {
    report::Row& row = rows.emplace_back(report::Row{line.metric});
    for (std::size_t column = 0; column < section.columns.size(); ++column) {
      const auto cell = line.cells.find(column);
      row.push_back(cell == line.cells.end() ? "-" : cell->second);
    }
  }
  std::string text = section.heading.empty() ? "" : section.heading + "\n";
  for (const std::string& line : report::aligned(rows)) text += line + "\n";
  return text;
}

class Tables {
 public:
  Tables(const std::vector<std::string>& names, const Asked& asked) : names_(names), asked_(asked) {}

  void take(const PointRuns& point) {
    std::string heading;
    std::string column;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const std::string value = sweep::plain_text(point.parameters[i]);
      if (names_[i] == asked_.against)
        column = value;
      else if (!value.empty())
        heading += fmt::format("{}{} = {}", heading.empty() ? "" : ", ", names_[i], value);
    }
    auto section =
        std::find_if(sections_.begin(), sections_.end(), [&](const Section& one) { return one.heading == heading; });
    if (section == sections_.end()) section = sections_.insert(section, Section{heading, {}, {}});
    section->columns.push_back(column);
    for (const RunValues& metric : point.metrics) {
      const double figure = figure_of(point, metric);
      const auto row = row_of(asked_, metric.name);
      section->any_refused |= !row && figure > 0;
      (row ? section->line(*row, metric.name) : section->refused).cells[section->columns.size() - 1] =
          report::metric_text(figure, metric.unit);
    }
  }
  std::string text() {
    std::string text;
    for (Section& section : sections_) text += (text.empty() ? "" : "\n") + text_of(section, asked_.against);
    return text;
  }

 private:
  const std::vector<std::string>& names_;
  const Asked& asked_;
  std::vector<Section> sections_;
};

/// Guests of the points that found no place.
class Refused {
 public:
  explicit Refused(const Campaign& campaign) : campaign_(campaign) {}

  void take(const PointRuns& point) {
    for (const RunValues& metric : point.metrics) {
      if (metric.name != report::refused_metric) continue;
      const double most = *std::max_element(metric.values.begin(), metric.values.end());
      if (most > 0) points_.push_back({most, name_of(campaign_, point)});
    }
  }
  std::string text() {
    constexpr std::size_t points_told = 5;
    std::stable_sort(points_.begin(), points_.end(),
                     [](const Point& a, const Point& b) { return a.guests > b.guests; });
    std::string text;
    for (std::size_t i = 0; i < std::min(points_.size(), points_told); ++i)
      text += fmt::format("{} found no place{}{}\n",
                          config::counted(static_cast<std::uint64_t>(points_[i].guests), "guest", "guests"),
                          points_[i].where.empty() ? "" : " at ", points_[i].where);
    if (points_.size() > points_told)
      text += fmt::format("and at {} as many or fewer\n",
                          config::counted(points_.size() - points_told, "more point", "more points"));
    return text;
  }

 private:
  struct Point {
    double guests;
    std::string where;
  };
  const Campaign& campaign_;
  std::vector<Point> points_;
};

}  // namespace

std::variant<Overview, Problem> overview_of(const Runs& runs, const Asked& asked) {
  const Wanted wanted{
      .metric =
          [&](const std::string& name) { return name == report::refused_metric || row_of(asked, name).has_value(); },
      .latency =
          [&](const std::string& name) {
            return std::any_of(
                std::begin(report::figures_of_times), std::end(report::figures_of_times),
                [&](const auto& figure) { return row_of(asked, name + "." + std::string(figure.first)).has_value(); });
          }};
  Tables tables(runs.campaign().parameters, asked);
  Refused refused(runs.campaign());
  const auto wrong = each_point(runs, wanted, [&](const PointRuns& point) {
    if (!asked.rows.empty()) tables.take(point);
    refused.take(point);
    return true;
  });
  if (wrong) return *wrong;
  return Overview{refused.text(), tables.text()};
}

}  // namespace vmbsim::batch
