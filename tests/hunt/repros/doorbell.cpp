// Each rings and then looks whether the other one has. Both may see nothing where stores wait in a buffer.

#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("doorbell") {
  struct Doors {
    Shared<int> left{"left"}, right{"right"};
    int seen_left = -1, seen_right = -1;
  };
  auto& doors = make<Doors>();
  thread("guest", [&] {
    doors.left.store(1, release);
    doors.seen_right = doors.right.load();
  });
  thread("host", [&] {
    doors.right.store(1, release);
    doors.seen_left = doors.left.load();
  });
  at_end([&] { check(doors.seen_left + doors.seen_right != 0, "one of them sees the other"); });
}
