// A guest gives up waiting for an open and frees the ring. Does the host know?
//
// Planted  the time-out is taken for a cancellation; a slow host opens the channel later and writes into the ring.
// Source   Linux Integration Services, "get rid of timeout in vmbus_open()".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("time-out frees the ring") {
  struct Ring {
    Shared<int> in{"in"};
  };
  struct Channel {
    Event opened_or_late{"opened or late", Event::notification};
    Event opened{"opened", Event::notification};
    Ring* ring = nullptr;
  };
  auto& channel = make<Channel>();
  channel.ring = allocate<Ring>("ring");
  auto& late = make<Dpc>("time-out", [&] {
    if (!healthy) channel.opened_or_late.set();
  });
  auto& timer = make<Timer>("timer");
  thread("guest", [&] {
    timer.set(late);
    channel.opened_or_late.wait();
    release(channel.ring);
  });
  thread("host", [&] {
    channel.ring->in = 1;
    channel.opened_or_late.set();
  });
}
