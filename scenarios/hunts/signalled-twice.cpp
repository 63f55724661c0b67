// A driver reads packets where they lie, up to a budget, and publishes at the end of a poll how far it has come; then it signals if
// that makes the room that a blocked host waits for. How often?
//
// Planted  running out of packets ends the reading, and the poll ends it once more: unless the host has gone on meanwhile, it is
//          signalled twice for one wish, and counts the second signal as unexpected.
// Source   Linux Integration Services, "don't signal host twice if empty".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("signalled twice") {
  static constexpr int places = 2, budget = 2;
  struct Ring {
    Shared<int> in{"in"};
    Shared<int> out{"out"};
    Shared<int> pending_send{"pending send size"};  // of each wish its number
    Event room{"room", Event::synchronization};
  };
  auto& ring = make<Ring>();
  thread("host", [&] {
    for (int sent = 0, wishes = 0; sent < VMBSIM_SIZE; ++sent) {
      while (sent - ring.out == places) {
        ring.pending_send = ++wishes;
        if (sent - ring.out == places) ring.room.wait();
        ring.pending_send = 0;
      }
      ring.in = sent + 1;
    }
  });
  thread("driver", [&] {
    for (int read = 0, answered = 0, answered_at = 0; read < VMBSIM_SIZE;) {
      ring.in.await([read](int in) { return in != read; });
      const int before = read;
      const auto end_reading = [&] {
        ring.out = read;
        const int wish = ring.pending_send;
        if (wish == 0) return;
        const int in = ring.in;
        if (in - before < places || in - read >= places) return;
        check(wish != answered || in != answered_at, "a wish for room is answered once");
        answered = wish;
        answered_at = in;
        ring.room.set();
      };
      bool ended = false;
      for (int left = budget; left > 0 && !ended; --left) {
        if (ring.in == read) {
          end_reading();
          ended = true;
        } else {
          ++read;
        }
      }
      if (!healthy || !ended) end_reading();
    }
  });
}
