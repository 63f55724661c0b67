// Customers draw numbers, the lowest one is served. Is one served at a time?
//
// Planted  a drawn number may still be in the store buffer when the others' are read.
// Source   Lamport, "A new solution of Dijkstra's concurrent programming problem", CACM 17(8), 1974.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("bakery") {
  struct Bakery {
    Shared<bool> drawing[2]{Shared<bool>("zero draws"), Shared<bool>("one draws")};
    Shared<int> number[2]{Shared<int>("zero's number"), Shared<int>("one's number")};
    Shared<int> inside{"inside"};
  };
  auto& bakery = make<Bakery>();
  for (const int self : {0, 1})
    thread(self == 0 ? "zero" : "one", [&bakery, self] {
      const int other = 1 - self;
      bakery.drawing[self].store(true, relaxed);
      if (healthy) fence();
      const int mine = 1 + bakery.number[other].load(relaxed);
      bakery.number[self].store(mine, relaxed);
      bakery.drawing[self].store(false, relaxed);
      if (healthy) fence();
      bakery.drawing[other].await([](bool draws) { return !draws; });
      bakery.number[other].await(
          [mine, self](int theirs) { return theirs == 0 || theirs > mine || (theirs == mine && self == 0); });
      check(++bakery.inside == 1, "one at a time is served");
      --bakery.inside;
      bakery.number[self].store(0, relaxed);
    });
}
