// A guest shares a buffer, sends packets that speak of it, and tears the sharing down. Does the host read what is still shared?
//
// Planted  the tear-down waits for the first completion, as if there were no second packet.
// Source   KMCL reference, VmbChannelDeleteGpadl; the host maps the pages until it has answered the tear-down.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("buffer torn down in flight") {
  struct Buffer {
    Shared<int> bytes{"bytes", 7};
  };
  struct Channel {
    KernelSemaphore packets{"packets", 0, VMBSIM_SIZE};
    KernelSemaphore completions{"completions", 0, VMBSIM_SIZE};
    Buffer* buffer = nullptr;
  };
  auto& channel = make<Channel>();
  channel.buffer = allocate<Buffer>("buffer");
  thread("guest", [&] {
    for (int sent = 0; sent < VMBSIM_SIZE; ++sent) channel.packets.release();
    for (int left = healthy ? VMBSIM_SIZE : 1; left != 0; --left) channel.completions.acquire();
    release(channel.buffer);
  });
  thread("host", [&] {
    for (int handled = 0; handled < VMBSIM_SIZE; ++handled) {
      channel.packets.acquire();
      check(channel.buffer->bytes == 7, "the host reads what was sent");
      channel.completions.release();
    }
  });
}
