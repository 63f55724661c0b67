// Messages for a virtual processor wait in a queue of the virtual machine monitor until its message slot is free. The machine is
// saved and restored. Is every message delivered?
//
// Planted  the queue is restored with what it held, the doorbell by which the processor looks at it is not rung.
// Source   OpenVMM, a6ded7c1b (virt_whp): ring the doorbell of message queues that are not empty when restored.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("restored in silence") {
  struct Processor {
    Mutex running{"running"};  // held by a processor that runs, and by who has stopped it
    Mutex lock{"queue lock"};
    Shared<int> queued{"queued messages"};
    Event doorbell{"doorbell", Event::synchronization};
    Shared<bool> slot_full{"slot full"};
    Data<int> handled{"handled"};
  };
  auto& processor = make<Processor>();
  thread("host", [&] {
    for (int message = 0; message < VMBSIM_SIZE; ++message) {
      processor.lock.lock();
      ++processor.queued;
      processor.lock.unlock();
      processor.doorbell.set();
    }
  });
  thread("virtual processor", [&] {
    while (processor.handled != VMBSIM_SIZE) {
      processor.doorbell.wait();
      processor.running.lock();
      processor.lock.lock();
      if (processor.queued != 0) {
        --processor.queued;
        processor.slot_full = true;
      }
      const bool more = processor.queued != 0;
      processor.lock.unlock();
      if (processor.slot_full.exchange(false)) {  // the guest
        processor.handled = processor.handled + 1;
        if (more) processor.doorbell.set();  // its end of message
      }
      processor.running.unlock();
    }
  });
  thread("save and restore", [&] {
    processor.running.lock();
    processor.lock.lock();
    const int saved = processor.queued.exchange(0);
    processor.doorbell.reset();  // of the process that ends
    processor.queued = saved;
    if (healthy && saved != 0) processor.doorbell.set();
    processor.lock.unlock();
    processor.running.unlock();
  });
}
