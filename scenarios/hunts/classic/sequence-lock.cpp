// A writer counts before and after its changes, a reader looks at the count on both sides. Does it ever keep a torn pair?
//
// Planted  the reader takes the count for a flag and does not compare it with the one before.
// Source   Lameter, "Effective synchronization on Linux/NUMA systems", Gelato Conference 2005: sequence locks.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("sequence lock") {
  struct Pair {
    Shared<int> count{"count"};
    Shared<int> low{"low"};
    Shared<int> high{"high"};
  };
  auto& pair = make<Pair>();
  thread("writer", [&] {
    ++pair.count;
    pair.low = 1;
    pair.high = 1;
    ++pair.count;
  });
  thread("reader", [&] {
    const int before = pair.count;
    const int low = pair.low;
    const int high = pair.high;
    const int after = pair.count;
    if (before % 2 != 0 || after % 2 != 0 || (healthy && before != after)) return;
    check(low == high, "what is kept belongs together");
  });
}
