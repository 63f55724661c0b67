// A writer signals when its packet makes an empty ring non-empty. Does it judge by what the ring was like when it published?
//
// Planted  it read the other end's index before it copied the packet.
// Source   Linux, hv_signal_on_write: old_write is compared with a read index that is loaded after the barrier.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("stale read index") {
  struct Ring {
    Shared<int> in{"in", 1};
    Shared<int> out{"out"};
    Event doorbell{"doorbell", Event::synchronization};
  };
  auto& ring = make<Ring>();
  thread("writer", [&] {
    const int early = ring.out;
    ring.in = 2;
    const int out = healthy ? ring.out.load() : early;
    if (out == 1) ring.doorbell.set();
  });
  thread("reader", [&] {
    for (int read = 0; read < 2; ++read) {
      if (ring.in == read) ring.doorbell.wait();
      ring.out = read + 1;
    }
  });
}
