// Threads meet at a barrier that they use more than once. Does everybody get through each time?
//
// Planted  who comes or goes looks at the number of heads after it has let go of the lock, so two may both be the last one.
// Source   Downey, "The little book of semaphores", section 3.6: the reusable barrier, its first attempt and its solution.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("barrier reuse") {
  static constexpr int threads = 2;
  struct Barrier {
    Mutex lock{"lock"};
    Shared<int> here{"here"};
    Semaphore entrance{"entrance", 0};
    Semaphore exit{"exit", 1};

    // Whoever makes the number `full` closes the one door and opens the other.
    void count(int change, int full, Semaphore& close, Semaphore& open) {
      lock.lock();
      here += change;
      if (!healthy) lock.unlock();
      if (here == full) {
        close.acquire();
        open.release();
      }
      if (healthy) lock.unlock();
    }
    static void pass(Semaphore& door) {
      door.acquire();
      door.release();
    }
    void meet() {
      count(+1, threads, exit, entrance);
      pass(entrance);
      count(-1, 0, entrance, exit);
      pass(exit);
    }
  };
  auto& barrier = make<Barrier>();
  for (const char* name : {"one", "two"})
    thread(name, [&] {
      barrier.meet();
      barrier.meet();
    });
}
