// A channel is closed and its context freed while a DPC may be in the channel's callback. Does the callback keep its context?
//
// Planted  nobody waits for callbacks that have begun.
// Source   WDK, ExAcquireRundownProtection: an object is freed when the last user has left.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("callback after close") {
  struct Context {
    Shared<int> packets{"packets"};
  };
  struct Channel {
    Shared<bool> open{"open", true};
    Rundown users{"users"};
    Context* context = nullptr;
  };
  auto& channel = make<Channel>();
  channel.context = allocate<Context>("context");
  auto& callback = make<Dpc>("callback", [&] {
    if (healthy && !channel.users.acquire()) return;
    if (channel.open) ++channel.context->packets;
    if (healthy) channel.users.release();
  });
  thread("signal", [&] { callback.insert(); });
  thread("close", [&] {
    channel.open = false;
    if (healthy) channel.users.wait();
    release(channel.context);
  });
}
