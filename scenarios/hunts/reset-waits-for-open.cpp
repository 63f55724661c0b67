// A virtual machine is reset: its devices are stopped, then the bus server releases its channels, then the devices go on. A guest's
// open is under way. Does the reset end?
//
// Planted  the server waits for the result of an open that it has passed to its device; a stopped device keeps it for later.
// Source   OpenVMM, 9a7dbd58e: a reset releases a channel that is being opened without waiting for its device.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("reset waits for an open") {
  enum : int { closed, opening, open };
  struct Server {
    KernelSemaphore messages{"messages", 0, 8};
    Shared<bool> open_posted{"open posted"};
    Shared<bool> device_answered{"device answered"};
    Shared<bool> reset_asked{"reset asked"};
    Event was_reset{"was reset", Event::synchronization};
    Data<int> channel{"channel", closed};
  };
  struct Device {
    KernelSemaphore requests{"requests", 0, 8};
    Event running{"running", Event::notification, true};
  };
  auto& server = make<Server>();
  auto& device = make<Device>();
  thread("guest", [&] {
    server.open_posted = true;
    server.messages.release();
  });
  thread("server",
         [&] {
           for (bool resetting = false;;) {
             server.messages.acquire();
             if (server.open_posted.exchange(false)) {
               server.channel = opening;
               device.requests.release();
             }
             if (server.device_answered.exchange(false) && server.channel == opening) server.channel = open;
             if (server.reset_asked.exchange(false)) resetting = true;
             if (!resetting || (!healthy && server.channel == opening)) continue;
             server.channel = closed;
             server.was_reset.set();
             resetting = false;
           }
         },
         {.daemon = true});
  thread("device",
         [&] {
           for (;;) {
             device.requests.acquire();
             device.running.wait();
             server.device_answered = true;
             server.messages.release();
           }
         },
         {.daemon = true});
  thread("reset", [&] {
    device.running.clear();
    server.reset_asked = true;
    server.messages.release();
    server.was_reset.wait();
    device.running.set();
  });
}
