// A crashing processor empties the message slots of all processors until it finds the answer to its unload; the interrupt of the
// slot's own processor does so too. Does each clear what it has read?
//
// Planted  the slot is cleared whatever it holds by now: between the look and the clearing the other one has emptied it, and the
//          hypervisor has put the answer there.
// Source   Linux, vmbus_signal_eom: the type is cleared by a compare-exchange with the type that was read.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("message cleared blindly") {
  enum : int { none, offer, unload_response };
  struct Slot {
    Shared<int> type{"message type", offer};
    Shared<bool> pending{"message pending"};
    Shared<bool> unloaded{"unloaded"};
    Event end_of_message{"end of message", Event::synchronization};

    void take() {
      const int seen = type;
      if (seen == none) return;
      if (seen == unload_response) unloaded = true;
      if (healthy) {
        int expected = seen;
        if (!type.compare_exchange(expected, none)) return;
      } else {
        const int cleared = type.exchange(none);
        check(cleared == seen || cleared == none, "a message that is cleared was read");
      }
      if (pending.exchange(false)) end_of_message.set();
    }
  };
  auto& slot = make<Slot>();
  auto& interrupt = make<Dpc>("message DPC", [&] { slot.take(); });
  thread("hypervisor",
         [&] {
           interrupt.insert_on(0);
           slot.pending = true;
           if (slot.type != none) slot.end_of_message.wait();
           slot.type = unload_response;
           interrupt.insert_on(0);
         },
         {.cpu = 2});
  thread("crash",
         [&] {
           while (!slot.unloaded) {
             slot.take();
             yield();
           }
         },
         {.cpu = 1});
}
