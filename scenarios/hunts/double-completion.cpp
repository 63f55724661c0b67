// A request is cancelled while its response arrives. Is it completed once?
//
// Planted  both look whether it is still pending, and only then take it.
// Source   WDK, "Synchronizing IRP cancellation": IoSetCancelRoutine's exchange decides who completes.
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("double completion") {
  struct Request {
    Shared<bool> pending{"pending", true};
    Shared<int> completions{"completions"};

    void complete() {
      if (healthy) {
        if (!pending.exchange(false)) return;
      } else {
        if (!pending) return;
        pending = false;
      }
      check(++completions == 1, "a request is completed once");
    }
  };
  auto& request = make<Request>();
  auto& response = make<Dpc>("response", [&] { request.complete(); });
  thread("channel", [&] { response.insert(); });
  thread("cancel", [&] { request.complete(); });
}
