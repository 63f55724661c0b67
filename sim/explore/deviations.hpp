#pragma once
/// A schedule as a value: where a run departs from the default answers, and nothing else.
///
/// Every question with two or more alternatives has an index, counted from 0 over the whole run. The empty list is the plain run.
#include <cstdint>
#include <vector>

#include "sim/kernel/choice.hpp"

namespace vmbsim::explore {

/// One answer other than 0, with enough beside it to notice a replay that goes another way.
struct Deviation {
  std::uint64_t index;         ///< of the question in the run
  std::uint32_t taken;         ///< 1 .. alternatives-1
  std::uint32_t alternatives;  ///< 2 or more
  kernel::ChoicePoint point;   ///< what kind of step was taken, where the alternatives tell, else the question's point
  std::uint16_t hash;          ///< of who and what was concerned: see hash_of
  std::uint32_t actor;         ///< who took it or was asked: an anchor that survives edits
  std::uint64_t nth;           ///< the how-manieth question (from 0) of that actor: the same
  friend bool operator==(const Deviation&, const Deviation&) = default;
};

using Deviations = std::vector<Deviation>;  // by index, ascending

/// Sixteen bits over actor, object and operation of the answer that was taken.
std::uint16_t hash_of(const kernel::Choice& choice, std::uint32_t taken);

}  // namespace vmbsim::explore
