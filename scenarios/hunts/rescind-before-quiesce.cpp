// A driver waits until its request is answered or its channel rescinded, then its frame is gone. Can the answer still write there?
//
// Planted  the rescind is published while the channel's callback may still run.
// Source   Linux, vmbus_onoffer_rescind: the callback is reset before the channel counts as rescinded.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("rescind before quiesce") {
  struct Frame {
    Shared<int> status{"status"};
  };
  struct Channel {
    SpinLock callback_lock{"callback lock"};
    Shared<Frame*> waiting{"waiting frame"};
    Event done{"done", Event::notification};
  };
  auto& channel = make<Channel>();
  auto* const frame = allocate<Frame>("frame");
  channel.waiting = frame;
  auto& callback = make<Dpc>("callback", [&] {
    channel.callback_lock.acquire_at_dpc_level();
    if (Frame* const waiting = channel.waiting) {
      waiting->status = 1;
      channel.done.set();
    }
    channel.callback_lock.release_from_dpc_level();
  });
  thread("host", [&] { callback.insert(); });
  thread("rescind", [&] {
    if (healthy) channel.callback_lock.acquire();
    channel.waiting = nullptr;
    if (healthy) channel.callback_lock.release();
    channel.done.set();
  });
  thread("driver", [&, frame] {
    channel.done.wait();
    if (healthy) {
      channel.callback_lock.acquire();
      channel.waiting = nullptr;
      channel.callback_lock.release();
    }
    release(frame);
  });
}
