// Four stations hand on a token. Has everybody seen it when all have had their turn?
//
// Planted  each takes the lock for its own turn, but nobody waits for the station before it.
// Source   SCTBench, token_ring.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("token ring") {
  static constexpr int stations = 4;
  struct Ring {
    Mutex lock{"lock"};
    Shared<int> seen[stations]{Shared<int>("station 0", 1), Shared<int>("station 1"), Shared<int>("station 2"),
                               Shared<int>("station 3")};
  };
  auto& ring = make<Ring>();
  for (int station = 1; station < stations; ++station)
    thread("station", [&ring, station] {
      if (healthy) ring.seen[station - 1].await([](int seen) { return seen != 0; });
      const std::scoped_lock guard(ring.lock);
      ring.seen[station] = ring.seen[station - 1].load();
    });
  at_end([&] { check(ring.seen[stations - 1].peek() == 1, "the token came round"); });
}
