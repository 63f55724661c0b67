#pragma once
/// Who gets the next runs: strategies side by side, in epochs.
///
/// An epoch is planned from the results of the epochs before it and from nothing else, so the plan does not depend on how many
/// workers there are or how fast they were. Its first runs are few, so that a shallow bug is found in as many; later ones are
/// longer. Runs of different strategies take turns: their places in the campaign are interleaved by share.
/// Shares   Every strategy that has something left gets a twentieth at least, the first three named a sixth more each; the rest
///          goes by what was newly covered per step.
/// Fixed    the rest is divided equally instead, for campaigns in parts: a part does not know the results of the others.
#include <cstdint>
#include <string>
#include <vector>

#include "sim/hunt/slice.hpp"

namespace vmbsim::hunt {

struct Lane {
  std::string strategy;
  bool independent;        ///< its slices do not depend on each other
  bool over = false;       ///< nothing left, or its state was lost with a worker
  bool exhausted = false;  ///< nothing left
  std::uint64_t next = 0;  ///< run
  std::string state;
  std::string covered;  ///< what it has seen completely
  std::uint64_t runs = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t cut = 0;
  std::uint64_t steps = 0;
  std::uint64_t rate = 0;  ///< newly covered per thousand million steps; the epochs before count half
};

class Portfolio {
 public:
  Portfolio(std::vector<Lane> lanes, bool fixed) : lanes_(std::move(lanes)), fixed_(fixed) {}

  /// The next epoch's slices, by number; none when every strategy is over or `most_runs` are planned.
  std::vector<Slice> plan(std::uint64_t most_runs);
  /// The results of all of its slices that were done, by number. `known` is added to.
  void learn(const std::vector<Slice>& slices, const std::vector<const SliceResult*>& results, Coverage& known);

  const std::vector<Lane>& lanes() const { return lanes_; }
  std::uint64_t planned() const { return places_; }

 private:
  std::vector<std::uint64_t> shares() const;

  std::vector<Lane> lanes_;
  bool fixed_;
  std::uint64_t epoch_ = 0;
  std::uint64_t slices_ = 0;  // planned so far
  std::uint64_t places_ = 0;  // the same
};

}  // namespace vmbsim::hunt
