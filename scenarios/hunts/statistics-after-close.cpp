// A channel is closed while somebody reads its ring's counters for a statistic. Are they still there?
//
// Planted  the reader takes the ring's address without the lock under which a close withdraws it.
// Source   Linux, 14948e39445d: a mutex keeps sysfs from reading a ring that is being freed.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("statistics after close") {
  struct Ring {
    Shared<int> in{"in", 3};
    Shared<int> out{"out", 1};
  };
  struct Channel {
    FastMutex lock{"ring lock"};
    Shared<Ring*> ring{"ring"};
    Shared<int> mapped_pages{"mapped pages", VMBSIM_SIZE};
    Event teardown{"teardown", Event::synchronization};
    Event torn_down{"torn down", Event::synchronization};
  };
  auto& channel = make<Channel>();
  channel.ring = allocate<Ring>("ring");
  thread("statistics", [&] {
    if (healthy) channel.lock.acquire();
    if (Ring* const ring = channel.ring) check(ring->in >= ring->out, "the indices are those of a ring");
    if (healthy) channel.lock.release();
  });
  thread("close", [&] {
    if (healthy) channel.lock.acquire();
    Ring* const ring = channel.ring;
    channel.ring = nullptr;
    if (healthy) channel.lock.release();
    channel.teardown.set();
    channel.torn_down.wait();
    release(ring);
  });
  thread("host", [&] {
    channel.teardown.wait();
    for (int page = 0; page < VMBSIM_SIZE; ++page) --channel.mapped_pages;
    channel.torn_down.set();
  });
}
