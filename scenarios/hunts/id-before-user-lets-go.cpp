// A host takes a channel back while its user still makes requests by the channel's id. Whose are they?
//
// Planted  the client gives the id back when it hears of the rescind, not when the user has let go; the host offers the next
//          channel under it.
// Source   OpenVMM, c43125374 (vmbus_client): an id is not used again until the user of the revoked channel releases it.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("id before its user lets go") {
  struct Client {
    Mutex lock{"channel table lock"};
    Shared<int> channel_of_id{"channel of the id", 1};
    Shared<bool> revoked{"revoked"};
    Event let_go{"let go", Event::synchronization};
    Event rescinded{"rescinded", Event::synchronization};
    Event id_released{"id released", Event::synchronization};
    Shared<int> requests{"requests"};
  };
  auto& client = make<Client>();
  thread("user", [&] {
    for (int request = 0; request < VMBSIM_SIZE && !client.revoked; ++request) {
      client.lock.lock();
      check(client.channel_of_id == 1, "a request is for the channel that its user has");
      ++client.requests;
      client.lock.unlock();
    }
    client.let_go.set();
  });
  thread("client", [&] {
    client.rescinded.wait();
    client.revoked = true;
    if (healthy) client.let_go.wait();
    client.id_released.set();
  });
  thread("host", [&] {
    client.rescinded.set();
    client.id_released.wait();
    client.lock.lock();
    client.channel_of_id = 2;
    client.lock.unlock();
  });
}
