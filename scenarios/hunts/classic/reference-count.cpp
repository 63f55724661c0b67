// Two users share an object, the last one frees it. Is it freed once, and after the last use?
//
// Planted  the count is lowered in two steps.
// Source   Boost.Atomic, "Usage examples": reference counting.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("reference count") {
  struct Object {
    Shared<int> users{"users", 2};
  };
  auto* const object = allocate<Object>("object");
  for (const char* name : {"one", "two"})
    thread(name, [object] {
      const int before = healthy ? object->users.fetch_sub(1) : object->users.load();
      if (!healthy) object->users = before - 1;
      if (before == 1) release(object);
    });
}
