// An interrupt routine finds the channels to serve in event flags; a sender interrupts when it raises a flag that was down.
// Is a packet that comes during the scan served?
//
// Planted  the flag is cleared after the ring was looked at.
// Source   Linux, vmbus_chan_sched: sync_test_and_clear_bit before the channel is served.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("flag cleared late") {
  struct Channel {
    Shared<int> in{"in"};
    Shared<int> flag{"event flag"};
    Data<int> served{"served"};
    void serve() { served = in.load(); }
  };
  auto& channel = make<Channel>();
  auto& doorbell = make<Interrupt>("doorbell", 0, Irql::device, [&] {
    if (healthy) channel.flag = 0;
    channel.serve();
    if (!healthy) channel.flag = 0;
  });
  thread("sender",
         [&] {
           for (int packet = 0; packet < 2; ++packet) {
             ++channel.in;
             if (channel.flag.exchange(1) == 0) doorbell.request();
           }
         },
         {.cpu = 1});
  at_end([&] { check(channel.served.peek() == 2, "every packet is served"); });
}
