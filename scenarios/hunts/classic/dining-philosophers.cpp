// Philosophers sit around a table, a fork between each two. Can all of them eat?
//
// Planted  everybody takes the left fork first. A fork is a semaphore, which nobody owns: no order of locks gives it away.
// Source   Dijkstra, "Hierarchical ordering of sequential processes", Acta Informatica 1, 1971; SCTBench, din_phil.
#include <string>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("dining philosophers") {
  constexpr int seats = VMBSIM_SIZE;
  Semaphore* forks[seats];
  for (int seat = 0; seat < seats; ++seat) forks[seat] = &make<Semaphore>("fork " + std::to_string(seat), 1);
  for (int seat = 0; seat < seats; ++seat) {
    const bool turned = healthy && seat == seats - 1;
    Semaphore& left = *forks[seat];
    Semaphore& right = *forks[(seat + 1) % seats];
    Semaphore& first = turned ? right : left;
    Semaphore& second = turned ? left : right;
    thread(("philosopher " + std::to_string(seat)).c_str(), [&first, &second] {
      first.acquire();
      second.acquire();
      second.release();
      first.release();
    });
  }
}
