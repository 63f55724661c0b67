// Two threads add the terms of a progression turn by turn, a third one reads the sum. Is it the sum of all terms?
//
// Planted  the turn is passed on before the term is added: two additions may overlap.
// Source   SCTBench, arithmetic_prog.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("arithmetic progression") {
  static constexpr int terms = 4;
  struct Sum {
    Mutex lock{"lock"};
    ConditionVariable passed_on{"passed on"};
    Data<int> turn{"turn", 1};  // the term that is added next
    Shared<int> total{"total"};

    void add(int term) {
      std::unique_lock guard(lock);
      while (turn != term) passed_on.wait(lock);
      if (healthy) total = total + term;
      turn = term + 1;
      passed_on.notify_all();
      guard.unlock();
      if (!healthy) total = total + term;
    }
  };
  auto& sum = make<Sum>();
  for (const int first : {1, 2})
    thread(first == 1 ? "odd terms" : "even terms", [&sum, first] {
      for (int term = first; term <= terms; term += 2) sum.add(term);
    });
  at_end([&] { check(sum.total.peek() == terms * (terms + 1) / 2, "every term is in the sum"); });
}
