// Two threads raise a flag each and enter when the other's is down. Are they ever inside together?
//
// Planted  both flags may still be in store buffers when they are read.
// Source   Dijkstra, "Cooperating sequential processes", EWD 123, 1965: the entry of Dekker's algorithm.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("dekker") {
  struct Door {
    Shared<bool> raised[2]{Shared<bool>("zero's flag"), Shared<bool>("one's flag")};
    Shared<int> inside{"inside"};
  };
  auto& door = make<Door>();
  for (const int self : {0, 1})
    thread(self == 0 ? "zero" : "one", [&door, self] {
      door.raised[self].store(true, relaxed);
      if (healthy) fence();
      if (door.raised[1 - self].load(relaxed)) return;
      ++door.inside;
    });
  at_end([&] { check(door.inside.peek() <= 1, "one at a time is inside"); });
}
