// Writers and readers share a word and each takes a lock. Does the value stay put while a reader holds its lock?
//
// Planted  the readers take another lock than the writers.
// Source   SCTBench, wronglock.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("wrong lock") {
  struct Value {
    Mutex lock{"lock"};
    Mutex another{"another lock"};
    Shared<int> word{"word"};
  };
  auto& value = make<Value>();
  for (int writer = 0; writer < 2; ++writer)
    thread("writer", [&] {
      const std::scoped_lock guard(value.lock);
      ++value.word;
    });
  thread("reader", [&] {
    const std::scoped_lock guard(healthy ? value.lock : value.another);
    const int seen = value.word;
    check(value.word == seen, "the value stays put under the lock");
  });
}
