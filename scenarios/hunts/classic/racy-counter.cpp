// Threads count up a word several times each. How few of the steps can remain?
//
// Planted  reading and writing are two steps; in the worst order only two steps of all of them count.
// Source   Ben-Ari, "Principles of concurrent and distributed programming", chapter 2: counting without atomic steps.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("racy counter") {
  struct Counter {
    Shared<int> value{"value"};
  };
  auto& counter = make<Counter>();
  for (int counting = 0; counting < VMBSIM_WIDTH; ++counting)
    thread("counting", [&] {
      for (int step = 0; step < VMBSIM_SIZE; ++step) {
        if (healthy)
          ++counter.value;
        else
          counter.value = counter.value + 1;
      }
    });
  at_end([&] { check(counter.value.peek() != 2, "more than two steps remain"); });
}
