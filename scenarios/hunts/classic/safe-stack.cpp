// Threads take places from a lock-free stack of three, own them for a moment, and put them back. Does a place have one owner?
//
// Planted  the stack itself: a place may be taken, put back and taken again while a slow thread still means the first time.
// Source   Vyukov's SafeStack, as in SCTBench: at least five pre-emptions.
#include <mutex>

#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("safe stack") {
  static constexpr int places = 3, nothing = -1;
  struct Stack {
    Mutex lock{"lock"};
    Shared<int> head{"head"};
    Shared<int> count{"count", places};
    Shared<int> next[places]{Shared<int>("next of 0", 1), Shared<int>("next of 1", 2),
                             Shared<int>("next of 2", nothing)};
    Shared<int> owner[places]{Shared<int>("owner of 0"), Shared<int>("owner of 1"), Shared<int>("owner of 2")};
    std::unique_lock<Mutex> guard() { return healthy ? std::unique_lock(lock) : std::unique_lock<Mutex>(); }

    int take() {
      const auto whole = guard();
      while (count > 1) {
        int first = head;
        const int second = next[first].exchange(nothing);
        if (second < 0) {
          yield();
          continue;
        }
        const int taken = first;
        if (head.compare_exchange(first, second)) {
          count.fetch_sub(1);
          return taken;
        }
        next[taken].exchange(second);
      }
      return nothing;
    }
    void put(int place) {
      const auto whole = guard();
      int first = head;
      do next[place] = first;
      while (!head.compare_exchange(first, place));
      count.fetch_add(1);
    }
  };
  auto& stack = make<Stack>();
  for (int self = 1; self <= 3; ++self)
    thread("user", [&stack, self] {
      for (int times = 0; times < 2; ++times) {
        int place = stack.take();
        for (; place == nothing; place = stack.take()) yield();
        stack.owner[place] = self;
        check(stack.owner[place] == self, "a place has one owner");
        stack.put(place);
      }
    });
}
