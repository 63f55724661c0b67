#pragma once
/// The largest load that keeps its bounds, found by few runs: bracketing from a guess, then bisection, each point decided by a
/// Decision.
///
///   const Found found = search({.last = 63, .guess = 11}, bounds, evaluate);
///   found.answer   the largest index that holds
///
/// Sure     The decisions share the error that the whole answer may have; how many there can be is known beforehand.
/// Assumed  What keeps the bounds at a load keeps them at every smaller one. In the end this is tried at the smallest load and
///          at one twice as far as the answer, and decided where it does not look so; `contrary` says where it does not hold.
/// Untold   A point that cannot be told of bounds the search as one that breaks. The answer depends on it when it is the next.
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/plan/decision.hpp"
#include "vmbsim/histogram.hpp"

namespace vmbsim::plan {

/// What a run showed.
struct Outcome {
  std::vector<Margin> margins;            ///< to every bound
  std::vector<double> values;             ///< of every bound's metric; not a number: nothing was measured
  std::vector<Histogram> times;           ///< of every bound's metric where it is one of times, else empty
  std::map<std::string, double> figures;  ///< by metric: what a reason is found in
  std::string breach;                     ///< what breaks the point that no bound is about; empty: nothing
  std::string missing;                    ///< why there is none of these; empty: there are
  bool ended_early = false;               ///< missing because the run crashed or went beyond its limits
};

/// The runs `first` to `first + count` - 1 at an index, in this order. A run's number stands for its seed: the same one at every
/// index, so that what chance does to both cancels.
using Evaluate = std::function<std::vector<Outcome>(std::size_t index, std::size_t first, std::size_t count)>;

struct Visited {
  std::size_t index = 0;
  Verdict verdict = Verdict::breaks;
  bool sure = false;
  bool only_looked_at = false;  ///< to see whether it is as the answer says, and it looked so
  std::size_t tightest = 0;     ///< bound; of an untold point that of which nothing was measured
  /// Bounds that the runs neither show to hold nor to break.
  std::vector<std::size_t> too_close{};
  bool ended_early = false;       ///< untold because a run crashed or went beyond its limits, not for what was asked
  Limits limits{};                ///< of the look at which the verdict fell
  std::string reason{};           ///< of a breach, or of what is missing
  std::vector<Outcome> outcomes;  ///< one per run
};

struct Found {
  std::optional<std::size_t> answer;  ///< nothing: not even index 0 holds
  std::vector<Visited> visited;       ///< in the order of the search
  std::size_t runs = 0;

  const Visited* at(std::size_t index) const;
  /// The index next to the answer, which breaks or is untold; null when the answer is the last one.
  const Visited* broken() const;
  /// One that clearly breaks though it is below the answer, or clearly holds though it is above; null where none was seen.
  const Visited* contrary() const;
  /// Every decision that the answer rests on was as sure as it was to be.
  bool sure() const;
};

struct Range {
  std::size_t last = 0;      ///< indices are 0 to last
  std::size_t guess = 0;     ///< where to begin
  double confidence = 0.95;  ///< that the answer is right
  std::size_t first_runs = 5;
  std::size_t most_runs = 200;  ///< at one index
};

Found search(const Range& range, std::size_t bounds, const Evaluate& evaluate);

/// Of points with several goals, those that no other is better than: as good in every goal and better in one. Larger is
/// better. In the order given.
std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& points);

}  // namespace vmbsim::plan
