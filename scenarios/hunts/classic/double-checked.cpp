// An object is made when first needed and shared afterwards. Is it whole for everybody who sees it?
//
// Planted  the flag that says so may become visible before what it speaks of.
// Source   Schmidt and Harrison, "Double-checked locking", 1997; Bacon et al., "The double-checked locking is broken declaration".
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("double-checked initialisation") {
  struct Object {
    Mutex lock{"lock"};
    Shared<bool> made{"made"};
    Shared<int> content{"content"};

    int get() {
      if (!made.load(acquire)) {
        const std::scoped_lock guard(lock);
        if (!made.load(relaxed)) {
          content.store(7, relaxed);
          made.store(true, healthy ? release : relaxed);
        }
      }
      return content.load(relaxed);
    }
  };
  auto& object = make<Object>();
  for (const char* user : {"one", "two"})
    thread(user, [&] { check(object.get() == 7, "who sees the object sees it whole"); });
}
