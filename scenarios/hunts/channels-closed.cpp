// A driver closes all channels of a device while signals come in. Does every callback keep its context?
//
// Planted  the callback looks whether its channel is open and uses the context later; nobody waits for it.
// Source   WDK, ExAcquireRundownProtection: an object is freed when the last user has left.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("channels closed") {
  struct Context {
    Shared<int> packets{"packets"};
  };
  struct Channel {
    Shared<bool> open{"open", true};
    Rundown users{"users"};
    Context* context = nullptr;
    Dpc* callback = nullptr;
  };
  struct Device {
    Channel channels[VMBSIM_WIDTH];
  };
  auto& device = make<Device>();
  int cpu = 0;
  for (Channel& channel : device.channels) {
    channel.context = allocate<Context>("context");
    channel.callback = &make<Dpc>("callback", [&channel] {
      if (healthy && !channel.users.acquire()) return;
      if (channel.open) ++channel.context->packets;
      if (healthy) channel.users.release();
    });
    thread("host",
           [&channel, on = static_cast<std::uint32_t>(cpu)] {
             for (int packet = 0; packet < VMBSIM_SIZE; ++packet) channel.callback->insert_on(on);
           },
           {.cpu = cpu + 1});
    cpu += 2;
  }
  thread("close",
         [&] {
           for (Channel& channel : device.channels) {
             channel.open = false;
             if (healthy) channel.users.wait();
             release(channel.context);
           }
         },
         {.cpu = cpu});
}
