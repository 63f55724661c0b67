// A value is set in two stages, each under a lock of its own. Does a reader that saw the first stage see the second?
//
// Planted  between the two stages nobody holds a lock.
// Source   SCTBench, twostage.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("two stages") {
  struct Stages {
    Mutex whole{"whole"};
    Mutex first_lock{"first lock"};
    Mutex second_lock{"second lock"};
    Shared<int> first{"first"};
    Shared<int> second{"second"};
    std::unique_lock<Mutex> guard() { return healthy ? std::unique_lock(whole) : std::unique_lock<Mutex>(); }
  };
  auto& stages = make<Stages>();
  const auto read = [](Mutex& lock, Shared<int>& word) {
    const std::scoped_lock guard(lock);
    return word.load();
  };
  for (int writer = 0; writer < VMBSIM_SIZE; ++writer)
    thread("writer", [&] {
      const auto guard = stages.guard();
      {
        const std::scoped_lock lock(stages.first_lock);
        stages.first = 1;
      }
      const std::scoped_lock lock(stages.second_lock);
      stages.second = stages.first + 1;
    });
  thread("reader", [&stages, read] {
    const auto guard = stages.guard();
    const int first = read(stages.first_lock, stages.first);
    if (first == 0) return;
    check(read(stages.second_lock, stages.second) == first + 1, "whoever sees the first stage sees the second");
  });
}
