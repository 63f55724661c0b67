// Threads meet at a barrier twice. Does everybody get through both times?
//
// Planted  the barrier counts heads only; a fast thread's second arrival is taken for the first one's round.
// Source   Downey, "The little book of semaphores", section 3.7: the reusable barrier.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("barrier reuse") {
  struct Barrier {
    Mutex lock{"lock"};
    ConditionVariable all_here{"all here"};
    Data<int> here{"here"};
    Data<int> round{"round"};

    void meet() {
      lock.lock();
      const int mine = round;
      here = here + 1;
      if (here == 2) {
        here = 0;
        round = round + 1;
        all_here.notify_all();
      } else if (healthy) {
        while (round == mine) all_here.wait(lock);
      } else {
        while (here != 0) all_here.wait(lock);
      }
      lock.unlock();
    }
  };
  auto& barrier = make<Barrier>();
  for (const char* name : {"one", "two"})
    thread(name, [&] {
      barrier.meet();
      barrier.meet();
    });
}
