#pragma once
/// What was found, in a sentence, as a table and as JSON.
#include <functional>
#include <string>

#include "sim/plan/bound.hpp"
#include "sim/plan/search.hpp"

namespace vmbsim::plan {

/// What was asked: which key, in which steps, under which bounds.
struct Question {
  std::string key;                                ///< "vm.web.count"
  std::function<std::string(std::size_t)> value;  ///< of an index, as `--set` takes it
  bool maximise = true;                           ///< larger indices are larger values
  std::vector<Bound> bounds;
  Range range;
  std::string others;  ///< "channel.disk.subchannels = 1" where several things are asked for; else empty
};

struct Pooled {
  double figure = nothing_measured;
  Interval interval;  ///< what the verdict left of the metric's values; an end that did not show is not a number
};
/// A bound's metric over several runs: of times that of all their samples together, else the mean of the runs.
Pooled pooled(const Bound& bound, const Visited& visited, std::size_t which);

/// The figures of runs, averaged; of those that gave any.
std::map<std::string, double> averaged(const std::vector<Outcome>& outcomes);

/// Whether a point breaks by what no bound is about.
bool breached(const Visited& visited);

/// Whether there is an answer: not where the point next to it is untold, nor where the bounds do not break in one direction.
bool answered(const Found& found);
/// "vm.web.count = 14: 95 % sure that channel.web[*].disk.latency.p99 stays < 2ms; at 15 it breaks: 2.60 ms, because host.cpu0
/// saturates: ..."
std::string sentence(const Question& question, const Found& found);
/// Every point that was visited: how many runs, the verdict, the metrics, and the interval by which it fell. A line each; then
/// what the search assumed, and why it took many runs.
std::string points_text(const Question& question, const Found& found);
/// One object: question, answer, points with figures, runs. `shares` of a point that holds: of each bound of Demand::equal in
/// more than which share of runs it does, as `sentence` has it.
std::string answer_json(const Question& question, const Found& found);

}  // namespace vmbsim::plan
