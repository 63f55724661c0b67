// A channel is opened while its host takes the offer back. Who gives the channel's id back?
//
// Planted  either looks at the state and acts on it later, so both do it or neither.
// Source   Linux, vmbus_onoffer_rescind and vmbus_close_internal: the id goes back once, under the channel lock.
#include <mutex>

#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("rescind races open") {
  struct Channel {
    Mutex lock{"channel lock"};
    Shared<bool> opened{"opened"};
    Shared<bool> rescinded{"rescinded"};
    Shared<int> given_back{"given back"};
    std::unique_lock<Mutex> guard() { return healthy ? std::unique_lock(lock) : std::unique_lock<Mutex>(); }
  };
  auto& channel = make<Channel>();
  thread("open and close", [&] {
    {
      const auto guard = channel.guard();
      if (channel.rescinded) return;
      channel.opened = true;
    }
    const auto guard = channel.guard();
    channel.opened = false;
    if (channel.rescinded) ++channel.given_back;
  });
  thread("rescind", [&] {
    const auto guard = channel.guard();
    channel.rescinded = true;
    if (!channel.opened) ++channel.given_back;
  });
  at_end([&] { check(channel.given_back.peek() == 1, "the id of a rescinded channel goes back once"); });
}
