// A daemon registers with a driver that serves a host's requests by it: it writes who it is, reads the answer, then reads requests.
// Does it read them in that order?
//
// Planted  the driver counts as ready, and fetches the request that waits, when it has written its answer, not when that is read.
// Source   Linux Integration Services, "utils: fix a race on userspace daemons registration".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("ready before the handshake") {
  enum : int { nothing, answer, request };
  struct Utility {
    Shared<bool> ready{"ready"};
    Shared<int> in{"in"};
    Data<int> out{"out"};
    Mutex lock{"transport lock"};
    Shared<int> message{"message to the daemon"};
    Event readable{"readable", Event::synchronization};
    Event answered{"answered", Event::synchronization};

    WorkItem deliver{"deliver", [this] { write(request); }};
    Dpc callback{"callback", [this] {
                   if (!ready || in == out) return;
                   out = out + 1;
                   deliver.queue();
                 }};

    void become_ready() {
      ready = true;
      callback.insert_on(0);
    }
    void write(int what) {
      lock.lock();
      check(message == nothing, "the daemon has read what was written before");
      message = what;
      lock.unlock();
      readable.set();
    }
    int read() {
      readable.wait();
      lock.lock();
      const int what = message.exchange(nothing);
      lock.unlock();
      if (healthy && what == answer) become_ready();
      return what;
    }
  };
  auto& utility = make<Utility>();
  thread("daemon",
         [&] {
           utility.write(answer);
           if (!healthy) utility.become_ready();
           check(utility.read() == answer, "the first thing read is the answer");
           for (int served = 0; served < VMBSIM_SIZE; ++served) {
             check(utility.read() == request, "then come requests");
             utility.answered.set();
           }
         },
         {.cpu = 1});
  thread("host",
         [&] {
           for (int sent = 0; sent < VMBSIM_SIZE; ++sent) {
             ++utility.in;
             utility.callback.insert_on(0);
             utility.answered.wait();
           }
         },
         {.cpu = 2});
}
