// Several senders share a ring; its reader drains it, unmasks, looks again and sleeps. Does the last packet ring the doorbell?
//
// Planted  a sender looks at the interrupt mask while its index may still be in the store buffer; a later packet would make up
//          for it, the last one does not.
// Source   TLFS and Linux, hv_ringbuffer_write: the barrier between publishing the index and reading the mask.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("stream, doorbell") {
  static constexpr int all = VMBSIM_SIZE * VMBSIM_WIDTH;
  struct Ring {
    SpinLock send_lock{"send lock"};
    Shared<int> in{"in"};
    Shared<int> mask{"interrupt mask", 1};
    Event doorbell{"doorbell", Event::synchronization};
  };
  auto& ring = make<Ring>();
  for (int sender = 0; sender < VMBSIM_WIDTH; ++sender)
    thread("sender", [&] {
      for (int packet = 0; packet < VMBSIM_SIZE; ++packet) {
        ring.send_lock.acquire();
        ring.in.store(ring.in.load(relaxed) + 1, relaxed);
        if (healthy) fence();
        const bool asleep = ring.mask.load(relaxed) == 0;
        ring.send_lock.release();
        if (asleep) ring.doorbell.set();
      }
    });
  thread("reader", [&] {
    for (int read = 0; read < all;) {
      const int in = ring.in.load(relaxed);
      if (in != read) {
        read = in;
        continue;
      }
      ring.mask.store(0, relaxed);
      fence();
      if (ring.in.load(relaxed) == read) ring.doorbell.wait();
      ring.mask.store(1, relaxed);
    }
  });
}
