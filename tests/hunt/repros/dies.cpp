// Ends the process in some orders: no handler sees it.
#include <csignal>

#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("dies") {
  auto& count = make<Shared<int>>("count");
  for (const char* name : {"a", "b"})
    thread(name, [&] {
      const int before = count.load();
      count.store(before + 1);
    });
  at_end([&] {
    if (count.peek() != 2) std::raise(SIGKILL);
  });
}
