// Two threads keep each other out with three words. Are they ever inside together?
//
// Planted  the own flag may still be in the store buffer when the other's is read.
// Source   Peterson, "Myths about the mutual exclusion problem", Information Processing Letters 12(3), 1981.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("peterson") {
  struct Lock {
    Shared<bool> wants[2]{Shared<bool>("zero wants"), Shared<bool>("one wants")};
    Shared<int> turn{"turn"};
    Shared<int> inside{"inside"};
  };
  auto& lock = make<Lock>();
  for (const int self : {0, 1})
    thread(self == 0 ? "zero" : "one", [&lock, self] {
      lock.wants[self].store(true, relaxed);
      lock.turn.store(1 - self, relaxed);
      if (healthy) fence();
      if (lock.wants[1 - self].load(relaxed) && lock.turn.load(relaxed) != self) return;  // it would wait
      check(++lock.inside == 1, "one at a time is inside");
      --lock.inside;
      lock.wants[self].store(false, relaxed);
    });
}
