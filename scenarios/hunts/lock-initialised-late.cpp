// A driver's probes are serialised by a lock that the driver initialises when it is loaded. Are they, when the bus has two devices
// for it from the start?
//
// Planted  the lock is initialised after the driver is registered: whoever holds it by then holds nothing any more.
// Source   Linux Integration Services, "Fix bug in storvsc: serialize probe calls".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("lock initialised late") {
  struct Lock {
    Shared<bool> held{"probe lock"};
    void initialise() { held = false; }
    void acquire() {
      while (held.exchange(true)) held.await([](bool taken) { return !taken; });
    }
    void release() { held = false; }
  };
  struct Driver {
    Lock lock;
    Event registered{"registered", Event::notification};
    Data<int> adapters{"adapters"};
    Shared<int> negotiations{"negotiations"};

    void probe() {
      registered.wait();
      lock.acquire();
      const int number = adapters;
      for (int message = 0; message < VMBSIM_SIZE; ++message) ++negotiations;
      adapters = number + 1;
      lock.release();
    }
  };
  auto& driver = make<Driver>();
  thread("load", [&] {
    if (healthy) driver.lock.initialise();
    driver.registered.set();
    if (!healthy) driver.lock.initialise();
  });
  for (const char* device : {"first probe", "second probe"}) thread(device, [&] { driver.probe(); });
}
