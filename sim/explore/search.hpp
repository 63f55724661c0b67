#pragma once
/// Depth-first search over the answers: complete, or within a bound that grows when it has been seen completely.
///
/// A bound is kept by iterations: within bound b, everything that costs at most b is run again, then b grows by one. What was
/// run again is little, because the costlier schedules are so many more.
/// Bounds   delays: alternative k costs k. Pre-emptions: one for leaving an actor that could go on. Faults: one each, at
///          most two, and nothing else departs from the plain run.
/// Aside    faults and input use up no delay and no pre-emption: a time-abstract machine sees all of them at every bound, a
///          machine with time the defaults. Latencies are the defaults always, but in the complete search.
/// Source   Emmi, Qadeer, Rakamaric, "Delay-bounded scheduling", POPL'11; Musuvathi, Qadeer, "Iterative context bounding for
///          systematic testing of multithreaded programs", PLDI'07; PSharp, issue 212 (data uses up no bound).
#include <string>
#include <vector>

#include "sim/explore/strategy.hpp"

namespace vmbsim::explore {

class Search final : public Strategy {
 public:
  enum class Bound : std::uint8_t { none, delays, preemptions, faults };

  explicit Search(Bound bound) : bound_(bound) {}

  bool begin(std::uint64_t run) override;
  std::uint32_t choose(const kernel::Choice& choice) override;
  void end(const Outcome& outcome, const Deviations& taken) override;
  std::string save() const override;
  void restore(std::string_view state) override;
  std::string covered() const override;
  bool independent_runs() const override { return false; }

  /// What the run cost; less than the bound: it was seen within a smaller one.
  std::uint64_t spent() const { return spent_; }
  /// The bound under way.
  std::uint64_t bound() const { return limit_; }

  /// Disjoint parts of a complete search, at most `parts`: their runs add up to those that `state` has left. The state of a
  /// bounded search comes back alone.
  static std::vector<std::string> split(std::string_view state, std::size_t parts);

 private:
  /// A question with more than one answer to try.
  struct Level {
    std::uint64_t question;  ///< its number in the run, those with one alternative not counted
    std::uint32_t taken;
    std::uint32_t end;  ///< the answers are taken .. end-1
  };

  std::uint64_t cost(const kernel::Choice& choice, std::uint32_t taken) const;
  std::uint32_t answers(const kernel::Choice& choice);

  Bound bound_;
  std::uint64_t limit_ = 0;
  bool pruned_ = false;  // the bound has cut something off
  bool timed_ = false;   // an order was asked for without its alternatives
  bool cut_ = false;     // a run was too long to be seen to its end
  bool over_ = false;
  std::vector<Level> path_;
  std::uint64_t question_ = 0;  // of the run
  std::size_t level_ = 0;       // next one of path_ that the run comes to
  std::uint64_t spent_ = 0;
};

}  // namespace vmbsim::explore
