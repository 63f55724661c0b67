#pragma once
/// Locks as a graph: deadlocks that a run came near to, though it went well, and those it is in.
///
///   LockGraph graph;
///   if (const auto danger = graph.acquire(context, lock, {.waits = true, .held_at = 2, .entered_at = 0})) report(*danger);
///   graph.release(context, lock);
///
/// Order    An edge leads from every lock a context holds to the one it waits for. A cycle is reported once, when its last edge
///          appears, if different contexts made its edges and nothing keeps them apart: no lock is held at two of them, and none
///          is made after another whatever order the locks are taken in, as one thread joins another or waits for its event.
/// IRQL     A lock that a context entered at IRQL e takes (an ISR at its device's, a DPC at DISPATCH_LEVEL), and that is held
///          elsewhere below e, makes a processor wait for what it interrupted: directly, or through locks that are waited
///          for in between.
/// Source   Linux, lockdep-design.rst (edges, states of a lock by interrupts); Havelund, "Using runtime analysis to guide model
///          checking of Java programs", SPIN 2000 (different threads, gates); WDK, "Bug Check 0xC4", 0x1001.
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "sim/observe/vector_clock.hpp"

namespace vmbsim::observe {

class LockGraph {
 public:
  struct Use {
    bool waits = true;             ///< false: a try, which never waits and so closes no cycle
    std::uint8_t held_at = 0;      ///< IRQL of the processor while the lock is held
    std::uint8_t entered_at = 0;   ///< IRQL at which the context began: what it can interrupt lies below
    std::uint32_t now = 0;         ///< the context's own count of its moments; 0: no order is known
    const Clock* known = nullptr;  ///< what it knows of the others' counts by anything but locks; null: nothing
  };
  enum class Danger : std::uint8_t {
    order,  ///< contexts wait for each other in a ring
    irql,   ///< who interrupts waits for whom it interrupted
  };
  struct Cycle {
    Danger danger;
    std::vector<std::uint32_t> locks;  ///< each waited for while the one before is held; the last leads to the first
    std::vector<std::uint32_t> contexts = {};  ///< order: who waited for the next lock while holding this one
  };

  /// `context` asks for `lock`, both numbers of the caller's, small ones. Answers a danger that was not known before.
  std::optional<Cycle> acquire(std::uint32_t context, std::uint32_t lock, const Use& use);
  /// A release of what is not held is somebody else's finding, and ignored.
  void release(std::uint32_t context, std::uint32_t lock);
  /// What `context` holds, in order of acquisition.
  std::span<const std::uint32_t> held(std::uint32_t context) const;
  /// Forgets everything but its memory.
  void clear();

 private:
  /// Who made an edge, and what else it held then.
  struct Witness {
    std::uint32_t context;
    std::vector<std::uint32_t> gates;
    std::uint32_t now;
    Clock known;
  };
  struct Edge {
    std::uint32_t to;
    std::vector<Witness> witnesses;
  };
  struct Lock {
    std::vector<Edge> edges;
    std::uint8_t lowest_held = 0xff;
    std::uint8_t highest_entered = 0;
    bool told_irql = false;
  };

  /// What a search is for: a way back to `first` within its strong component.
  struct Ring {
    const std::vector<std::uint32_t>& component;  // by lock
    std::uint32_t first;
    std::size_t longest;
  };

  const Witness* add_edge(std::uint32_t from, std::uint32_t to, std::uint32_t context, const Use& use);
  std::optional<Cycle> order_cycle(std::uint32_t from, std::uint32_t to, const Witness& last);
  bool extend(const Ring& ring, std::vector<std::uint32_t>& path, std::vector<const Witness*>& by, std::size_t& effort);
  bool may_meet(const Witness& a, const Witness& b);
  std::optional<Cycle> irql_cycle(std::uint32_t lock);
  std::vector<std::uint32_t> components() const;

  std::vector<Lock> locks_;                       // by number
  std::vector<std::vector<std::uint32_t>> held_;  // by context
  bool kept_apart_ = false;                       // some ring by order alone: later it may not be
  std::set<std::vector<std::uint32_t>> told_;     // rings, each from its lowest lock on
};

/// `waiter` cannot go on before `owner` has. Numbers are the caller's.
struct WaitsFor {
  std::uint32_t waiter;
  std::uint32_t owner;
};
/// Some ring of waiters, from its lowest number on, each waiting for the next; empty when there is none.
std::vector<std::uint32_t> find_wait_cycle(std::span<const WaitsFor> waits);

}  // namespace vmbsim::observe
