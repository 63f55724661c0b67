// Philosophers sit around a table, a fork between each two. Can all of them eat?
//
// Planted  everybody takes the left fork first.
// Source   Dijkstra, "Hierarchical ordering of sequential processes", Acta Informatica 1, 1971; SCTBench, din_phil.
#include <mutex>
#include <string>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("dining philosophers") {
  constexpr int seats = VMBSIM_SIZE;
  Mutex* forks[seats];
  for (int seat = 0; seat < seats; ++seat) forks[seat] = &make<Mutex>("fork " + std::to_string(seat));
  for (int seat = 0; seat < seats; ++seat) {
    Mutex& left = *forks[seat];
    Mutex& right = *forks[(seat + 1) % seats];
    const bool turned = healthy && seat == seats - 1;
    thread(("philosopher " + std::to_string(seat)).c_str(), [&left, &right, turned] {
      const std::scoped_lock first(turned ? right : left);
      const std::scoped_lock second(turned ? left : right);
    });
  }
}
