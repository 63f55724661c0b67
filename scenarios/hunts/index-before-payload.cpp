// A packet is written into the ring and then published. Does a reader that sees the index see the packet?
//
// Planted  nothing keeps the two stores in order; where stores to different words may overtake each other, the index comes first.
// Source   Linux, hv_ringbuffer_write: virt_mb before the write index is published; ARM64 reorders stores, x86 does not.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("index before payload") {
  struct Ring {
    Shared<int> payload{"payload"};
    Shared<int> in{"in"};
  };
  auto& ring = make<Ring>();
  thread("writer", [&] {
    ring.payload.store(42, relaxed);
    ring.in.store(1, healthy ? release : relaxed);
  });
  thread("reader", [&] {
    if (ring.in.load(acquire) == 0) return;
    check(ring.payload.load(relaxed) == 42, "a published packet is whole");
  });
}
