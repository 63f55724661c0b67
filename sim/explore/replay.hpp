#pragma once
/// Answers a list of deviations, and the default everywhere else.
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/explore/deviations.hpp"

namespace vmbsim::explore {

/// Where a run first asked something other than the one that was recorded.
struct Mismatch {
  std::uint64_t index;  ///< of the question
  Deviation expected;   ///< what was recorded
  std::optional<Deviation>
      found;  ///< what this run would have recorded there; none: it ended before, or has fewer answers
  /// "at choice 812: expected cpu, 1 of 2, actor 3, found ..."
  std::string text() const;
};

/// Who an actor is, whatever number it has: the how-manieth (from 0) of that name, by number.
struct ActorName {
  std::uint32_t actor;
  std::uint32_t order;
  std::string name;
  friend bool operator==(const ActorName&, const ActorName&) = default;
};
/// Of those that made a list's deviations, by number. `name_of` answers what an actor is called in the program that runs.
using NameOf = std::function<std::string(std::uint32_t actor)>;
std::vector<ActorName> names_in(const Deviations& list, const NameOf& name_of);

class Replay final : public kernel::ChoiceSource {
 public:
  enum class Mode : std::uint8_t {
    exact,  ///< the run must ask what was recorded; else it is left at once (a run with time goes on with the defaults)
    loose,  ///< question and answer count, nothing else; an answer that does not exist is the default
    follow,  ///< after edits: a deviation goes where its actor asks for the same time again, near where it was
  };

  /// `later`: how many questions later than recorded the first deviation is looked for, in follow mode.
  explicit Replay(const Deviations& list, Mode mode = Mode::exact, std::int64_t later = 0)
      : mode_(mode), later_(later), list_(list) {}

  /// In follow mode: actors are those of the recorded run by their names, not by their numbers.
  void follow_names(std::vector<ActorName> recorded, NameOf now) {
    recorded_ = std::move(recorded);
    name_of_ = std::move(now);
  }

  /// Before each run.
  void begin();
  std::uint32_t choose(const kernel::Choice& choice) override;

  /// After the run. Exact: the first difference, deviations that it never came to included.
  std::optional<Mismatch> mismatch() const;
  /// After the run. How many deviations of the list were taken.
  std::size_t followed() const { return followed_; }

 private:
  std::uint32_t loosely(const kernel::Choice& choice);
  std::uint32_t exactly(const kernel::Choice& choice);
  std::uint32_t nearby(const kernel::Choice& choice);
  std::uint64_t& asked(std::uint32_t recorded);
  std::uint32_t recorded(std::uint32_t actor);

  Mode mode_;
  std::int64_t later_;
  Deviations list_;
  std::uint64_t index_ = 0;
  std::size_t next_ = 0;  // of list_
  std::size_t followed_ = 0;
  std::optional<Mismatch> mismatch_;
  std::vector<std::uint64_t> asked_;  // questions so far, by the actor's recorded number
  std::vector<ActorName> recorded_;
  NameOf name_of_;
  std::map<std::uint32_t, std::uint32_t> known_;  // numbers in this run -> recorded ones
  std::int64_t drift_ = 0;                        // how much later than recorded the last deviation was taken
};

}  // namespace vmbsim::explore
