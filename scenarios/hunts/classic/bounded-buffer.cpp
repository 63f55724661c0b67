// Producers and consumers share a buffer. Does everybody come to an end?
//
// Planted  one condition variable for both kinds, and notify_one: a producer may wake a producer.
// Source   Tom Cargill's challenge of Extreme Programming's BoundedBuffer (c2.com, ExtremeProgrammingChallengeFourteen).
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("bounded buffer") {
  constexpr int capacity = VMBSIM_WIDTH;
  struct Buffer {
    Mutex lock{"lock"};
    ConditionVariable changed{"changed"};
    Data<int> held{"held"};

    void move(int by) {
      lock.lock();
      while (held + by < 0 || held + by > capacity) changed.wait(lock);
      held = held + by;
      if (healthy)
        changed.notify_all();
      else
        changed.notify_one();
      lock.unlock();
    }
  };
  auto& buffer = make<Buffer>();
  for (int pair = 0; pair < VMBSIM_SIZE; ++pair) {
    thread("producer", [&] {
      for (int item = 0; item < capacity; ++item) buffer.move(+1);
    });
    thread("consumer", [&] {
      for (int item = 0; item < capacity; ++item) buffer.move(-1);
    });
  }
}
