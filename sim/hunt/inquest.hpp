#pragma once
/// From a find to what is handed over: confirmed in a fresh process, made small, explained, written down.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "sim/hunt/critical.hpp"
#include "sim/hunt/replaying.hpp"
#include "sim/hunt/repro.hpp"
#include "sim/hunt/slice.hpp"
#include "sim/hunt/target.hpp"

namespace vmbsim::hunt {

struct Case {
  Repro repro;
  bool comes_again = false;            ///< the find, as it was, replayed with the same mistake
  bool minimal = false;                ///< no single deviation can be left out of the schedule
  std::uint64_t reruns = 0;            ///< it took to make it small
  explore::MemoryModel found_under{};  ///< the repro's may be stronger
  std::uint64_t switches_before = 0;
  std::size_t deviations_before = 0;
  unsigned given_up_s = 0;  ///< after so many seconds it was not made smaller any more; 0: that came to its end
  Replayed last;            ///< of the small one, with story and graph
  std::optional<Critical> critical;
};

struct InquestConfig {
  const Target& target;
  Seed seed;
  std::string version;
  std::size_t said_knobs = 0;  ///< of a find's knobs so many, from the first, were not drawn: they stay
  std::uint64_t most_reruns = 2000;
  unsigned patience_s = 10;
  /// By the wall clock, for making a find small that hangs: each of its re-runs takes the patience that is needed to notice.
  /// Others take the time that they need, for what becomes of them must not depend on any clock.
  unsigned shrink_s = 60;
  std::function<bool()> stop_asked;  ///< then what is small so far is handed over
};

Case investigate(const InquestConfig& config, const Find& find);

/// The case as people read it: what, where, the story, the critical choice, how to see it again.
std::string explanation(const Case& found, const std::string& repro_file);

}  // namespace vmbsim::hunt
