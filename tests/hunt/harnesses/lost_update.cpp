// Two contexts read and write a word: one update may be lost. A static counts how often this copy of the library has run.
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

namespace {
int runs_of_this_copy = 0;
}

VMBSIM_HARNESS("lost update") {
  check(++runs_of_this_copy == 1, "statics are as they were loaded");
  auto& count = make<Shared<int>>("count");
  for (const char* name : {"a", "b"}) thread(name, [&] { count.store(count.load() + 1); });
  at_end([&] { check(count.peek() == 2, "both were counted"); });
}
