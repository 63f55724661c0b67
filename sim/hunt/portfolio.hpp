#pragma once
/// Who gets the next runs: strategies side by side, in epochs.
///
/// An epoch is planned from the results of the epochs before it and from nothing else, so the plan does not depend on how many
/// workers there are or how fast they were. Its first runs are few, so that a shallow bug is found in as many; later ones are
/// longer. Runs of different strategies take turns: their places in the campaign are interleaved by share.
/// Shares   Every strategy that has something left gets a twentieth at least. Of the first thousand runs the first one named
///          gets two fifths more, and of the 64 of the first epoch it has all, or shares them with the second one where that is
///          a search: bugs that show easily are found before the others have had their turn, and most of them begin with the
///          plain run; what has few orders is proved. Later the second and third one get a fifth more each: searches that end.
///          The rest goes by what was newly covered per step.
/// Trees    A search that hangs together is one slice an epoch, until it has made enough runs to be worth dividing; then its tree
///          is divided (explore::split), each part a slice of its own, and divided again when few are left. The runs add up
///          to those of the undivided search.
/// Parts    of a campaign do not know each other's results, and plan the same all the same: the rest is divided equally, runs
///          are counted as planned, and a tree is divided once. Until then every part searches it. What of the runs is then left,
///          since some trees were through before others, only they know who put the parts together: there it goes to the
///          trees that have something left, until as many were made as were asked for.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/hunt/slice.hpp"

namespace vmbsim::hunt {

/// One of `count` parts of a campaign; index from 0.
struct Part {
  std::uint32_t index = 0;
  std::uint32_t count = 1;
};

/// Part of a search that goes on from slice to slice.
struct Tree {
  std::string state;       ///< the strategy's
  std::string covered;     ///< what it has seen completely
  bool over = false;       ///< nothing left, or its state was lost with a worker
  bool exhausted = false;  ///< nothing left
};

struct Lane {
  std::string strategy;
  bool independent;        ///< its slices do not depend on each other
  bool over = false;       ///< all its trees are
  bool exhausted = false;  ///< all its trees are
  std::uint64_t next = 0;  ///< run
  std::vector<Tree> trees = std::vector<Tree>(1);
  std::string covered;  ///< what all trees have seen completely
  std::uint64_t runs = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t cut = 0;
  std::uint64_t lost = 0;
  std::uint64_t yielded = 0;
  std::uint64_t steps = 0;
  std::uint64_t rate = 0;  ///< newly covered per thousand million steps; the epochs before count half
  std::uint64_t made() const { return runs + abandoned + cut + lost; }
};

class Portfolio {
 public:
  Portfolio(std::vector<Lane> lanes, std::optional<Part> part) : lanes_(std::move(lanes)), part_(part) {}

  /// The next epoch's slices, by number; none when every strategy is over, as far as this part has a share in it, or
  /// `most_runs` were made.
  std::vector<Slice> plan(std::uint64_t most_runs);
  /// The results of all of its slices that were done, by number. `known` is added to.
  void learn(const std::vector<Slice>& slices, const std::vector<const SliceResult*>& results, Coverage& known);

  /// Whether this part of the campaign does it.
  bool mine(const Slice& slice) const { return mine(slice.lane, slice.tree, slice.number); }
  const std::vector<Lane>& lanes() const { return lanes_; }
  /// Every strategy is.
  bool over() const;
  /// Runs that were made so far, of epochs that were learnt.
  std::uint64_t runs() const;

 private:
  bool mine(std::size_t lane, std::size_t tree, std::uint64_t slice) const;
  bool through(std::size_t lane) const;
  std::vector<std::uint64_t> shares() const;
  bool takes_part(const Lane& lane) const;
  std::uint64_t epoch_runs(std::uint64_t most_runs) const;
  void divide(Lane& lane) const;
  void add_slices(std::vector<Slice>& slices, std::size_t lane, const std::vector<std::uint64_t>& places,
                  std::uint64_t length);

  std::vector<Lane> lanes_;
  std::optional<Part> part_;
  bool left_over_ = false;  // all parts' runs are planned: what is left of them goes to searches that are divided
  std::uint64_t epoch_ = 0;
  std::uint64_t slices_ = 0;  // planned so far
  std::uint64_t places_ = 0;  // the same
};

}  // namespace vmbsim::hunt
