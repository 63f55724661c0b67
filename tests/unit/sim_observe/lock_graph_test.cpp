#include "sim/observe/lock_graph.hpp"

#include <catch2/catch.hpp>

using namespace vmbsim::observe;

namespace {

using Locks = std::vector<std::uint32_t>;
constexpr LockGraph::Use passive{.held_at = 0};
constexpr LockGraph::Use at_dispatch{.held_at = 2};

/// `context` takes the locks in order and gives them back.
std::optional<LockGraph::Cycle> take(LockGraph& graph, std::uint32_t context, const Locks& locks,
                                     const LockGraph::Use& use = at_dispatch) {
  std::optional<LockGraph::Cycle> found;
  for (const std::uint32_t lock : locks)
    if (auto danger = graph.acquire(context, lock, use)) found = danger;
  for (const std::uint32_t lock : locks) graph.release(context, lock);
  return found;
}

}  // namespace

TEST_CASE("two contexts that take two locks in opposite order could wait for each other") {
  LockGraph graph;
  CHECK_FALSE(take(graph, 0, {1, 2}));
  const auto cycle = take(graph, 1, {2, 1});
  REQUIRE(cycle);
  CHECK(cycle->danger == LockGraph::Danger::order);
  CHECK(cycle->locks == Locks{2, 1});
  SECTION("which is told once") { CHECK_FALSE(take(graph, 1, {2, 1})); }
}

TEST_CASE("three contexts and three locks make a ring that no two of them make") {
  LockGraph graph;
  CHECK_FALSE(take(graph, 0, {1, 2}));
  CHECK_FALSE(take(graph, 1, {2, 3}));
  const auto cycle = take(graph, 2, {3, 1});
  REQUIRE(cycle);
  CHECK(cycle->locks == Locks{3, 1, 2});
}

TEST_CASE("a ring may be as long as a table of philosophers") {
  constexpr std::uint32_t seats = 40;
  LockGraph graph;
  for (std::uint32_t seat = 0; seat + 1 < seats; ++seat) CHECK_FALSE(take(graph, seat, {seat, seat + 1}));
  const auto cycle = take(graph, seats - 1, {seats - 1, 0});
  REQUIRE(cycle);
  CHECK(cycle->locks.size() == seats);
}

TEST_CASE("a search for a ring among millions of ways round comes to its end") {
  // Every lock before every later one, by a context each; only the ways into the last one and out of it share a gate.
  constexpr std::uint32_t last = 30, gate = 40;
  LockGraph graph;
  std::uint32_t context = 0;
  for (std::uint32_t lock = 0; lock < last; ++lock) {
    for (std::uint32_t later = lock + 1; later < last; ++later) CHECK_FALSE(take(graph, context++, {lock, later}));
    CHECK_FALSE(take(graph, context++, {gate, lock, last}));
  }
  CHECK_FALSE(take(graph, context, {gate, last, 0}));
}

TEST_CASE("one context that takes locks in both orders, one after the other, never waits for itself") {
  LockGraph graph;
  CHECK_FALSE(take(graph, 0, {1, 2}));
  CHECK_FALSE(take(graph, 0, {2, 1}));
}

TEST_CASE("a lock that is held around both orders keeps them apart") {
  // Source: Havelund, SPIN 2000: gate locks.
  LockGraph graph;
  CHECK_FALSE(take(graph, 0, {7, 1, 2}));
  CHECK_FALSE(take(graph, 1, {7, 2, 1}));
  SECTION("until one of them goes without it") { CHECK(take(graph, 2, {2, 1})); }
}

TEST_CASE("who only tries a lock waits for nobody") {
  LockGraph graph;
  CHECK_FALSE(take(graph, 0, {1, 2}));
  graph.acquire(1, 2, at_dispatch);
  CHECK_FALSE(graph.acquire(1, 1, {.waits = false, .held_at = 2}));
}

TEST_CASE("a lock that an interrupt routine takes is never held below the interrupt's level") {
  // Source: Linux, lockdep-design.rst: a lock is not both irq-safe and irq-unsafe.
  LockGraph graph;
  CHECK_FALSE(take(graph, 0, {1}, at_dispatch));
  const auto danger = take(graph, 1, {1}, {.held_at = 12, .entered_at = 12});
  REQUIRE(danger);
  CHECK(danger->danger == LockGraph::Danger::irql);
  CHECK(danger->locks == Locks{1});
}

TEST_CASE("a lock of an interrupt routine under which one is waited for that is held lower is as bad") {
  // Source: Linux, lockdep-design.rst: no dependency from an irq-safe lock to an irq-unsafe one.
  LockGraph graph;
  CHECK_FALSE(take(graph, 0, {2}, passive));
  CHECK_FALSE(take(graph, 1, {1}, {.held_at = 12, .entered_at = 12}));
  graph.acquire(2, 1, {.held_at = 12});
  const auto danger = graph.acquire(2, 2, {.held_at = 12});
  REQUIRE(danger);
  CHECK(danger->danger == LockGraph::Danger::irql);
  CHECK(danger->locks == Locks{1, 2});
}

TEST_CASE("a DPC and a thread share a lock that both hold at DISPATCH_LEVEL") {
  LockGraph graph;
  CHECK_FALSE(take(graph, 0, {1}, {.held_at = 2, .entered_at = 0}));
  CHECK_FALSE(take(graph, 1, {1}, {.held_at = 2, .entered_at = 2}));
}

TEST_CASE("a graph that was cleared knows nothing of the run before") {
  LockGraph graph;
  CHECK_FALSE(take(graph, 0, {1, 2}));
  graph.acquire(0, 5, at_dispatch);
  graph.clear();
  CHECK(graph.held(0).empty());
  CHECK_FALSE(take(graph, 1, {2, 1}));
}

TEST_CASE("whoever waits for each other is told as a ring that begins with the lowest number") {
  CHECK(find_wait_cycle({}).empty());
  const WaitsFor chain[] = {{0, 1}, {1, 2}, {3, 1}};
  CHECK(find_wait_cycle(chain).empty());
  const WaitsFor ring[] = {{5, 3}, {3, 4}, {4, 3}, {0, 5}};
  CHECK(find_wait_cycle(ring) == Locks{3, 4});
  const WaitsFor itself[] = {{2, 2}};
  CHECK(find_wait_cycle(itself) == Locks{2});
}
