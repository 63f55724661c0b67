#pragma once
/// The critical choice of a failing run: the last one after which it could still have gone well.
///
/// Before it, some continuations of the run fail and some pass; after it, as it was answered, all that were tried fail. Found by
/// bisection over the run's questions, with random continuations at each place.
/// Source: SimGrid, critical transition of its model checker.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "sim/explore/deviations.hpp"
#include "sim/explore/program.hpp"
#include "sim/workers/black_box.hpp"
#include "vmbsim/ids.hpp"

namespace vmbsim::hunt {

struct Critical {
  std::uint64_t question = 0;  ///< index
  std::uint32_t failed = 0;    ///< of `tried` random continuations that begin with it
  std::uint32_t tried = 0;
  std::string fails;   ///< what was chosen: "consumer: wait door"
  std::string passes;  ///< what could have been, in a continuation that passed
};

/// Continuations fail that show `mistake`, named as by mistake_of(); of a run that hangs few are tried. Nothing when even the
/// first question was too late, no continuation passed, or `over`, asked before each, said so.
std::optional<Critical> critical_choice(explore::Program& program, const explore::Deviations& list,
                                        std::uint64_t questions, const std::string& mistake, Seed seed,
                                        workers::BlackBox& box, const std::function<bool()>& over);

}  // namespace vmbsim::hunt
