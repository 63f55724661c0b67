// A guest describes a buffer to the host in several messages, and crashes on another processor in the middle of it; the kernel that
// starts then uses the same ids. Does the host take them?
//
// Planted  what resets the connection forgets the buffers that were described, not the one that was half described.
// Source   OpenVMM, 29b0ef86e: incomplete GPADLs go with the channel that they were for.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("half-received GPADL") {
  struct Host {
    Mutex port{"message port"};
    Shared<bool> stopped{"old kernel stopped"};
    Shared<bool> mapped{"GPADL mapped"};
    Shared<int> parts_missing{"parts missing of the GPADL"};

    void header() {
      check(!mapped && parts_missing == 0, "the id of a new GPADL is not in use");
      parts_missing = VMBSIM_SIZE;
    }
    void body() {
      if (parts_missing != 0 && --parts_missing == 0) mapped = true;
    }
    void reset() {
      mapped = false;
      if (healthy) parts_missing = 0;
    }
    void describe(bool by_old_kernel) {
      for (int part = 0; part <= VMBSIM_SIZE; ++part) {
        port.lock();
        if (!by_old_kernel || !stopped) {
          if (part == 0)
            header();
          else
            body();
        }
        port.unlock();
      }
    }
  };
  auto& host = make<Host>();
  thread("driver", [&] { host.describe(true); });
  thread("crash", [&] {
    host.port.lock();
    host.stopped = true;
    host.reset();
    host.port.unlock();
    host.describe(false);
  });
}
