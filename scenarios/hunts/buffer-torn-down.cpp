// A guest shares a buffer, sends a packet that speaks of it, and tears the sharing down. Does the host read what is still shared?
//
// Planted  the tear-down does not wait for the packet's completion.
// Source   KMCL reference, VmbChannelDeleteGpadl; the host maps the pages until it has answered the tear-down.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("buffer torn down in flight") {
  struct Buffer {
    Shared<int> bytes{"bytes", 7};
  };
  struct Channel {
    Event packet{"packet", Event::synchronization};
    Event completion{"completion", Event::synchronization};
    Buffer* buffer = nullptr;
  };
  auto& channel = make<Channel>();
  channel.buffer = allocate<Buffer>("buffer");
  thread("guest", [&] {
    channel.packet.set();
    if (healthy) channel.completion.wait();
    release(channel.buffer);
  });
  thread("host", [&] {
    channel.packet.wait();
    check(channel.buffer->bytes == 7, "the host reads what was sent");
    channel.completion.set();
  });
}
