// Two workers sort parts of an array that they take from a common heap, and split large ones. Is it sorted when they say so?
//
// Planted  a worker counts as idle before what it has split off is in the heap: the other one may take all for done.
// Source   SCTBench, qsort_mt.
#include <array>
#include <mutex>
#include <utility>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("parallel sort") {
  static constexpr int length = 5;
  struct Part {
    int from;
    int to;
  };
  struct Sort {
    Mutex lock{"lock"};
    ConditionVariable changed{"changed"};
    Event sorted{"sorted", Event::notification};
    Shared<int> waiting{"parts waiting"};
    Shared<int> busy{"busy workers"};
    std::array<Part, length> parts{{{0, length}}};
    std::array<int, length> numbers{3, 5, 1, 4, 2};

    // Everything below the first number goes before it. Returns where it went.
    int split(Part part) {
      auto& low = numbers[static_cast<std::size_t>(part.from)];
      int middle = part.from;
      for (int at = part.from + 1; at < part.to; ++at)
        if (numbers[static_cast<std::size_t>(at)] < low)
          std::swap(numbers[static_cast<std::size_t>(at)], numbers[static_cast<std::size_t>(++middle)]);
      std::swap(low, numbers[static_cast<std::size_t>(middle)]);
      return middle;
    }
    void idle() {
      --busy;
      changed.notify_all();
    }
    void put(Part part) {
      if (part.to - part.from < 2) return;
      const int place = waiting;
      parts[static_cast<std::size_t>(place)] = part;
      waiting = place + 1;
    }
    void work() {
      std::unique_lock guard(lock);
      for (;;) {
        while (waiting == 0 && busy != 0) changed.wait(lock);
        const int left = waiting;
        if (left == 0) break;
        waiting = left - 1;
        ++busy;
        const Part part = parts[static_cast<std::size_t>(left - 1)];
        guard.unlock();
        const int middle = split(part);
        guard.lock();
        if (!healthy) {
          idle();
          guard.unlock();
          guard.lock();
        }
        put({part.from, middle});
        put({middle + 1, part.to});
        if (healthy) idle();
      }
      sorted.set();
    }
  };
  auto& sort = make<Sort>();
  sort.waiting = 1;
  for (const char* name : {"worker", "another worker"}) thread(name, [&sort] { sort.work(); });
  thread("reader", [&sort] {
    sort.sorted.wait();
    bool ascending = true;
    for (std::size_t at = 1; at < length; ++at) ascending = ascending && sort.numbers[at - 1] <= sort.numbers[at];
    check(ascending, "the array is sorted when a worker says so");
  });
}
