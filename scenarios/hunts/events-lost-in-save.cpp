// Guest and host talk over the rings of several channels while the machine is saved and restored. Is every ring looked at that
// holds a packet?
//
// Planted  signals that are on their way are not part of what is saved, and after the restore nobody asks which ring needs one.
// Source   OpenVMM, 7f9f66ad0 (unstick_channels): after a restore, who has packets waiting is signalled.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("events lost in a save") {
  struct Ring {
    Shared<int> in{"in"};
    Shared<int> out{"out"};
    Event awake{"awake", Event::synchronization};
    Dpc signal{"signal", [this] { awake.set(); }};  // on its way while it is queued

    void send() {
      const int before = in;
      in = before + 1;
      if (out == before) signal.insert();
    }
    void receive() {
      const int read = out;
      while (in == read) awake.wait();
      out = read + 1;
    }
    void save_and_restore() {
      signal.remove();
      if (healthy && in != out) signal.insert();
    }
  };
  struct Channel {
    Ring to_host, to_guest;
  };
  struct Machine {
    Channel channels[VMBSIM_WIDTH];
  };
  auto& machine = make<Machine>();
  thread("save and restore", [&] {
    for (Channel& channel : machine.channels) {
      channel.to_host.save_and_restore();
      channel.to_guest.save_and_restore();
    }
  });
  for (Channel& channel : machine.channels) {
    thread("guest", [&] {
      for (int request = 0; request < VMBSIM_SIZE; ++request) {
        channel.to_host.send();
        channel.to_guest.receive();
      }
    });
    thread("host", [&] {
      for (int request = 0; request < VMBSIM_SIZE; ++request) {
        channel.to_host.receive();
        channel.to_guest.send();
      }
    });
  }
}
