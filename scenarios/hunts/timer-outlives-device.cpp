// A device is removed while its watchdog timer runs out. Does the timer's DPC still find its device?
//
// Planted  KeCancelTimer returns FALSE, for the DPC is queued, and nobody waits for it.
// Source   WDK, KeCancelTimer: the DPC of a timer that has expired may still be queued or running; KeFlushQueuedDpcs waits.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("timer outlives device") {
  struct Device {
    Shared<int> ticks{"ticks"};
  };
  struct Driver {
    Event ticked{"ticked", Event::notification};
    Event stop{"stop", Event::synchronization};
    Event stopped{"stopped", Event::synchronization};
    Shared<int> requests{"requests", VMBSIM_SIZE};
    Device* device = nullptr;
  };
  auto& driver = make<Driver>();
  driver.device = allocate<Device>("device");
  auto& watchdog = make<Dpc>("watchdog", [&] {
    ++driver.device->ticks;
    driver.ticked.set();
  });
  auto& timer = make<Timer>("timer");
  thread("remove", [&] {
    timer.set(watchdog);
    const bool cancelled = timer.cancel();
    driver.stop.set();
    driver.stopped.wait();
    if (healthy && !cancelled) driver.ticked.wait();
    release(driver.device);
  });
  thread("requests", [&] {
    driver.stop.wait();
    for (int request = 0; request < VMBSIM_SIZE; ++request) --driver.requests;
    driver.stopped.set();
  });
}
