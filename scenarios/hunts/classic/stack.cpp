// One thread pushes, another one pops. Does a pop always find what the top promises?
//
// Planted  the pop looks whether there is something before it takes the lock.
// Source   SCTBench, stack.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("stack") {
  struct Stack {
    Mutex lock{"lock"};
    Shared<int> top{"top"};
  };
  auto& stack = make<Stack>();
  const auto pop = [&stack] {
    if (!healthy && stack.top == 0) return;
    const std::scoped_lock guard(stack.lock);
    if (healthy && stack.top == 0) return;
    const int top = stack.top;
    check(top > 0, "a pop takes from a stack that holds something");
    stack.top = top - 1;
  };
  thread("push", [&stack] {
    const std::scoped_lock guard(stack.lock);
    ++stack.top;
  });
  thread("pop", pop);
  thread("another pop", pop);
}
