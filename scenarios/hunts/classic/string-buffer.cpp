// One thread appends a buffer to another, a second one erases it meanwhile. Does the copy get what was measured?
//
// Planted  the source is locked for measuring and again for copying, not in between.
// Source   SCTBench, stringbuffer; the class of the same name in Sun's JDK 1.4.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("string buffer") {
  struct Buffer {
    Mutex lock{"lock"};
    Shared<int> length{"length", 3};
  };
  auto& source = make<Buffer>();
  thread("append", [&] {
    std::unique_lock guard(source.lock);
    const int measured = source.length;
    if (!healthy) {
      guard.unlock();
      guard.lock();
    }
    check(measured <= source.length, "as much is copied as was measured");
  });
  thread("erase", [&] {
    const std::scoped_lock guard(source.lock);
    source.length = 0;
  });
}
