// A network driver changes its MTU: it stops sending, waits for what is under way, and replaces its send buffer. Does nobody use the
// old one?
//
// Planted  a sender looks whether it may send before it counts itself as under way.
// Source   FreeBSD, D8046: transmission is suspended and drained before the buffers are disconnected.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("reconfigured under load") {
  struct Buffer {
    Shared<int> frames{"frames"};
  };
  struct Device {
    Shared<bool> suspended{"suspended"};
    Shared<int> under_way{"under way"};
    Shared<Buffer*> buffer{"buffer"};
    Shared<int> unmapped{"unmapped sections"};
    Event disconnect{"disconnect", Event::synchronization};
    Event disconnected{"disconnected", Event::synchronization};

    bool may_send() {
      if (!healthy && suspended) return false;
      ++under_way;
      if (!healthy || !suspended) return true;
      --under_way;
      return false;
    }
  };
  auto& device = make<Device>();
  device.buffer = allocate<Buffer>("send buffer");
  thread("sender", [&] {
    for (int frame = 0; frame < 2; ++frame) {
      if (!device.may_send()) return;
      ++device.buffer.load()->frames;
      --device.under_way;
    }
  });
  thread("change of MTU", [&] {
    device.suspended = true;
    device.under_way.await([](int under_way) { return under_way == 0; });
    device.disconnect.set();
    device.disconnected.wait();
    release(device.buffer.load());
  });
  thread("host", [&] {
    device.disconnect.wait();
    for (int section = 0; section < VMBSIM_SIZE; ++section) ++device.unmapped;
    device.disconnected.set();
  });
}
