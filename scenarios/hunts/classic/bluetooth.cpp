// A driver is stopped while a request comes in. Can the request meet a device that is gone?
//
// Planted  the request looks at the stopping flag before it counts itself, so the stop can go by in between.
// Source   Qadeer and Wu, "KISS: keep it simple and sequential", PLDI 2004: the Bluetooth driver.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("bluetooth") {
  struct Extension {
    Shared<int> pending{"pending", 1};
    Shared<bool> stopping{"stopping"};
    Shared<bool> gone{"gone"};
    Event idle{"idle", Event::notification};

    void leave() {
      if (pending.fetch_sub(1) == 1) idle.set();
    }
    bool enter() {
      if (!healthy) {
        if (stopping) return false;
        pending.fetch_add(1);
        return true;
      }
      pending.fetch_add(1);
      if (!stopping) return true;
      leave();
      return false;
    }
  };
  auto& extension = make<Extension>();
  thread("request", [&] {
    if (!extension.enter()) return;
    check(!extension.gone, "no request is served by a device that is gone");
    extension.leave();
  });
  thread("stop", [&] {
    extension.stopping = true;
    extension.leave();
    extension.idle.wait();
    extension.gone = true;
  });
}
