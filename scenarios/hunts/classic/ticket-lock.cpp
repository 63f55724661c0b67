// Threads draw tickets and wait until theirs is called. Does everybody get a ticket of their own?
//
// Planted  a ticket is drawn in two steps.
// Source   Reed and Kanodia, "Synchronization with eventcounts and sequencers", CACM 22(2), 1979.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("ticket lock") {
  struct Lock {
    Shared<int> next{"next"};
    Shared<int> called{"called"};
    Shared<int> inside{"inside"};

    int draw() {
      if (healthy) return next.fetch_add(1);
      const int ticket = next;
      next = ticket + 1;
      return ticket;
    }
  };
  auto& lock = make<Lock>();
  for (const char* name : {"one", "two"})
    thread(name, [&] {
      const int ticket = lock.draw();
      lock.called.await([ticket](int called) { return called == ticket; });
      check(++lock.inside == 1, "one at a time is inside");
      --lock.inside;
      ++lock.called;
    });
}
