// A reader signals when its read makes enough room for a writer that had not enough. How much was there before the read?
//
// Planted  it takes the number of bytes that it found for its old read index: at some places of the ring no read of a whole drain
//          looks like the one that made the room.
// Source   Linux Integration Services, "Fix signal to host condition".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("bytes for an index") {
  static constexpr int size = 64, start = 24;  // of a ring that has been in use
  static constexpr int packet[] = {16, 8};     // sizes, in turn
  struct Ring {
    Shared<int> in{"in", start};
    Shared<int> out{"out", start};
    Shared<int> pending_send{"pending send size"};
    Event room{"room", Event::synchronization};
  };
  static constexpr auto room = [](int in, int out) { return in >= out ? size - (in - out) : out - in; };
  auto& ring = make<Ring>();
  thread("writer", [&] {
    int in = start;
    for (int sent = 0; sent < VMBSIM_SIZE; ++sent) {
      const int need = packet[sent % 2];
      while (room(in, ring.out) <= need) {  // a full ring would look empty
        ring.pending_send = need;
        if (room(in, ring.out) <= need) ring.room.wait();
        ring.pending_send = 0;
      }
      in = (in + need) % size;
      ring.in = in;
    }
  });
  thread("reader", [&] {
    int out = start;
    for (int read = 0; read < VMBSIM_SIZE; ++read) {
      const int found = size - room(ring.in.await([out](int in) { return in != out; }), out);
      const int old = out;
      out = (out + packet[read % 2]) % size;
      ring.out = out;
      const int wanted = ring.pending_send;
      if (wanted == 0) continue;
      const int in = ring.in;
      if (room(in, healthy ? old : found) <= wanted && room(in, out) > wanted) ring.room.set();
    }
  });
}
