#pragma once
/// A run of a time-abstract program as legs: this actor until it has made so many steps, then that one.
///
/// Deviations say where a run leaves the default; one of them less, and all that follow mean something else. A leg less only
/// puts its actor's steps off to that actor's next leg. So large runs are made small by legs.
#include <cstdint>
#include <vector>

#include "sim/kernel/choice.hpp"

namespace vmbsim::explore {

struct Leg {
  std::uint32_t actor;
  std::uint32_t until;  ///< steps that the actor has made in the run when the leg is over
};
using Legs = std::vector<Leg>;

/// What a run did, beside what it was led by.
struct Walked {
  std::vector<kernel::Alternative> steps;          ///< in order; empty where time orders the actors
  std::vector<std::vector<std::uint32_t>> asides;  ///< answers to questions that are not about order, by who asked
};

/// Answers as another source does, and notes the way.
class Watched final : public kernel::ChoiceSource {
 public:
  explicit Watched(kernel::ChoiceSource& source) : source_(source) {}
  std::uint32_t choose(const kernel::Choice& choice) override;
  Walked take() { return std::move(walked_); }

 private:
  kernel::ChoiceSource& source_;
  Walked walked_;
};

/// Leads a run along legs: who cannot go on ends its leg, and behind the last one everything is the default.
class Led final : public kernel::ChoiceSource {
 public:
  Led(const Legs& legs, const std::vector<std::vector<std::uint32_t>>& asides) : legs_(legs), asides_(asides) {}
  std::uint32_t choose(const kernel::Choice& choice) override;

 private:
  const Legs& legs_;
  const std::vector<std::vector<std::uint32_t>>& asides_;
  std::size_t leg_ = 0;
  std::vector<std::uint32_t> made_;   // steps, by actor
  std::vector<std::uint32_t> asked_;  // asides, by who asked
};

/// The run's own legs.
Legs legs_of(const std::vector<kernel::Alternative>& steps);

/// Runs that differ from one in the order of independent steps only, and have fewer switches where there are such: each by
/// another actor that may begin, at most eight of them, going on with whom it was the turn of in the run, or with whoever
/// can go on longest. First those in which steps are left out that the last one does not hang on. None for more than
/// `most_steps_in_order` steps.
/// Source   Mazurkiewicz, "Trace theory", 1986: runs that differ so end alike.
std::vector<Legs> calmer_legs(const std::vector<kernel::Alternative>& steps);
inline constexpr std::size_t most_steps_in_order = 4096;

}  // namespace vmbsim::explore
