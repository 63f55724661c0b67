// Requests of a queue are answered one after the other while the queue is purged from its end. Is each one completed once?
//
// Planted  answer and purge both look first and take later.
// Source   WDK, IoSetCancelRoutine: whoever gets the routine back owns the request.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("cancelled requests") {
  struct Request {
    Shared<bool> pending{"pending", true};
    Shared<int> completions{"completions"};

    void complete() {
      if (healthy ? !pending.exchange(false) : !pending) return;
      if (!healthy) pending = false;
      check(++completions == 1, "a request is completed once");
    }
  };
  struct Queue {
    Request requests[VMBSIM_SIZE];
    Shared<int> answered{"answered"};
  };
  auto& queue = make<Queue>();
  auto& response = make<Dpc>("response", [&] {
    for (int at = 0; at < queue.answered; ++at) queue.requests[at].complete();
  });
  thread("host",
         [&] {
           for (int at = 0; at < VMBSIM_SIZE; ++at) {
             queue.answered = at + 1;
             response.insert_on(0);
           }
         },
         {.cpu = 1});
  thread("purge",
         [&] {
           for (int at = VMBSIM_SIZE; at-- > 0;) queue.requests[at].complete();
         },
         {.cpu = 2});
}
