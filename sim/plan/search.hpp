#pragma once
/// The largest load that keeps its bounds, found by few runs: bracketing from a guess, then bisection, each point decided by a
/// Decision. What keeps the bounds at a load keeps them at every smaller one.
///
///   const Found found = search({.last = 63, .guess = 11}, bounds, evaluate);
///   found.answer   the largest index that holds
///
/// Sure     The decisions share the error that the whole answer may have; how many there can be is known beforehand.
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
  std::vector<double> values;             ///< of every bound's metric
  std::vector<Histogram> times;           ///< of every bound's metric where it is one of times, else empty
  std::map<std::string, double> figures;  ///< by metric: what a reason is found in
  std::string failure;                    ///< why there is none of these; empty: there are
};

/// The runs `first` to `first + count` - 1 at an index, in this order. A run's number stands for its seed: the same one at every
/// index, so that what chance does to both cancels.
using Evaluate = std::function<std::vector<Outcome>(std::size_t index, std::size_t first, std::size_t count)>;

struct Visited {
  std::size_t index = 0;
  Verdict verdict = Verdict::breaks;
  bool sure = false;
  std::size_t tightest = 0;       ///< bound
  std::vector<Outcome> outcomes;  ///< one per run
};

struct Found {
  std::optional<std::size_t> answer;  ///< nothing: not even index 0 holds
  std::vector<Visited> visited;       ///< in the order of the search
  std::size_t runs = 0;

  const Visited* at(std::size_t index) const;
  /// The first index beyond the answer that was visited and breaks; null when the answer is the last one.
  const Visited* broken() const;
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
