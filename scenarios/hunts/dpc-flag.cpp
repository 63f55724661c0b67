// An interrupt routine queues a DPC unless the driver's own flag says that it is busy. Does the DPC see every packet?
//
// Planted  the flag is lowered after the DPC has looked for the last time.
// Source   WDK, KeInsertQueueDpc: an object that is running may be queued again, so a flag of one's own is what loses it.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("DPC flag") {
  struct Device {
    Shared<int> arrived{"arrived"};
    Shared<bool> busy{"busy"};
    Data<int> served{"served"};
  };
  auto& device = make<Device>();
  auto& drain = make<Dpc>("drain", [&] {
    if (healthy) device.busy = false;
    device.served = device.arrived.load();
    if (!healthy) device.busy = false;
  });
  auto& interrupt = make<Interrupt>("interrupt", 0, Irql::device, [&] {
    ++device.arrived;
    if (!device.busy.exchange(true)) drain.insert();
  });
  thread("device",
         [&] {
           for (int packet = 0; packet < VMBSIM_SIZE; ++packet) interrupt.request();
         },
         {.cpu = 1});
  at_end([&] { check(device.served.peek() == device.arrived.peek(), "every packet is served"); });
}
