// A reader signals when its read makes enough room for a writer that had not enough. Against which index does it judge?
//
// Planted  it computed the room before its read from an index that it loaded before the writer filled the ring and slept.
// Source   Linux, "Fix a bug in hv_need_to_signal_on_read()": both figures come from one write index, loaded after the publish.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("room sampled early") {
  static constexpr int size = 3;  // places; positions count on for ever
  struct Ring {
    Shared<int> in{"in", 2};
    Shared<int> out{"out"};
    Shared<int> pending_send{"pending send size"};
    Event room{"room", Event::synchronization};
  };
  auto& ring = make<Ring>();
  thread("reader", [&] {
    const int early = ring.in;
    ring.out = 1;
    const int wanted = ring.pending_send;
    if (wanted == 0) return;
    const int in = healthy ? ring.in.load() : early;
    const int before = size - in, after = size - (in - 1);
    if (before < wanted && after >= wanted) ring.room.set();
  });
  thread("writer", [&] {
    ring.in = 3;
    ring.pending_send = 1;
    if (size - (3 - ring.out) < 1) ring.room.wait();
    ring.pending_send = 0;
  });
}
