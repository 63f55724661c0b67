// A sender gathers packets in a batch without a lock, because its queue is served by one thread. Who else sends?
//
// Planted  a control message takes the same path from another thread.
// Source   Linux Integration Services, "Fix race condition on Multi-Send Data field".
#include <mutex>

#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("batch of two paths") {
  struct Queue {
    Mutex lock{"lock"};
    Data<int> batched{"batched"};
    void add() {
      const auto guard = healthy ? std::unique_lock(lock) : std::unique_lock<Mutex>();
      batched = batched + 1;
    }
  };
  auto& queue = make<Queue>();
  thread("data", [&] { queue.add(); });
  thread("control", [&] { queue.add(); });
}
