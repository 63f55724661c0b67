// One thread puts numbers into a queue, one takes them out. Do they come out as they went in?
//
// Planted  a number is counted as stored before it is.
// Source   SCTBench, queue.
#include <array>
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("queue") {
  static constexpr std::size_t numbers = 4;
  struct Queue {
    Mutex lock{"lock"};
    Shared<int> stored{"stored"};
    std::array<Shared<std::size_t>, numbers> places{Shared<std::size_t>{"place 0"}, Shared<std::size_t>{"place 1"},
                                                    Shared<std::size_t>{"place 2"}, Shared<std::size_t>{"place 3"}};
  };
  auto& queue = make<Queue>();
  thread("enqueue", [&queue] {
    for (std::size_t number = 0; number < numbers; ++number) {
      std::unique_lock guard(queue.lock);
      if (healthy) queue.places[number] = number + 1;
      ++queue.stored;
      guard.unlock();
      if (!healthy) queue.places[number] = number + 1;
    }
  });
  thread("dequeue", [&queue] {
    std::size_t taken = 0;
    for (std::size_t tries = 0; tries < numbers; ++tries) {
      const std::scoped_lock guard(queue.lock);
      if (queue.stored == 0) continue;
      --queue.stored;
      check(queue.places[taken] == taken + 1, "numbers come out as they went in");
      ++taken;
    }
  });
}
