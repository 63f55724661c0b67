#pragma once
/// Choice points: the one door for everything that the real machine leaves open.
///
/// A model asks `choices.choose(ChoicePoint::thread, n)` and gets 0 .. n-1. Alternative 0 is always the default of that
/// point (documented beside its enumerator), so a run whose source answers 0 everywhere is the plain simulation.
#include <cstdint>

#include "vmbsim/assert.hpp"

namespace vmbsim::kernel {

/// Every kind of open decision, with its default.
enum class ChoicePoint : std::uint8_t {
  thread,      ///< which ready thread of the highest priority a processor dispatches; default: longest waiting
  worker,      ///< which queued work item a free worker takes; default: the oldest
  lock,        ///< which spinning processor gets a released spin lock; default: longest spinning
  wake,        ///< which waiter a synchronization event releases; default: longest waiting
  device_tie,  ///< order of device completions at one instant; default: order of submission
};

constexpr const char* name_of(ChoicePoint point) {
  switch (point) {
    case ChoicePoint::thread: return "thread";
    case ChoicePoint::worker: return "worker";
    case ChoicePoint::lock: return "lock";
    case ChoicePoint::wake: return "wake";
    case ChoicePoint::device_tie: return "device_tie";
  }
  return "?";
}

/// Answers choice points. Ordinary runs use DefaultChoices; a strategy of a hunt is another source.
class ChoiceSource {
 public:
  virtual ~ChoiceSource() = default;
  /// Must return a number below `alternatives`, which is at least 2.
  virtual std::uint32_t choose(ChoicePoint point, std::uint32_t alternatives) = 0;
};

/// Takes the default everywhere.
class DefaultChoices final : public ChoiceSource {
 public:
  std::uint32_t choose(ChoicePoint, std::uint32_t) override { return 0; }
};

}  // namespace vmbsim::kernel
