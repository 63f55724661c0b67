// A guest empties its message slot and asks for the next message if one is pending; the hypervisor notes a pending message when
// the slot is full. Is the next message always delivered?
//
// Planted  the guest has no full barrier between emptying the slot and looking at the note.
// Source   Hyper-V TLFS, 11.9 (end of message); Linux, vmbus_signal_eom: a full barrier after the type is cleared.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("end of message") {
  struct Slot {
    Shared<bool> full{"slot full", true};
    Shared<bool> pending{"message pending"};
    Event asked{"end of message", Event::synchronization};
  };
  auto& slot = make<Slot>();
  thread("guest", [&] {
    slot.full.store(false, relaxed);
    if (healthy) fence();
    if (slot.pending.load(relaxed)) slot.asked.set();
  });
  thread("hypervisor", [&] {
    slot.pending.store(true, relaxed);
    fence();
    if (slot.full.load(relaxed)) slot.asked.wait();
  });
}
