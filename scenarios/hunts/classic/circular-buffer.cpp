// One writer, one reader, a ring of two places and a count of what is in it. Is the count right?
//
// Planted  both ends change the count in two steps.
// Source   SCTBench, circular_buffer.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("circular buffer") {
  struct Buffer {
    Shared<int> place[2]{Shared<int>("place 0"), Shared<int>("place 1")};
    Shared<int> count{"count"};
    void change(int by) {
      if (healthy)
        count += by;
      else
        count = count + by;
    }
  };
  auto& buffer = make<Buffer>();
  thread("writer", [&] {
    for (int item = 0; item < 3; ++item) {
      buffer.count.await([](int held) { return held < 2; });
      buffer.place[item % 2] = item;
      buffer.change(+1);
    }
  });
  thread("reader", [&] {
    for (int item = 0; item < 3; ++item) {
      buffer.count.await([](int held) { return held > 0; });
      check(buffer.place[item % 2] == item, "items come in the order they were written in");
      buffer.change(-1);
    }
  });
  at_end([&] { check(buffer.count.peek() == 0, "the ring is empty when all was read"); });
}
