// The same handshake as in lost-doorbell.cpp. Is a barrier on the writer's side enough?
//
// Planted  the reader has no full barrier between unmasking and looking at the ring.
// Source   Linux, hv_end_read: virt_mb after interrupt_mask is cleared.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("lost doorbell, reader") {
  struct Ring {
    Shared<int> in{"in"};
    Shared<int> mask{"interrupt mask", 1};
    Event doorbell{"doorbell", Event::synchronization};
  };
  auto& ring = make<Ring>();
  thread("writer", [&] {
    ring.in.store(1, relaxed);
    fence();
    if (ring.mask.load(relaxed) == 0) ring.doorbell.set();
  });
  thread("reader", [&] {
    ring.mask.store(0, relaxed);
    if (healthy) fence();
    if (ring.in.load(relaxed) == 0) ring.doorbell.wait();
  });
}
