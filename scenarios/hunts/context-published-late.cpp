// A driver opens its subchannels and notes each in its table. The host may send as soon as it has accepted an open. Does the
// callback find its channel there?
//
// Planted  a channel is noted when its open has returned.
// Source   Linux Integration Services, "netvsc: avoid race with callback".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("context published late") {
  struct Channel {
    Event posted{"open posted", Event::synchronization};
    Event accepted{"open accepted", Event::synchronization};
    Event result{"open result", Event::synchronization};
    Shared<int> in{"in"};
    Shared<int> received{"received"};
    Shared<Channel*> noted{"place in the table"};
    Dpc callback{"callback", [this] {
                   Channel* const channel = noted;
                   check(channel != nullptr, "a callback finds its channel");
                   channel->received = channel->in.load();
                 }};
  };
  struct Device {
    Channel channels[VMBSIM_WIDTH];
  };
  auto& device = make<Device>();
  thread("host's switch",
         [&] {
           std::uint32_t target = 0;
           for (Channel& channel : device.channels) {
             channel.accepted.wait();
             ++channel.in;
             channel.callback.insert_on(target++);
           }
         },
         {.cpu = VMBSIM_WIDTH + 2});
  thread("host's bus",
         [&] {
           for (Channel& channel : device.channels) {
             channel.posted.wait();
             channel.accepted.set();
             channel.result.set();
           }
         },
         {.cpu = VMBSIM_WIDTH + 1});
  thread("driver",
         [&] {
           for (Channel& channel : device.channels) {
             if (healthy) channel.noted = &channel;
             channel.posted.set();
             channel.result.wait();
             if (!healthy) channel.noted = &channel;
           }
         },
         {.cpu = VMBSIM_WIDTH});
}
