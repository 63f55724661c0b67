// Two groups share a resource; the first of a group takes it, the last gives it back. Does everybody come through?
//
// Planted  one lock guards the counters of both groups, and is held while waiting for the resource.
// Source   SCTBench, carter01.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("group lock") {
  struct Groups {
    Mutex counters{"counters"};
    Mutex other_counters{"other counters"};
    Semaphore resource{"resource", 1};  // who gives it back need not be who took it
    Shared<int> members{"members"};
    Shared<int> other_members{"other members"};
  };
  auto& groups = make<Groups>();
  const auto visit = [&groups](Mutex& counters, Shared<int>& members) {
    {
      const std::scoped_lock guard(counters);
      if (members.fetch_add(1) == 0) groups.resource.acquire();
    }
    const std::scoped_lock guard(counters);
    if (members.fetch_sub(1) == 1) groups.resource.release();
  };
  for (int visitor = 0; visitor < VMBSIM_SIZE; ++visitor) {
    thread("first", [&groups, visit] { visit(groups.counters, groups.members); });
    thread("second",
           [&groups, visit] { visit(healthy ? groups.other_counters : groups.counters, groups.other_members); });
  }
}
