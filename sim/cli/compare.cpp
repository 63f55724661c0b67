#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "sim/batch/points.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/config/file.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/plan/compare.hpp"
#include "sim/report/writer.hpp"

namespace vmbsim::cli {

namespace {

plan::Role role_of(const std::string& metric, const std::vector<std::string>& asked) {
  if (asked.empty()) return plan::role_of(metric);
  return std::find(asked.begin(), asked.end(), metric) != asked.end() ? plan::Role::judged : plan::Role::aside;
}

/// Also where it is not of all samples of the runs: "fleet.worst_host.latency.p99".
bool is_percentile(const std::string& metric) {
  const std::string_view last = std::string_view(metric).substr(metric.rfind('.') + 1);
  return std::any_of(std::begin(report::figures_of_times), std::end(report::figures_of_times),
                     [&](const auto& figure) { return figure.second && figure.first == last; });
}

/// Means and percentiles of times come from all samples of a point's runs, the rest is the mean of the runs'.
plan::Measured measured(const batch::PointRuns& point, const std::vector<std::string>& asked) {
  plan::Measured out;
  out.failed = point.failed;
  for (const Seed seed : point.seeds) out.seeds.push_back(seed.value);
  for (const batch::RunValues& metric : point.metrics) {
    if (role_of(metric.name, asked) == plan::Role::told) {
      double largest = nothing_measured;
      for (const double value : metric.values) largest = std::fmax(largest, value);
      if (!std::isnan(largest)) out.maxima[metric.name] = largest;
      continue;
    }
    const auto figure = report::times_figure(metric.name);
    const auto pooled = std::find_if(point.latencies.begin(), point.latencies.end(),
                                     [&](const batch::Latency& one) { return figure && one.name == figure->times; });
    stats::Sample& sample = out.figures[metric.name];
    if (pooled != point.latencies.end())
      sample = pooled->pool.sample(figure->share);
    else
      sample = (is_percentile(metric.name) ? stats::sample_of_percentiles : stats::sample_of)(metric.values);
    stats::judge_by(metric.intervals, sample);
    out.runs[metric.name] = metric.values;
  }
  return out;
}

/// One campaign, and the names that its metrics have.
struct Read {
  plan::Side side;
  std::set<std::string> metrics;
};

/// What points are called: the second campaign may spell their values in another way.
using Names = std::map<std::map<std::string, std::string>, std::string>;

std::variant<Read, Problem> read(const std::string& folder, const std::vector<std::string>& asked, Names& names) {
  auto found = batch::Runs::read({folder});
  if (auto* wrong = std::get_if<Problem>(&found)) return std::move(*wrong);
  const auto& runs = std::get<batch::Runs>(found);
  Read out;
  const auto wanted = [&](const std::string& metric) { return role_of(metric, asked) != plan::Role::aside; };
  const batch::Wanted figures{.metric =
                                  [&](const std::string& name) {
                                    out.metrics.insert(name);
                                    return wanted(name);
                                  },
                              .latency =
                                  [&](const std::string& name) {
                                    return asked.empty() ? wanted(name + ".mean")
                                                         : std::any_of(asked.begin(), asked.end(),
                                                                       [&](const std::string& metric) {
                                                                         return metric.rfind(name + ".", 0) == 0;
                                                                       });
                                  }};
  auto wrong = batch::each_point(runs, figures, [&](const batch::PointRuns& point) {
    const auto& campaign = runs.campaign();
    const auto name = names.emplace(batch::values_of(campaign, point), batch::name_of(campaign, point)).first;
    out.side.points[name->second] = measured(point, asked);
    for (const batch::RunValues& metric : point.metrics) out.side.units[metric.name] = metric.unit;
    return true;
  });
  if (wrong) return *wrong;
  if (out.side.points.empty()) return config::problem_with(folder, "holds no run");
  return out;
}

/// What would be right instead: the whole names of what was named without its scope, or one that is near.
std::string right_metric(const std::string& metric, const std::set<std::string>& known) {
  constexpr std::size_t most_told = 8;
  std::vector<std::string> whole;
  for (const std::string& name : known)
    if (name.ends_with("." + metric)) whole.push_back(name);
  if (whole.empty()) return config::did_you_mean(metric, {known.begin(), known.end()}) + "; export --long lists them";
  const std::size_t more = whole.size() - std::min(whole.size(), most_told);
  whole.resize(whole.size() - more);
  return fmt::format("; a name begins with what it is of: {}{}", config::listed(whole),
                     more == 0 ? "" : fmt::format(" and {} more", more));
}

}  // namespace

int compare(const CompareArguments& arguments) {
  std::vector<Read> sides;
  Names names;
  Problems problems;
  for (const std::string& folder : {arguments.before, arguments.after}) {
    auto side = read(folder, arguments.metrics, names);
    if (auto* wrong = std::get_if<Problem>(&side))
      problems.push_back(std::move(*wrong));
    else
      sides.push_back(std::get<Read>(std::move(side)));
  }
  if (problems.empty())
    for (const std::string& metric : arguments.metrics)
      if (const auto& known = sides[0].metrics; known.count(metric) == 0)
        problems.push_back(config::problem_with(
            "--metric",
            fmt::format("\"{}\" is no metric of {}{}", metric, arguments.before, right_metric(metric, known))));
  const plan::Tolerance tolerance{.relative = arguments.tolerance / 100, .confidence = arguments.confidence / 100};
  plan::Comparison found;
  if (problems.empty()) {
    found = plan::compare(sides[0].side, sides[1].side, tolerance);
    if (found.matched == 0)
      problems.push_back(config::problem_with(
          arguments.after, "has no point in common with " + arguments.before + ": there is nothing to compare"));
    else if (found.changes.empty() && !found.regressed())
      problems.push_back(config::problem_with(
          arguments.after, "has no figure in common with " + arguments.before + ": there is nothing to compare"));
  }
  if (!problems.empty()) {
    print(problems);
    return bad_input;
  }
  int status = say(plan::comparison_text(found, tolerance, arguments.all ? plan::Detail::all : plan::Detail::by_metric),
                   found.regressed() ? unmet : fine);
  if (found.undecided() && status == fine) {
    print({config::problem_with(arguments.after, fmt::format("cannot be judged against {}: {}", arguments.before,
                                                             plan::unjudged_reason(found)))});
    status = bad_input;
  }
  for (const auto& [file, text] : {std::pair{arguments.json, plan::comparison_json(found, tolerance)},
                                   std::pair{arguments.junit, plan::comparison_junit(found, tolerance)}}) {
    if (file.empty()) continue;
    if (const auto unwritten = report::write_whole(file, text)) {
      print({*unwritten});
      return broken;
    }
  }
  return status;
}

}  // namespace vmbsim::cli
