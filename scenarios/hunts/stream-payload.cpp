// A ring carries a stream of packets whose places are used again. Is every published packet whole?
//
// Planted  the index may become visible before the packet that it publishes.
// Source   Linux, hv_ringbuffer_write: the barrier before the write index is updated.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("stream, payload") {
  static constexpr int places = 2;
  struct Ring {
    Shared<int> payload[places]{Shared<int>("payload 0"), Shared<int>("payload 1")};
    Shared<int> in{"in"};
    Shared<int> out{"out"};
  };
  auto& ring = make<Ring>();
  thread("writer", [&] {
    for (int sent = 0; sent < VMBSIM_SIZE; ++sent) {
      ring.out.await([sent](int out) { return sent - out < places; });
      ring.payload[sent % places].store(100 + sent, relaxed);
      ring.in.store(sent + 1, healthy ? release : relaxed);
    }
  });
  thread("reader", [&] {
    for (int read = 0; read < VMBSIM_SIZE; ++read) {
      ring.in.await([read](int in) { return in > read; });
      check(ring.payload[read % places].load(relaxed) == 100 + read, "a published packet is whole");
      ring.out.store(read + 1, release);
    }
  });
}
