// A driver keeps no address for its requests, only that they are outstanding. The host completes a transaction 0, which nobody
// sent. Is that taken for one of them?
//
// Planted  looking up id 0 gives 0, as a request without an address does. A completion too many is counted, and the device is
//          taken apart while the host still has a packet.
// Source   Linux, 82cd4bacff88: 0 is an id that is not in use, and looking it up an error.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("transaction zero") {
  static constexpr int packets = 2;
  struct Buffer {
    Shared<int> bytes{"bytes", 7};
  };
  struct Channel {
    SpinLock lock{"requestor lock"};
    Shared<int> ids{"ids in use"};  // a bit each, from 1
    Shared<int> outstanding{"outstanding"};
    Shared<bool> removing{"removing"};
    Event drained{"drained", Event::synchronization};
    Shared<int> in{"in"};
    Shared<int> completion[2 * packets]{Shared<int>("completion 0"), Shared<int>("completion 1"),
                                        Shared<int>("completion 2"), Shared<int>("completion 3")};
    Shared<int> completions{"completions"};
    Buffer* buffer = nullptr;

    bool look_up(int id) {
      if (id == 0) return !healthy;
      lock.acquire_at_dpc_level();
      const bool in_use = (ids.fetch_and(~(1 << id)) & (1 << id)) != 0;
      lock.release_from_dpc_level();
      return in_use;
    }
    void send(int id) {
      lock.acquire();
      ids.fetch_or(1 << id);
      lock.release();
      ++outstanding;
      ++in;
    }
  };
  auto& channel = make<Channel>();
  channel.buffer = allocate<Buffer>("send buffer");
  auto& callback = make<Dpc>("callback", [&, seen = 0]() mutable {
    for (const int all = channel.completions; seen < all; ++seen)
      if (channel.look_up(channel.completion[seen]) && --channel.outstanding == 0 && channel.removing)
        channel.drained.set();
  });
  thread("guest",
         [&] {
           for (int id = 1; id <= packets; ++id) channel.send(id);
           channel.removing = true;
           while (channel.outstanding > 0) channel.drained.wait();
           release(channel.buffer);
         },
         {.cpu = 1});
  thread("host",
         [&, completed = 0]() mutable {
           const auto complete = [&](int id) {
             channel.completion[completed] = id;
             channel.completions = ++completed;
             callback.insert_on(0);
           };
           for (int id = 1; id <= packets; ++id) {
             channel.in.await([id](int in) { return in >= id; });
             check(channel.buffer->bytes == 7, "the host reads what was sent");
             complete(id);
             if (fault("completes transaction 0")) complete(0);
           }
         },
         {.cpu = 2});
}
