// A sender stops its queue when the ring gets full, the last completion starts it again. Can it stop after the last completion?
//
// Planted  after stopping it does not look again at what is outstanding.
// Source   Linux, netvsc_send_pkt: "fix race that may miss tx queue wakeup".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("stopped queue") {
  struct Queue {
    Shared<int> outstanding{"outstanding"};
    Shared<bool> stopped{"stopped"};
    Event packet{"packet", Event::synchronization};
  };
  auto& queue = make<Queue>();
  thread("sender", [&] {
    ++queue.outstanding;
    queue.packet.set();
    queue.stopped = true;
    if (healthy && queue.outstanding == 0) queue.stopped = false;
  });
  thread("completion", [&] {
    queue.packet.wait();
    --queue.outstanding;
    if (queue.stopped) queue.stopped = false;
  });
  eventually([&] { return !queue.stopped.peek(); }, "a queue with nothing outstanding goes on");
}
