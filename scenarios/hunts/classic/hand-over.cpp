// A producer and a consumer hand over things through one place, each waiting for the other. Do both come to an end?
//
// Planted  the consumer tells that there is something, where it should tell that there is room.
// Source   SCTBench, sync01 (one thing) and sync02 (several).
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("hand-over") {
  struct Place {
    Mutex lock{"lock"};
    ConditionVariable full{"full"};
    ConditionVariable empty{"empty"};
    Data<int> things{"things", 1};
  };
  auto& place = make<Place>();
  thread("consumer", [&place] {
    for (int thing = 0; thing < VMBSIM_SIZE; ++thing) {
      const std::scoped_lock guard(place.lock);
      while (place.things == 0) place.full.wait(place.lock);
      place.things = 0;
      if (healthy)
        place.empty.notify_one();
      else
        place.full.notify_one();
    }
  });
  thread("producer", [&place] {
    for (int thing = 0; thing < VMBSIM_SIZE; ++thing) {
      const std::scoped_lock guard(place.lock);
      while (place.things == 1) place.empty.wait(place.lock);
      place.things = 1;
      place.full.notify_one();
    }
  });
}
