#pragma once
/// Whether a point keeps its bounds: decided by as many runs as it takes to be sure.
///
///   Decision decision({.error = 0.01}, 2);
///   while (!decision.verdict()) for (each of decision.wanted() more runs) decision.add(margins);
///
/// Sure     Runs come in groups. After each, a bound holds when the upper limit of its mean margin is below zero and is broken
///          when the lower one is above. The point holds when all do, and breaks when one does. The probability of a wrong
///          verdict, which all looks share, stays below `error`; a bound that is met within chance takes `most_runs`, and is
///          then decided by what is likelier.
/// Source   Wald's sequential testing with Student's t: Law, "Simulation Modeling and Analysis", 5th ed., section 9.4.1; error
///          spent over looks: Bonferroni over 1 / (j (j + 1)).
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "sim/stats/interval.hpp"

namespace vmbsim::plan {

/// What one run says of one bound. Margins of runs are added up, so a share is one of counts: packets above a bound, less
/// what may be.
struct Margin {
  double value = 0;           ///< below zero: the bound is kept
  double least_variance = 0;  ///< known beforehand: runs that saw nothing do not show that nothing is there
  bool zero_keeps = false;    ///< a margin of exactly zero keeps the bound, as "<=" says
  Interval open{0, 0};        ///< how much less and how much more it may be: what a histogram does not know
};

/// How many standard errors a mean margin lies above zero, at the least and at the most. Of margins that do not vary, or of which
/// one is infinite: infinitely many, either way.
/// Precondition: two margins or more.
Interval distance(std::span<const Margin> runs);

/// `untold`: runs gave no figures, or measured nothing that a bound is about.
enum class Verdict : std::uint8_t { holds, breaks, untold };

/// What a look demands before it says something.
struct Limits {
  double below = 0;       ///< standard errors below zero at which a bound holds
  double above = 0;       ///< and above it at which it breaks
  double confidence = 0;  ///< of the interval that lies between them; 0: there was no look
};

class Decision {
 public:
  struct Config {
    double error = 0.05;          ///< probability of a wrong verdict
    std::size_t first_runs = 5;   ///< 2 or more
    std::size_t most_runs = 200;  ///< at least first_runs
  };
  /// `bounds` is how many each run has.
  Decision(Config config, std::size_t bounds) : config_(config), margins_(bounds) {}

  /// One run.
  void add(std::span<const Margin> margins);
  /// A run broke what no bound is about: so the point breaks.
  void add_breach() { breached_ = true; }

  /// Runs of the next group; 0 when there is a verdict.
  std::size_t wanted() const;
  /// When a group is complete.
  std::optional<Verdict> verdict() const;
  /// What the runs so far say, sure or not. Precondition: there are some, or a breach.
  Verdict likelier() const;
  /// Whether the verdict is as sure as was asked for.
  bool sure() const;
  std::size_t runs() const { return runs_; }
  /// Of the look at which the verdict fell.
  Limits limits() const;
  /// The bound that breaks, or that is nearest to it.
  std::size_t tightest() const;
  /// Bounds of which the last look shows neither that they hold nor that they break.
  std::vector<std::size_t> too_close() const;

 private:
  struct Look {
    std::size_t number;  // from 1
    std::size_t runs;
  };
  Look next_look() const;
  std::optional<Verdict> shown() const;
  std::optional<Verdict> shown(std::size_t bound, const Limits& needed) const;
  bool likely_kept(std::size_t bound) const;

  Config config_;
  std::vector<std::vector<Margin>> margins_;  // by bound, then by run
  std::size_t runs_ = 0;
  bool breached_ = false;
};

}  // namespace vmbsim::plan
