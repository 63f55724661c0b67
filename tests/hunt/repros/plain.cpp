// Fails in every order: the repro of the plain run names no departure.
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("plain") {
  auto& word = make<Shared<int>>("word");
  thread("only", [&] { check(word.exchange(1) == 2, "the word was two"); });
}
