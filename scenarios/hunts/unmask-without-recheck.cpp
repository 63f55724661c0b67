// A reader drains with signals masked, finds the ring empty, unmasks and sleeps. Is everything read?
//
// Planted  it does not look at the ring again after it has unmasked.
// Source   Linux, vmbus_on_event: hv_end_read tells what came meanwhile, and the callback is scheduled again.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("unmask without looking again") {
  struct Ring {
    Shared<int> in{"in"};
    Shared<int> mask{"interrupt mask", 1};
    Event doorbell{"doorbell", Event::synchronization};
  };
  auto& ring = make<Ring>();
  thread("reader", [&] {
    if (ring.in != 0) return;
    ring.mask = 0;
    if (healthy && ring.in != 0) return;
    ring.doorbell.wait();
  });
  thread("writer", [&] {
    ring.in = 1;
    if (ring.mask == 0) ring.doorbell.set();
  });
}
