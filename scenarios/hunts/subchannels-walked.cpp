// A driver walks the list of its subchannels while one of them goes away. Is everything that it looks at still there?
//
// Planted  the list is walked without its lock.
// Source   FreeBSD, D7112; Linux Integration Services, "fix the race when querying and updating the percpu list".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("subchannels walked") {
  struct Channel {
    Shared<Channel*> next{"next subchannel"};
    Shared<int> packets{"packets"};
  };
  struct List {
    SpinLock lock{"list lock"};
    Shared<Channel*> first{"first subchannel"};
    Event release_id{"release the id", Event::synchronization};
    Event released{"id released", Event::synchronization};
    Shared<int> ids{"ids", VMBSIM_SIZE};
  };
  auto& list = make<List>();
  auto* const second = allocate<Channel>("second subchannel");
  auto* const first = allocate<Channel>("first subchannel");
  first->next = second;
  list.first = first;
  thread("statistics", [&] {
    if (healthy) list.lock.acquire();
    int packets = 0;
    for (Channel* channel = list.first; channel != nullptr; channel = channel->next) packets += channel->packets;
    check(packets == 0, "no packet has arrived");
    if (healthy) list.lock.release();
  });
  thread("rescind", [&, first, second] {
    list.lock.acquire();
    first->next = nullptr;
    list.lock.release();
    list.release_id.set();
    list.released.wait();
    release(second);
    if (!healthy) return;
    list.lock.acquire();
    list.lock.release();
  });
  thread("host", [&] {
    list.release_id.wait();
    for (int id = 0; id < VMBSIM_SIZE; ++id) --list.ids;
    list.released.set();
  });
  at_end([first] { release(first); });
}
