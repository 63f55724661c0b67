#pragma once
/// A recorded run again, in a process of its own.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/explore/program.hpp"
#include "sim/explore/replay.hpp"
#include "sim/hunt/repro.hpp"
#include "sim/hunt/slice.hpp"
#include "sim/hunt/target.hpp"
#include "sim/workers/crew.hpp"

namespace vmbsim::hunt {

/// What to tell beside what happened.
struct Wish {
  explore::Replay::Mode mode = explore::Replay::Mode::exact;
  std::vector<explore::ActorName> actors = {};  ///< of the recorded run, to follow by; empty: by number
  bool story = false;                           ///< up to the first finding, which does not end a run with time
  bool dot = false;
  bool trace = false;
};

struct Replayed {
  std::string unmade;             ///< why the program cannot be made; empty: it was
  std::vector<Finding> findings;  ///< the first ones
  bool lost = false;              ///< it ended its process
  std::int64_t quiet_ns = 0;      ///< the longest that it took to its next question, as patience counts it
  explore::End end = explore::End::finished;
  Fingerprint fingerprint;
  std::uint64_t questions = 0;
  std::uint64_t steps = 0;
  std::uint64_t switches = 0;
  std::uint64_t preemptions = 0;
  std::vector<std::uint32_t> digests;
  explore::Deviations taken;
  std::vector<explore::ActorName> actors;  ///< that took them
  std::string mismatch;                    ///< where it asked something else than the recorded run; empty: nowhere
  std::size_t followed = 0;                ///< deviations of the list that were taken
  bool goes_beyond = false;                ///< the story, beyond the first finding
  std::string story;
  std::string dot;
  std::string trace;  ///< bytes of a Perfetto trace
};

/// Runs it in this process.
Replayed replay_here(explore::Program& program, const explore::Deviations& list, const Wish& wish,
                     workers::BlackBox& box);
/// The same, whatever the source answers.
Replayed run_here(explore::Program& program, kernel::ChoiceSource& source, workers::BlackBox& box);

/// Makes the program and runs it in a process of its own; once more for the story of one that goes on after its first finding.
/// Of a run that ends that process the last steps are told.
Replayed replay(const Target& target, const Setting& setting, const explore::Deviations& list, const Wish& wish,
                unsigned patience_s);

/// A finding for the run that a worker died of.
Finding finding_of(const workers::Crew::Ended& ended);

/// It shows this mistake, of which mistake_of() made the name, before any other.
inline bool shows(const std::string& mistake, const std::vector<Finding>& findings) {
  return !findings.empty() && mistake_of(findings.front()) == mistake;
}

}  // namespace vmbsim::hunt
