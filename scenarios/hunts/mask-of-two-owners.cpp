// A driver masks the ring when a signal arrives; its client unmasks when it has drained. Who has the last word?
//
// Planted  the callback wakes the client before it masks: the client may drain, unmask and sleep again in between.
// Source   Linux, "uio_hv_generic: Let userspace take care of interrupt mask".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("mask of two owners") {
  struct Ring {
    Shared<int> in{"in"};
    Shared<int> mask{"interrupt mask"};
    Event doorbell{"doorbell", Event::synchronization};
    Dpc* callback = nullptr;
  };
  auto& ring = make<Ring>();
  ring.callback = &make<Dpc>("callback", [&] {
    ring.doorbell.set();
    if (!healthy) ring.mask = 1;
  });
  thread("host",
         [&] {
           for (int packet = 1; packet <= VMBSIM_SIZE; ++packet) {
             ring.in = packet;
             if (ring.mask == 0) ring.callback->insert_on(0);
           }
         },
         {.cpu = 1});
  thread("client",
         [&] {
           for (int read = 0; read < VMBSIM_SIZE;) {
             if (healthy) ring.mask = 1;
             const int in = ring.in;
             if (in != read) {
               read = in;
               continue;
             }
             ring.mask = 0;
             if (ring.in == read) ring.doorbell.wait();
           }
         },
         {.cpu = 2});
}
