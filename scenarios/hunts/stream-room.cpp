// A writer sends more packets than its ring has places, and sleeps while it is full. Is it woken when the reader makes room?
//
// Planted  the writer looks for room while its pending send size may still be in the store buffer.
// Source   Linux, hv_pkt_iter_close: pending_send_sz is written, then a barrier, then the read index is read again.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("stream, room") {
  static constexpr int places = 2;
  struct Ring {
    Shared<int> in{"in"};
    Shared<int> out{"out"};
    Shared<int> pending_send{"pending send size"};
    Event room{"room", Event::synchronization};
  };
  auto& ring = make<Ring>();
  thread("writer", [&] {
    for (int sent = 0; sent < VMBSIM_SIZE; ++sent) {
      while (sent - ring.out.load(relaxed) == places) {
        ring.pending_send.store(1, relaxed);
        if (healthy) fence();
        if (sent - ring.out.load(relaxed) == places) ring.room.wait();
        ring.pending_send.store(0, relaxed);
      }
      ring.in.store(sent + 1, relaxed);
    }
  });
  thread("reader", [&] {
    for (int read = 0; read < VMBSIM_SIZE; ++read) {
      ring.in.await([read](int in) { return in > read; });
      ring.out.store(read + 1, relaxed);
      fence();
      if (ring.pending_send.load(relaxed) != 0) ring.room.set();
    }
  });
}
