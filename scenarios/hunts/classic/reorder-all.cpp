// Setters count up two words, one after the other. Can a checker find the first one complete and the second one untouched?
//
// Planted  it can, when all setters stop between the two.
// Source   SCTBench, reorder, made harder: every setter has to be at the same place.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("reorder all") {
  struct Counts {
    Mutex lock{"lock"};
    Shared<int> a{"a"};
    Shared<int> b{"b"};
    std::unique_lock<Mutex> guard() { return healthy ? std::unique_lock(lock) : std::unique_lock<Mutex>(); }
  };
  auto& counts = make<Counts>();
  for (int setter = 0; setter < VMBSIM_SIZE; ++setter)
    thread("setter", [&] {
      const auto guard = counts.guard();
      ++counts.a;
      ++counts.b;
    });
  thread("checker", [&] {
    const auto guard = counts.guard();
    const int a = counts.a;
    const int b = counts.b;
    check(!(a == VMBSIM_SIZE && b == 0), "not every setter is half done");
  });
}
