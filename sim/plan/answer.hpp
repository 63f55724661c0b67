#pragma once
/// What was found, in a sentence, as a table and as JSON.
#include <functional>
#include <string>

#include "sim/plan/search.hpp"
#include "sim/report/metrics.hpp"
#include "sim/stats/pool.hpp"

namespace vmbsim::plan {

/// One line of what must hold.
struct Bound {
  std::string metric;  ///< "channel.disk.latency.p99"
  std::string text;    ///< "< 2ms"
  report::Unit unit = report::Unit::count;
  std::optional<double> share;  ///< of a percentile; else where it is one of times, the mean
};

/// What was asked: which key, in which steps, under which bounds.
struct Question {
  std::string key;                                ///< "vm.web.count"
  std::function<std::string(std::size_t)> value;  ///< of an index, as `--set` takes it
  std::vector<Bound> bounds;
  Range range;
  std::string others;  ///< "channel.disk.subchannels = 1" where several things are asked for; else empty
};

struct Pooled {
  double figure = nothing_measured;
  Interval interval;
};
/// A bound's metric over several runs: of times that of all their samples together, else the mean of the runs.
Pooled pooled(const Bound& bound, const std::vector<Outcome>& outcomes, std::size_t which);

/// The figures of runs, averaged; of those that gave any.
std::map<std::string, double> averaged(const std::vector<Outcome>& outcomes);

/// "vm.web.count = 14: 95 % sure that channel.web[*].disk.latency.p99 stays < 2ms; at 15 it breaks: 2.60 ms, because host.cpu0
/// saturates: ..."
std::string sentence(const Question& question, const Found& found);
/// Every point that was visited: how many runs, the verdict, the metrics and how sure they are. A line each.
std::string points_text(const Question& question, const Found& found);
/// One object: question, answer, points with figures, runs.
std::string answer_json(const Question& question, const Found& found);

}  // namespace vmbsim::plan
