#pragma once
/// The calendar: pending events in exact order, by time and, within a time, by order of scheduling.
#include <cstdint>

#include "vmbsim/ids.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::kernel {

/// What an event runs: a plain function and the object it is for. Never null.
using Handler = void (*)(void* object);

/// Names a pending event for cancellation. A default-constructed or used-up handle names nothing.
struct EventHandle {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  ///< 0: names nothing
};

/// CONTRACT ONLY: the implementation is being written behind these names.
class Calendar {
 public:
  struct Due {
    SimTime time;
    ActorId actor;
    Handler handler;
    void* object;
  };

  Calendar();
  ~Calendar();

  /// `at` must not be before the time of the last pop.
  EventHandle schedule(SimTime at, ActorId actor, Handler handler, void* object);
  /// True when the event was pending; it will not run. False when it has run, was cancelled, or the handle names nothing.
  bool cancel(EventHandle handle);
  bool pending(EventHandle handle) const;

  bool empty() const;
  std::uint64_t size() const;  ///< pending events, cancelled ones not counted
  /// A time not after the next event's (exact unless that event was cancelled); end_of_time when empty.
  SimTime next_time() const;
  /// Takes the next event out. Precondition: not empty().
  Due pop();
};

}  // namespace vmbsim::kernel
