// A sender takes an entry for the completion of its packet and gives it back when the packet cannot be put into the ring. Who gives
// it back when the other end's index is nonsense?
//
// Planted  both the routine that puts it there and the one that called it.
// Source   mu_msvm, EmclSendPacket: the completion entry is freed on the error path of either routine.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("entry freed twice") {
  struct Entry {
    Shared<int> status{"status"};
  };
  struct Channel {
    SpinLock send_lock{"send lock"};
    Shared<int> in{"in"};
    Shared<int> out{"out"};
    Entry* entries[VMBSIM_SIZE]{};
    Shared<int> completed{"completed"};

    bool put(Entry* entry) {
      send_lock.acquire();
      const int sent = in.load();
      const bool sound = out <= sent;
      if (sound) {
        entries[sent] = entry;
        in = sent + 1;
      }
      send_lock.release();
      if (!sound && !healthy) release(entry);
      return sound;
    }
    bool send() {
      auto* const entry = allocate<Entry>("completion entry");
      const bool sound = put(entry);
      if (!sound) release(entry);
      return sound;
    }
  };
  auto& channel = make<Channel>();
  auto& completion = make<Dpc>("completion", [&, seen = 0]() mutable {
    for (const int all = channel.completed; seen < all; ++seen) {
      channel.entries[seen]->status = 1;
      release(channel.entries[seen]);
    }
  });
  thread("sender",
         [&] {
           for (int packet = 0; packet < VMBSIM_SIZE; ++packet)
             if (!channel.send()) return;
         },
         {.cpu = 1});
  thread("peer",
         [&] {
           for (int read = 0; read < VMBSIM_SIZE; ++read) {
             channel.in.await([read](int in) { return in > read; });
             channel.out = fault("writes nonsense") ? 1000 : read + 1;
             channel.completed = read + 1;
             completion.insert_on(0);
           }
         },
         {.cpu = 2, .daemon = true});
}
