// A thread waits for a flag that another one sets. Does it always wake up?
//
// Planted  the flag is tested before the lock is taken.
// Source   Lampson and Redell, "Experience with processes and monitors in Mesa", CACM 23(2), 1980: the wakeup-waiting race.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("lost wake-up") {
  struct Gate {
    Mutex lock{"lock"};
    ConditionVariable opened{"opened"};
    Shared<bool> open{"open"};
  };
  auto& gate = make<Gate>();
  thread("waiter", [&] {
    if (!healthy && gate.open) return;
    gate.lock.lock();
    while (healthy && !gate.open) gate.opened.wait(gate.lock);
    if (!healthy) gate.opened.wait(gate.lock);
    gate.lock.unlock();
  });
  thread("opener", [&] {
    const std::scoped_lock guard(gate.lock);
    gate.open = true;
    gate.opened.notify_one();
  });
}
