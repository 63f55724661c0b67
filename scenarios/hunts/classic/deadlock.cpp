// Two threads need two locks. Do they always get them?
//
// Planted  they take them in opposite order.
// Source   SCTBench, deadlock01; Coffman, Elphick, Shoshani, "System deadlocks", ACM Computing Surveys 3(2), 1971.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("deadlock") {
  struct Locks {
    Mutex left{"left"};
    Mutex right{"right"};
  };
  auto& locks = make<Locks>();
  const auto take = [](Mutex& first, Mutex& second) {
    const std::scoped_lock outer(first);
    const std::scoped_lock inner(second);
  };
  thread("one", [&locks, take] { take(locks.left, locks.right); });
  thread("two", [&locks, take] {
    if (healthy)
      take(locks.left, locks.right);
    else
      take(locks.right, locks.left);
  });
}
