#pragma once
/// A run as people read it: who did what, in order, one column per processor; or as a graph of what had to come before what.
///
///   Story story(program, &recorder); const auto& outcome = program.run(recorder, &story); story.columns(outcome.findings)
///
/// Of long runs the end is kept, or what comes before the time that is said: that is where things go wrong.
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "sim/explore/program.hpp"
#include "sim/hunt/recorder.hpp"

namespace vmbsim::hunt {

class Story final : public explore::StepListener {
 public:
  static constexpr std::size_t most_steps = 400;

  /// `recorder` may be null where nobody calls on_step().
  /// Steps after `until`, in nanoseconds, are counted and not told.
  Story(const explore::Program& program, const Recorder* recorder,
        std::int64_t until = std::numeric_limits<std::int64_t>::max())
      : program_(program), recorder_(recorder), until_(until) {}

  void on_step(const explore::Step& step) override { add(step, recorder_->taken().size()); }
  /// The same, for whoever knows how often the run had departed from its defaults by then.
  void add(const explore::Step& step, std::size_t departures);
  /// So many steps came before those that are told.
  void skip(std::uint64_t steps) { count_ += steps; }

  /// Lines of text: number, simulated time where the program has one, then a column per processor. `>` marks a step before
  /// which the run departed from its default, `*` the step of the first finding; an IRQL above passive stands behind the step.
  std::string columns(const Findings& findings) const;
  /// Graphviz: steps, the order within each actor, and the order of conflicting steps between actors. `waiting` are those
  /// that could not go on at the end, drawn with whoever took last what they wait for.
  std::string dot(const std::vector<kernel::Alternative>& waiting) const;
  /// Whether steps are told that were made after the first finding.
  bool goes_beyond(const Findings& findings) const {
    return !findings.empty() && !lines_.empty() && lines_.back().step.time_ns > nanoseconds(findings.front().time);
  }
  /// All steps there were.
  std::uint64_t steps() const { return count_; }

 private:
  struct Line {
    explore::Step step;
    bool departs;
  };

  std::optional<std::uint64_t> went_wrong(const Findings& findings) const;

  const explore::Program& program_;
  const Recorder* recorder_;
  std::int64_t until_;
  std::deque<Line> lines_;
  std::uint64_t count_ = 0;
  std::uint64_t after_ = 0;  // of those, not told since they came too late
  std::size_t departures_ = 0;
};

}  // namespace vmbsim::hunt
