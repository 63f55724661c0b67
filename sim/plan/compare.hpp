#pragma once
/// Two campaigns side by side: what changed, what of it is more than chance, what got worse.
///
/// Points   are matched by their parameters, runs of a point by their seeds: what runs with one seed share cancels in their
///          difference. Where the seeds differ the two groups are compared as independent ones.
/// Figures  Means and percentiles of times are those of all samples of a point's runs together (stats/pool.hpp), any other figure
///          is the mean of the runs'.
/// Buckets  A percentile is known to the bucket of its histogram (stats/resolution.hpp): what two may differ by inside of theirs is
///          no change, whatever chance says.
/// Few      runs on a side, one to four, say little by how they differ: where each knows its own error by batch means, that counts, and
///          the two sides are independent ones. Decided by their number alone, before anything is known of the difference.
/// Unjudged is, with its reason, what chance cannot be told from (`Unjudged`), and what not even a doubling of would have shown.
/// Same     runs, by their seeds and by every value, are no change for certain, whatever they could have shown.
/// Chance   All questions together are wrongly answered "changed" with at most the probability that the confidence leaves: the
///          probabilities are corrected after Holm. So every question makes the others harder to answer, and what says the same
///          of the same packets is asked once. A figure that chance cannot be told from is no question.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/report/metrics.hpp"
#include "sim/stats/comparison.hpp"

namespace vmbsim::plan {

/// The runs of one point.
struct Measured {
  std::vector<std::uint64_t> seeds;                   ///< of those that came to their end, ascending
  std::size_t failed = 0;                             ///< the others
  std::map<std::string, stats::Sample> figures;       ///< by metric: those that are judged
  std::map<std::string, std::vector<double>> runs{};  ///< by metric: what each run measured, in the order of seeds
  std::map<std::string, double> maxima;               ///< by metric, over all runs: told, and not judged
};

struct Side {
  std::map<std::string, Measured> points;     ///< by "vm.web.count=4 workload.load.queue_depth=8"
  std::map<std::string, report::Unit> units;  ///< by metric
};

/// Whether more of a metric is worse: of times, events that hold packets up, guests without a place and findings it is, of
/// throughput less is.
enum class Sense : std::uint8_t { more_is_worse, less_is_worse, neither };
Sense sense_of(const std::string& metric);
/// What becomes of a metric when nobody said which are compared.
enum class Role : std::uint8_t {
  judged,
  told,   ///< a single sample decides a maximum: no number of runs makes one sure
  aside,  ///< says once more what others say, or nothing that is better or worse
};
/// Judged are findings, guests without a place, and of every channel throughput and latency, of every workload response, of all
/// instances of a template together. Templates as such, hosts and the fleet are the same packets once more, and what one channel
/// does hides among those of all; so they are left aside.
Role role_of(const std::string& metric);

/// Of the value before; infinite from 0.
double relative_change(double before, double after);

/// A figure before and after.
struct Pair {
  std::string point;
  std::string metric;
  report::Unit unit = report::Unit::count;
  double before = 0;
  double after = nothing_measured;

  double relative() const { return relative_change(before, after); }
};

/// Why a figure is not judged.
enum class Unjudged : std::uint8_t {
  no,          ///< it is
  one_run,     ///< and that does not know its own error
  few_runs,    ///< fewer than stats::fewest_runs, which do not know their own errors, nor would show a doubling
  few_beyond,  ///< a percentile that too few independent samples lie beyond
  unsteady,    ///< runs differ so much that not even a doubling would have shown
};
/// And what to do.
const char* reason_of(Unjudged why);

/// One that is judged, as far as that can be done.
struct Change : Pair {
  stats::Difference difference;
  bool paired = false;
  Unjudged unjudged = Unjudged::no;
  double probability = 1;    ///< of this by chance, corrected
  bool significant = false;  ///< below what the confidence leaves
  /// Significant, and worse by more than the tolerance: of a percentile wherever in their buckets the two may lie.
  bool worse = false;
  /// Relative change that would just have been significant, had it been the only one; not a number where chance cannot be told.
  double visible = nothing_measured;

  bool judged() const { return unjudged == Unjudged::no; }
};

/// A point of which runs failed.
struct Failing {
  std::string point;
  std::size_t before = 0;
  std::size_t after = 0;
  bool worse() const { return after > before; }
};

struct Comparison {
  std::vector<Change> changes;           ///< by point, then by metric
  std::vector<Failing> failing;          ///< by point
  std::vector<Pair> lost;                ///< what was measured before, and is not any more; by point, then by metric
  std::vector<Pair> maxima;              ///< largest values; by point, then by metric
  std::vector<std::string> only_before;  ///< points
  std::vector<std::string> only_after;
  std::size_t matched = 0;  ///< points that both have
  std::size_t few =
      0;  ///< of them, those of which few runs on a side tell of chance what they know of themselves alone

  /// Something got worse or is measured no more, or runs failed that did not before.
  bool regressed() const;
  /// But for findings and refused guests nothing could be judged, and nothing regressed: no news, and no good news either.
  bool undecided() const;
  std::size_t unjudged() const;  ///< changes
};

struct Tolerance {
  double relative = 0.05;  ///< of the value before; a metric that was 0 may not get worse at all
  double confidence = 0.95;
};

Comparison compare(const Side& before, const Side& after, const Tolerance& tolerance);

/// Which changes a text tells.
enum class Detail : std::uint8_t {
  by_metric,  ///< a line for a metric: at how many points, and the worst of them
  all,        ///< a line for each
};
/// Why most of the figures that could not be judged were not, and what to do.
const char* unjudged_reason(const Comparison& comparison);
/// What changed, worst first, what could not be compared, and how small a change would have shown.
std::string comparison_text(const Comparison& comparison, const Tolerance& tolerance,
                            Detail detail = Detail::by_metric);
std::string comparison_json(const Comparison& comparison, const Tolerance& tolerance);
/// One test case per point and metric, which fails where that got worse and is skipped where it cannot be told, and one per point
/// whose runs failed; points that one side lacks are skipped. Of JUnit's attributes those that Jenkins, GitLab and GitHub's reporters read.
std::string comparison_junit(const Comparison& comparison, const Tolerance& tolerance);

}  // namespace vmbsim::plan
