// Two threads wait for the same gate. Do both get through when it opens?
//
// Planted  opening it wakes one of them.
// Source   POSIX.1-2017, pthread_cond_broadcast, rationale: when more than one waiter can go on.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("missed broadcast") {
  struct Gate {
    Mutex lock{"lock"};
    ConditionVariable opened{"opened"};
    Data<bool> open{"open"};
  };
  auto& gate = make<Gate>();
  thread("opener", [&] {
    const std::scoped_lock guard(gate.lock);
    gate.open = true;
    if (healthy)
      gate.opened.notify_all();
    else
      gate.opened.notify_one();
  });
  for (const char* name : {"one", "two"})
    thread(name, [&] {
      gate.lock.lock();
      while (!gate.open) gate.opened.wait(gate.lock);
      gate.lock.unlock();
    });
}
