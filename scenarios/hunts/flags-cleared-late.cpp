// An interrupt routine looks through the event flags of all channels. Does it serve every packet?
//
// Planted  a flag is cleared after its channel was served: what comes in between finds it set and does not ring.
// Source   TLFS, synthetic interrupt controller: a set flag means that the interrupt is on its way.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("flags cleared late") {
  struct Channel {
    Shared<int> in{"in"};
    Shared<int> flag{"event flag"};
    Data<int> served{"served"};
  };
  struct Bus {
    Channel channels[VMBSIM_WIDTH];
  };
  auto& bus = make<Bus>();
  auto& doorbell = make<Interrupt>("doorbell", 0, Irql::device, [&] {
    for (Channel& channel : bus.channels) {
      if (healthy ? channel.flag.exchange(0) == 0 : channel.flag == 0) continue;
      channel.served = channel.in.load();
      if (!healthy) channel.flag = 0;
    }
  });
  int cpu = 0;
  for (Channel& channel : bus.channels)
    thread("sender",
           [&] {
             for (int packet = 0; packet < VMBSIM_SIZE; ++packet) {
               ++channel.in;
               if (channel.flag.exchange(1) == 0) doorbell.request();
             }
           },
           {.cpu = ++cpu});
  at_end([&] {
    for (Channel& channel : bus.channels) check(channel.served.peek() == VMBSIM_SIZE, "every packet is served");
  });
}
