// A stack without locks: a pop replaces the top if it is still the one it read. Can it be the same top and yet another stack?
//
// Planted  the top is compared by its address; it may have been popped and pushed again meanwhile.
// Source   Treiber, "Systems programming: coping with parallelism", IBM RJ 5118, 1986; IBM System/370 Principles of Operation,
//          appendix A: the version count.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("treiber stack") {
  // Nodes 1, 2, 3; 0 is none. The top carries a count of changes in its upper half, which the planted stack leaves at 0.
  struct Stack {
    Shared<int> next[4]{Shared<int>("no next"), Shared<int>("next of 1", 2), Shared<int>("next of 2", 3),
                        Shared<int>("next of 3")};
    Shared<long> top{"top", 1};
    Shared<int> owned[4]{Shared<int>("none owned"), Shared<int>("1 owned"), Shared<int>("2 owned"),
                         Shared<int>("3 owned")};

    static long changed(long before, int node) { return (healthy ? (before & ~0xffL) + 0x100 : 0) | node; }
    int pop() {
      for (;;) {
        long seen = top;
        const int node = static_cast<int>(seen & 0xff);
        if (node == 0) return 0;
        const int after = next[node];
        if (!top.compare_exchange(seen, changed(seen, after))) continue;
        check(owned[node].exchange(1) == 0, "a node is popped by one thread");
        return node;
      }
    }
    void push(int node) {
      owned[node] = 0;
      for (;;) {
        long seen = top;
        next[node] = static_cast<int>(seen & 0xff);
        if (top.compare_exchange(seen, changed(seen, node))) return;
      }
    }
  };
  auto& stack = make<Stack>();
  thread("slow", [&] {
    stack.pop();
    stack.pop();
  });
  thread("fast", [&] {
    const int first = stack.pop();
    stack.pop();
    if (first != 0) stack.push(first);
  });
}
