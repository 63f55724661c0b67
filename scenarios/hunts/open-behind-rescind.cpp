// A worker handles the host's messages in their order; the handler of an offer opens the channel and waits for the result. What
// if the host takes the offer back and never answers?
//
// Planted  the rescind that would end the waiting is handled by the same worker.
// Source   Linux, vmbus_process_offer and vmbus_onmessage_work: rescinds go to a queue of their own.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("open behind rescind") {
  struct Bus {
    Shared<bool> rescinded{"rescinded"};
    Event answered{"answered", Event::notification};
    KernelSemaphore offers{"offers", 0, 1};
    KernelSemaphore rescinds{"rescinds", 0, 1};
  };
  auto& bus = make<Bus>();
  thread("host", [&] {
    bus.offers.release();
    if (choose(2, "takes the offer back") == 0) {
      bus.answered.set();
      return;
    }
    bus.rescinded = true;
    bus.rescinds.release();
  });
  const auto on_rescind = [&bus] {
    bus.rescinds.acquire();
    bus.answered.set();
  };
  thread("worker", [&, on_rescind] {
    bus.offers.acquire();
    bus.answered.wait();
    if (!healthy && bus.rescinded) on_rescind();
  });
  if (healthy) thread("rescind worker", on_rescind, {.daemon = true});
}
