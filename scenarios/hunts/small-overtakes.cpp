// A packet that does not fit waits in a queue until there is room. May the next one, which is smaller, go first?
//
// Planted  sending tries the ring without looking at the queue, and a success withdraws the wish for room.
// Source   mu_msvm, EMCL send path and PkSendPacketSimple: the queue is looked at by the interrupt handler only.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("small packet overtakes") {
  struct Ring {
    SpinLock lock{"lock"};
    Shared<int> free{"free", 24};
    Shared<int> pending_send{"pending send size"};
    Shared<int> queued{"queued"};

    void drain() {  // the lock is held
      const int size = queued;
      if (size == 0) return;
      if (free >= size) {
        free -= size;
        queued = 0;
        pending_send = 0;
      } else {
        pending_send = size;
      }
    }
    void send(int size) {
      lock.acquire();
      if ((!healthy || queued == 0) && free >= size) {
        check(queued == 0, "packets leave in the order they were sent in");
        free -= size;
        pending_send = 0;
      } else {
        queued = size;
        drain();
      }
      lock.release();
    }
  };
  auto& ring = make<Ring>();
  thread("sender", [&] {
    ring.send(16);
    ring.send(16);
    if (ring.queued == 0)
      ring.send(8);
    else if (!healthy)
      ring.send(8);
  });
  thread("reader", [&] {
    ring.lock.acquire();
    ring.free += 16;
    const bool wanted = ring.pending_send != 0;
    if (wanted) ring.drain();
    ring.lock.release();
  });
}
