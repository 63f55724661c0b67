#pragma once
/// Choice points: the one door for everything that the real machine leaves open.
///
/// A model asks `source.choose({.point = ChoicePoint::thread, .alternatives = n})` and gets 0 .. n-1. Alternative 0 is always the
/// default of that point (documented beside its enumerator), so a run whose source answers 0 everywhere is the plain simulation,
/// and any other run is the plain one with a list of deviations.
#include <cstdint>
#include <span>

#include "vmbsim/assert.hpp"

namespace vmbsim::kernel {

/// Every kind of open decision, with its default.
enum class ChoicePoint : std::uint8_t {
  cpu,         ///< which processor makes the next visible step; default: the same one until it blocks, ends or spins
  thread,      ///< which ready thread of the highest priority a processor dispatches; default: longest waiting
  tie,         ///< order of events at one instant; default: order of scheduling
  interrupt,   ///< when a pending interrupt is delivered; default: at once
  dpc,         ///< where and how soon a DPC is drained; default: what its importance asks for
  worker,      ///< which queued work item a free worker takes; default: the oldest
  lock,        ///< which spinning processor gets a released spin lock; default: longest spinning
  wake,        ///< which waiter is released, which of several signalled objects; default: longest waiting, lowest index
  device_tie,  ///< order of device completions at one instant; default: order of submission
  flush,       ///< when a processor's buffered store becomes visible; default: at once
  latency,     ///< how long a step of the machine takes; default: as the profile says
  fault,       ///< whether something fails here, and how; default: nothing does
  data,        ///< input that a driver sees; default: 0
};
inline constexpr std::uint32_t choice_point_count = 13;

constexpr const char* name_of(ChoicePoint point) {
  switch (point) {
    case ChoicePoint::cpu: return "cpu";
    case ChoicePoint::thread: return "thread";
    case ChoicePoint::tie: return "tie";
    case ChoicePoint::interrupt: return "interrupt";
    case ChoicePoint::dpc: return "dpc";
    case ChoicePoint::worker: return "worker";
    case ChoicePoint::lock: return "lock";
    case ChoicePoint::wake: return "wake";
    case ChoicePoint::device_tie: return "device_tie";
    case ChoicePoint::flush: return "flush";
    case ChoicePoint::latency: return "latency";
    case ChoicePoint::fault: return "fault";
    case ChoicePoint::data: return "data";
  }
  return "?";
}

/// Faults, input and latencies are not scheduling: they use up no bound and no priority change point of a strategy.
/// Source   PSharp, issue 212: data choices must not move PCT's change points.
constexpr bool is_scheduling(ChoicePoint point) {
  return point != ChoicePoint::latency && point != ChoicePoint::fault && point != ChoicePoint::data;
}

/// What a visible operation does to its object.
enum class Access : std::uint8_t {
  none,     ///< nothing that another actor could tell: a store into the own buffer
  read,     ///< of a word
  write,    ///< of a word, or a buffered store that becomes visible
  update,   ///< reads and writes in one step: an interlocked operation, a call on an event or a queue
  acquire,  ///< of a lock: enabled while nobody holds it
  release,  ///< of a lock
};

/// A visible operation: what an actor is about to do. Two operations conflict when they share an object and not both read it.
struct Operation {
  std::uint32_t object = 0;  ///< number in order of creation, from 1; 0: none
  std::uint32_t other =
      0;  ///< a second object that is updated in the same step (the mutex of a condition variable); 0: none
  Access access = Access::none;
  /// May have to wait until another actor lets it: a wait on an event or a semaphore, a spin-wait, a buffered store that must
  /// not overtake others. Access::acquire says so by itself; what only needs the own store buffer empty does not wait.
  bool waits = false;
};

/// One actor's next step, among which a scheduling choice decides.
struct Alternative {
  /// In order of creation, from 0. A processor's store buffer is an actor of its own, or several where words overtake each
  /// other: an actor has one next step.
  std::uint32_t actor;
  std::uint32_t processor;  ///< whose contexts run one after the other: their steps never commute
  ChoicePoint kind;         ///< cpu, thread, interrupt, dpc, worker or flush: what taking it means
  Operation operation;
  std::int64_t after =
      -1;  ///< the step of the run (from 0) that made this one possible and can not come later; -1: none
};

/// One question.
struct Choice {
  ChoicePoint point;
  std::uint32_t alternatives;  ///< 1 or more; 1 only where `each` is given
  std::uint32_t actor = 0;     ///< who asks
  std::uint32_t object = 0;    ///< about what
  bool preempts = false;       ///< alternative 0 goes on with the actor of the step before: any other one pre-empts it
  /// The alternatives of a time-abstract machine, one each; empty where time orders the actors. The order is that of a
  /// non-preemptive round robin from the actor of the step before, so that alternative k is k delays.
  /// Such a machine asks before every step, also when there is one alternative only.
  std::span<const Alternative> each{};
};

/// Answers choice points. Ordinary runs use DefaultChoices; a strategy of a hunt is another source.
class ChoiceSource {
 public:
  /// An answer that ends the run at once: what follows was seen before. Only where Choice::each is given.
  static constexpr std::uint32_t abandon = 0xffffffff;

  virtual ~ChoiceSource() = default;
  /// Must return a number below `alternatives`, or abandon.
  virtual std::uint32_t choose(const Choice& choice) = 0;
};

/// Takes the default everywhere.
class DefaultChoices final : public ChoiceSource {
 public:
  std::uint32_t choose(const Choice&) override { return 0; }
};

}  // namespace vmbsim::kernel
