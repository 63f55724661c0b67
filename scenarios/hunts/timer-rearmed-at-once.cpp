// A one-shot timer of the synthetic interrupt controller expires while its message slot is full. Does the virtual processor get to
// empty the slot?
//
// Planted  the timer is armed again for a time that has passed: it expires before the processor has entered its guest.
// Source   Linux, KVM's Hyper-V emulation, f1ff89ec4447: the message is kept, and sent at the end of the message in the slot.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("timer re-armed at once") {
  enum : int { none, host_message, timer_message };
  struct Processor {
    Shared<bool> expired{"timer expired"};
    Shared<int> slot{"message slot"};
    Event kicked{"kicked", Event::synchronization};
    Event end_of_message{"end of message", Event::synchronization};

    bool put(int message) {
      int free = none;
      return slot.compare_exchange(free, message);
    }
  };
  auto& processor = make<Processor>();
  auto& timer = make<Timer>("timer");
  auto& expiry = make<Dpc>("expiry", [&] {
    processor.expired = true;
    processor.kicked.set();
  });
  thread("host", [&] {
    while (!processor.put(host_message)) processor.end_of_message.wait();
    processor.kicked.set();
  });
  thread("virtual processor", [&] {
    timer.set(expiry);
    for (int handled = 0, kept = none; handled < 2;) {
      if (processor.expired.exchange(false) && !processor.put(timer_message)) {
        if (!healthy) {
          processor.expired = true;
          continue;
        }
        kept = timer_message;
      }
      if (processor.slot.exchange(none) == none) {  // the guest
        processor.kicked.wait();
        continue;
      }
      ++handled;
      processor.end_of_message.set();
      if (kept != none) processor.expired = true;
      kept = none;
    }
  });
}
