// A worker handles offers of channels, another one rescinds; a rescind must not overtake its offer, so it waits until no offer is in
// progress. Is every offer over some time?
//
// Planted  an offer for which there is no memory is not counted off.
// Source   Linux Integration Services, "Fix the offer_in_progress in vmbus_process_offer()".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("offer never over") {
  struct Bus {
    KernelSemaphore offers{"offers", 0, VMBSIM_SIZE};
    KernelSemaphore rescinds{"rescinds", 0, VMBSIM_SIZE};
    Shared<int> in_progress{"offers in progress"};
    Mutex lock{"channel list lock"};
    Data<int> channels{"channels"};

    void process_offer() {
      if (fault("no memory for a channel")) {
        if (healthy) --in_progress;
        return;
      }
      lock.lock();
      channels = channels + 1;
      lock.unlock();
      --in_progress;
    }
    void process_rescind() {
      in_progress.await([](int count) { return count == 0; });
      lock.lock();
      if (channels != 0) channels = channels - 1;
      lock.unlock();
    }
  };
  auto& bus = make<Bus>();
  thread("messages", [&] {
    for (int channel = 0; channel < VMBSIM_SIZE; ++channel) {
      ++bus.in_progress;
      bus.offers.release();
      bus.rescinds.release();
    }
  });
  thread("offer worker", [&] {
    for (int offer = 0; offer < VMBSIM_SIZE; ++offer) {
      bus.offers.acquire();
      bus.process_offer();
    }
  });
  thread("rescind worker", [&] {
    for (int rescind = 0; rescind < VMBSIM_SIZE; ++rescind) {
      bus.rescinds.acquire();
      bus.process_rescind();
    }
  });
}
