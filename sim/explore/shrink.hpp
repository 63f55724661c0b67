#pragma once
/// Makes a schedule that shows a finding small: fewer deviations, plainer answers, fewer switches between contexts.
///
///   const Shrunk small = shrink(list, [&](const Deviations& candidate) -> std::optional<Shown> {
///     Replay source(candidate, Replay::Mode::loose);
///     ...run; nothing unless it ends in the same finding...
///     return Shown{recorded, outcome.switches};
///   });
///
/// Legs     first, where the alternatives of a run are told: the steps that the finding hangs on, in an order with few switches;
///          then legs put off, brought forward or left out with the steps they had, many at a time; single ones moved.
/// Order    what the finding cut off; delta debugging; smaller answers; every single one left out. Then, for fewer switches
///          and never more deviations, deviations moved, answered otherwise, left out in pairs, replaced by one; and again.
/// Minimal  no single deviation of the result can be left out, unless the re-runs were used up, or it was over before.
/// Source   Zeller, Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28(2), 2002 (ddmin); Scott and
///          others, "Minimizing faulty executions of distributed systems", NSDI'16; Jalbert, Sen, "A trace simplification
///          technique for effective debugging of concurrent programs", FSE'10 (runs of one class with fewer switches).
#include <cstdint>
#include <functional>
#include <optional>

#include "sim/explore/deviations.hpp"

namespace vmbsim::explore {

/// A run that showed the same finding.
struct Shown {
  Deviations taken;        ///< what was recorded of it: not always what was asked for
  std::uint64_t switches;  ///< of contexts
};

/// Runs a candidate, of which question and answer count and nothing else. Nothing: it does not show the finding.
using Shows = std::function<std::optional<Shown>(const Deviations&)>;
/// Runs whatever a source answers, in this process.
using ShowsLed = std::function<std::optional<Shown>(kernel::ChoiceSource&)>;

struct Shrunk {
  Deviations deviations;
  std::uint64_t switches = 0;
  std::uint64_t reruns = 0;
  bool shown = false;    ///< false: the list itself did not show it, and came back as it was
  bool minimal = false;  ///< no single deviation can be left out
};

/// At most `budget` calls of `shows` and `led` together; equal lists are asked for once. Without `led` no legs are tried.
/// `over` is asked before each call but the first: once it says so, there are no more.
Shrunk shrink(const Deviations& list, const Shows& shows, std::uint64_t budget = 2'000, const ShowsLed& led = {},
              const std::function<bool()>& over = {});

}  // namespace vmbsim::explore
