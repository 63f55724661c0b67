// A host may send as soon as it has accepted the open, before the guest's poller runs. Is the first packet received?
//
// Planted  the callback finds the poller not enabled and leaves; enabling it does not look at the ring.
// Source   Linux, "hv_netvsc: fix loss of early receive events from host during channel open".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("early packet") {
  struct Channel {
    Shared<int> in{"in"};
    Shared<int> received{"received"};
    Shared<bool> enabled{"enabled"};
    Dpc* poller = nullptr;
  };
  auto& channel = make<Channel>();
  channel.poller = &make<Dpc>("poll", [&] { channel.received = channel.in.load(); });
  auto& callback = make<Dpc>("callback", [&] {
    if (channel.enabled) channel.poller->insert();
  });
  thread("host", [&] {
    channel.in = 1;
    callback.insert();
  });
  thread("guest", [&] {
    channel.enabled = true;
    if (healthy && channel.in != channel.received) channel.poller->insert();
  });
  eventually([&] { return channel.received.peek() == channel.in.peek(); }, "what was sent is received");
}
