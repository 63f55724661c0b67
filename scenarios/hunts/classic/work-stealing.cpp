// A worker takes from the tail of its queue, a thief from the head. Is every item taken once?
//
// Planted  the worker's new tail may still be in its store buffer when it looks at the head: a full barrier is missing.
// Source   Frigo, Leiserson, Randall, "The implementation of the Cilk-5 multithreaded language", PLDI 1998: the THE protocol;
//          SCTBench, WorkStealQueue.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("work stealing") {
  struct Queue {
    Mutex lock{"lock"};
    Shared<int> head{"head"};
    Shared<int> tail{"tail", VMBSIM_SIZE};
    Shared<int> taken{"taken"};

    bool take() {
      const int last = tail.load(relaxed) - 1;
      tail.store(last, relaxed);
      if (healthy) fence();
      if (head.load(relaxed) <= last) return true;
      tail.store(last + 1, relaxed);
      const std::scoped_lock guard(lock);
      if (head.load(relaxed) > last) return false;
      tail.store(last, relaxed);
      return true;
    }
    bool steal() {
      const std::scoped_lock guard(lock);
      const int first = head.load(relaxed);
      head.store(first + 1, relaxed);
      fence();
      if (first < tail.load(relaxed)) return true;
      head.store(first, relaxed);
      return false;
    }
  };
  auto& queue = make<Queue>();
  thread("worker", [&] {
    for (int item = 0; item < VMBSIM_SIZE; ++item)
      if (queue.take()) ++queue.taken;
  });
  thread("thief", [&] {
    for (int item = 0; item < VMBSIM_SIZE; ++item)
      if (queue.steal()) ++queue.taken;
  });
  at_end([&] { check(queue.taken.peek() <= VMBSIM_SIZE, "no item is taken twice"); });
}
