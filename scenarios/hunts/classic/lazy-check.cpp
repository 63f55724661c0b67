// Two threads add to a sum, a third one checks it. Is the bound it checks right?
//
// Planted  the bound leaves out that both may have come first.
// Source   SCTBench, lazy01.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("lazy check") {
  struct Sum {
    Mutex lock{"lock"};
    Shared<int> value{"value"};
  };
  auto& sum = make<Sum>();
  thread("checker", [&] {
    const std::scoped_lock guard(sum.lock);
    check(sum.value < (healthy ? 4 : 3), "the sum stays below the bound");
  });
  for (const int amount : {1, 2})
    thread(amount == 1 ? "adds one" : "adds two", [&sum, amount] {
      const std::scoped_lock guard(sum.lock);
      sum.value = sum.value + amount;
    });
}
