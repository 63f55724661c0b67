// Several senders share a ring; its reader drains it, unmasks and sleeps. Does the last packet wake it?
//
// Planted  the reader does not look again after unmasking.
// Source   TLFS and Linux, hv_begin_read and hv_end_read: what came while the mask was set is looked for when it is cleared.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("stream, unmask") {
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
        ++ring.in;
        const bool asleep = ring.mask == 0;
        ring.send_lock.release();
        if (asleep) ring.doorbell.set();
      }
    });
  thread("reader", [&] {
    for (int read = 0; read < all;) {
      const int in = ring.in;
      if (in != read) {
        read = in;
        continue;
      }
      ring.mask = 0;
      if (!healthy || ring.in == read) ring.doorbell.wait();
      ring.mask = 1;
    }
  });
}
