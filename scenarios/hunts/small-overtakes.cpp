// A packet that does not fit waits in a queue until there is room. May the next one, which is smaller, go first?
//
// Planted  sending tries the ring without looking at the queue, which is emptied some time after room was made.
// Source   mu_msvm, EMCL send path and PkSendPacketSimple: the queue is looked at by the interrupt handler only.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("small packet overtakes") {
  struct Packet {
    int number;
    int size;
  };
  struct Channel {
    SpinLock lock{"lock"};
    Shared<int> free{"free", 16};
    Shared<int> pending_send{"pending send size"};
    Shared<int> queued{"queued"};
    Packet queue[2]{};
    int sent = 0;

    // The lock is held.
    void put(Packet packet) {
      free -= packet.size;
      check(packet.number == sent, "packets leave in the order they were sent in");
      ++sent;
    }
    void send(Packet packet) {
      lock.acquire();
      if ((!healthy || queued == 0) && free >= packet.size) {
        put(packet);
      } else {
        queue[queued++] = packet;
        pending_send = queue[0].size;
        drain();  // what was freed before the wish was there is told by nobody
      }
      lock.release();
    }
    // The lock is held.
    void drain() {
      int first = 0;
      while (first < queued && free >= queue[first].size) put(queue[first++]);
      const int left = queued -= first;
      for (int at = 0; at < left; ++at) queue[at] = queue[at + first];
      pending_send = left == 0 ? 0 : queue[0].size;
    }
  };
  auto& channel = make<Channel>();
  thread("sender", [&] {
    channel.send({0, 16});
    channel.send({1, 12});
    channel.send({2, 4});
  });
  thread("reader", [&] {
    channel.free.await([](int free) { return free == 0; });
    channel.free += 16;
    if (channel.pending_send == 0) return;
    channel.lock.acquire();
    channel.drain();
    channel.lock.release();
  });
  at_end([&] { check(channel.sent == 3, "all packets leave"); });
}
