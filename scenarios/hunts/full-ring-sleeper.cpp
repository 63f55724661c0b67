// A writer finds the ring full, says how much room it needs, looks once more and sleeps; the reader frees room and signals if
// somebody needs it. Can the writer sleep beside an empty ring?
//
// Planted  the writer has no full barrier between saying what it needs and looking at the read index.
// Source   Linux, hv_pkt_iter_close, comment on pending_send_sz: the two sides are a store-buffering pair.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("full ring sleeper") {
  struct Ring {
    Shared<int> out{"out"};
    Shared<int> pending_send{"pending send size"};
    Event room{"room", Event::synchronization};
  };
  auto& ring = make<Ring>();
  thread("writer", [&] {
    ring.pending_send.store(64, relaxed);
    if (healthy) fence();
    if (ring.out.load(relaxed) == 0) ring.room.wait();
    ring.pending_send.store(0, relaxed);
  });
  thread("reader", [&] {
    ring.out.store(128, relaxed);
    fence();
    if (ring.pending_send.load(relaxed) != 0) ring.room.set();
  });
}
