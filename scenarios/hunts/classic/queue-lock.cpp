// Waiters of a lock form a queue, each spins on a word of its own. Is the lock always handed on?
//
// Planted  who leaves takes a missing successor for none, though one has queued and not linked itself yet.
// Source   Mellor-Crummey and Scott, "Algorithms for scalable synchronization on shared-memory multiprocessors", ACM TOCS 9(1),
//          1991: the MCS lock.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("queue lock") {
  struct Place {
    Shared<Place*> next{"next"};
    Shared<bool> waits{"waits", true};
  };
  struct Lock {
    Shared<Place*> last{"last"};
    Place places[2];
  };
  auto& lock = make<Lock>();
  for (const int self : {0, 1})
    thread(self == 0 ? "one" : "two", [&lock, self] {
      Place* const mine = &lock.places[self];
      if (Place* const before = lock.last.exchange(mine)) {
        before->next = mine;
        mine->waits.await([](bool waits) { return !waits; });
      }
      if (mine->next == nullptr) {
        if (!healthy) {
          lock.last = nullptr;
          return;
        }
        Place* expected = mine;
        if (lock.last.compare_exchange(expected, nullptr)) return;
        mine->next.await([](Place* successor) { return successor != nullptr; });
      }
      mine->next.load()->waits = false;
    });
}
