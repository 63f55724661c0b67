// Setters change two words that belong together. Does the checker see both or none?
//
// Planted  no lock keeps the checker out while a setter is between the two.
// Source   SCTBench, reorder.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("reorder") {
  struct Pair {
    Mutex lock{"lock"};
    Shared<int> a{"a"};
    Shared<int> b{"b"};
    std::unique_lock<Mutex> guard() { return healthy ? std::unique_lock(lock) : std::unique_lock<Mutex>(); }
  };
  auto& pair = make<Pair>();
  for (int setter = 1; setter < VMBSIM_SIZE; ++setter)
    thread("setter", [&] {
      const auto guard = pair.guard();
      pair.a = 1;
      pair.b = -1;
    });
  thread("checker", [&] {
    const auto guard = pair.guard();
    const int a = pair.a;
    const int b = pair.b;
    check((a == 0 && b == 0) || (a == 1 && b == -1), "both words change together");
  });
}
