// The writer of a ring publishes a packet and signals unless the reader masks signals; the reader, done draining, unmasks and
// looks once more before it sleeps. Can a packet be left in the ring with nobody awake?
//
// Planted  the writer has no full barrier between publishing and looking at the mask: on x86 its store may still be buffered.
// Source   Linux, hv_ringbuffer_write and hv_signal_on_write: virt_mb before interrupt_mask is read.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("lost doorbell") {
  struct Ring {
    Shared<int> in{"in"};
    Shared<int> mask{"interrupt mask", 1};
    Event doorbell{"doorbell", Event::synchronization};
  };
  auto& ring = make<Ring>();
  thread("writer", [&] {
    ring.in.store(1, relaxed);
    if (healthy) fence();
    if (ring.mask.load(relaxed) == 0) ring.doorbell.set();
  });
  thread("reader", [&] {
    ring.mask.store(0, relaxed);
    fence();
    if (ring.in.load(relaxed) == 0) ring.doorbell.wait();
  });
}
