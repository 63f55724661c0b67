// A sender says of each packet of a burst that more follow, so that its signal may wait for the last one. Is there one at all?
//
// Planted  the hint withholds the signal of the packet that made the ring non-empty; the last one of the burst makes no edge.
// Source   Linux Integration Services, "Base host signaling strictly on the ring state".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("deferred signal") {
  static constexpr int all = VMBSIM_SIZE * VMBSIM_WIDTH;
  struct Ring {
    Shared<int> in{"in"};
    Shared<int> out{"out"};
    Shared<int> mask{"interrupt mask", 1};
    Event doorbell{"doorbell", Event::synchronization};

    void send(int sent, bool more_follow) {
      in = sent + 1;
      if (mask != 0 || out != sent) return;
      if (healthy || !more_follow) doorbell.set();
    }
  };
  auto& ring = make<Ring>();
  thread("sender", [&] {
    for (int burst = 0; burst < VMBSIM_WIDTH; ++burst)
      for (int packet = 1; packet <= VMBSIM_SIZE; ++packet)
        ring.send(burst * VMBSIM_SIZE + packet - 1, packet < VMBSIM_SIZE);
  });
  thread("reader", [&] {
    for (int read = 0; read < all;) {
      if (ring.in != read) {
        ring.out = ++read;
        continue;
      }
      ring.mask = 0;
      if (ring.in == read) ring.doorbell.wait();
      ring.mask = 1;
    }
  });
}
