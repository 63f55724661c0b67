// A reader copies packets out of a ring that its peer can write at any time. Is the length that it copies by the one that it has
// checked?
//
// Planted  the length is read from the ring for the check, and again for the copy.
// Source   mu_msvm, 117d528 and 7e6a2f3: the length is captured once; Linux, adae1e931acd: packets are copied out of the ring.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("length read twice") {
  static constexpr int most = 2;  // words that the reader's buffer holds
  struct Ring {
    Shared<int> length{"length"};
    Shared<int> payload{"payload"};
    Shared<int> in{"in"};
    Shared<int> out{"out"};
    Data<int> copied{"copied"};
  };
  auto& ring = make<Ring>();
  thread("peer", [&] {
    for (int sent = 0; sent < VMBSIM_SIZE; ++sent) {
      ring.out.await([sent](int out) { return out == sent; });
      ring.length = most;
      ring.payload = 7;
      ring.in = sent + 1;
      ring.length = most + 1;
    }
  });
  thread("reader", [&] {
    for (int read = 0; read < VMBSIM_SIZE; ++read) {
      ring.in.await([read](int in) { return in > read; });
      const int captured = ring.length;
      if (captured <= most) {
        const int length = healthy ? captured : ring.length.load();
        for (int at = 0; at < length; ++at) {
          check(at < most, "what is copied fits into the buffer");
          ring.copied = ring.payload.load();
        }
      }
      ring.out = read + 1;
    }
  });
}
