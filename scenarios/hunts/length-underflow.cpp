// A packet of the GPA-direct kind says how long its header is; the page ranges lie between the fixed part and its end. Is what a
// peer says there believed?
//
// Planted  the fixed part is subtracted from a length that may be less.
// Source   OpenVMM, 4386c390b: a header shorter than its fixed part is an error.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("length underflow") {
  static constexpr unsigned fixed = 3,
                            packet = 6;  // in words of 8 bytes: the descriptor, and how many ranges there are
  struct Ring {
    Shared<unsigned> header{"header"};
    Shared<int> in{"in"};
    Shared<int> out{"out"};
    Data<unsigned> ranges{"ranges"};
  };
  auto& ring = make<Ring>();
  thread("peer", [&] {
    for (int sent = 0; sent < VMBSIM_SIZE; ++sent) {
      ring.out.await([sent](int out) { return out == sent; });
      ring.header = (fixed + 2 + choose(packet + 1, "length of the header")) % (packet + 1);
      ring.in = sent + 1;
    }
  });
  thread("reader", [&] {
    for (int read = 0; read < VMBSIM_SIZE; ++read) {
      ring.in.await([read](int in) { return in > read; });
      const unsigned header = ring.header;
      if (header <= packet && (!healthy || header >= fixed))
        for (unsigned at = fixed, left = header - fixed; left != 0; ++at, --left) {
          check(at < packet, "what is read is in the packet");
          ++ring.ranges;
        }
      ring.out = read + 1;
    }
  });
}
