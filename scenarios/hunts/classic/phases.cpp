// Threads work in two phases with a lock each. Do all come to the end of the second one?
//
// Planted  who sees only with the second lock that its work is done leaves without giving the lock back.
// Source   SCTBench, phase01.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("phases") {
  struct Work {
    Mutex first{"first phase"};
    Mutex second{"second phase"};
    Data<int> prepared{"prepared"};
    Shared<bool> done{"done"};
  };
  auto& work = make<Work>();
  for (const char* name : {"one", "two", "three"})
    thread(name, [&work] {
      work.first.lock();
      ++work.prepared;
      work.first.unlock();
      if (work.done) return;
      work.second.lock();
      if (work.done) {
        if (healthy) work.second.unlock();
        return;
      }
      work.done = true;
      work.second.unlock();
    });
}
