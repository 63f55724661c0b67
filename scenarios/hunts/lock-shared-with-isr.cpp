// A thread and an interrupt routine share a counter under a spin lock. Can the routine interrupt the thread that holds it?
//
// Planted  the thread takes the lock at DISPATCH_LEVEL, below the interrupt.
// Source   WDK, KeAcquireInterruptSpinLock: who shares a lock with an ISR holds it at the ISR's IRQL.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("lock shared with an ISR") {
  struct Device {
    SpinLock lock{"lock"};
    Data<int> count{"count"};
    Interrupt* interrupt = nullptr;
  };
  auto& device = make<Device>();
  device.interrupt = &make<Interrupt>("interrupt", 0, Irql::device, [&] {
    if (!healthy) device.lock.acquire_at_dpc_level();
    device.count = device.count + 1;
    if (!healthy) device.lock.release_from_dpc_level();
  });
  auto& interrupt_lock = make<InterruptSpinLock>(*device.interrupt);
  thread("driver",
         [&] {
           if (healthy)
             interrupt_lock.acquire();
           else
             device.lock.acquire();
           device.count = device.count + 1;
           if (healthy)
             interrupt_lock.release();
           else
             device.lock.release();
         },
         {.cpu = 0});
  thread("device", [&] { device.interrupt->request(); }, {.cpu = 1});
}
