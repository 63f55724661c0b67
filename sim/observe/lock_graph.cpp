#include "sim/observe/lock_graph.hpp"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>

namespace vmbsim::observe {

namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

/// Steps after which a search for a ring gives up: it tries every way round, short ones first.
constexpr std::size_t most_effort = 1 << 16;
/// Different ways in which one edge was made; later ones are not kept.
constexpr std::size_t most_witnesses = 16;

template <class T>
T& at(std::vector<T>& all, std::uint32_t index) {
  if (index >= all.size()) all.resize(index + 1);
  return all[index];
}

bool holds(const std::vector<std::uint32_t>& some, std::uint32_t one) {
  return std::find(some.begin(), some.end(), one) != some.end();
}

std::vector<std::uint32_t> strong_components_of(const Graph& graph) {
  std::vector<std::uint32_t> component(num_vertices(graph));
  boost::strong_components(graph,
                           boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, graph)));
  return component;
}

}  // namespace

std::optional<LockGraph::Cycle> LockGraph::acquire(std::uint32_t context, std::uint32_t lock, const Use& use) {
  Lock& taken = at(locks_, lock);
  std::vector<std::uint32_t>& before = at(held_, context);
  std::optional<Cycle> found;
  bool changed = false;
  if (use.waits)
    for (const std::uint32_t held : before) {
      const Witness* const last = held == lock ? nullptr : add_edge(held, lock, context, use);
      if (last == nullptr) continue;
      changed = true;
      if (!found) found = order_cycle(held, lock, *last);
    }
  if (use.held_at < taken.lowest_held) {
    taken.lowest_held = use.held_at;
    changed = true;
  }
  if (use.waits && use.entered_at > taken.highest_entered) {
    taken.highest_entered = use.entered_at;
    changed = true;
  }
  before.push_back(lock);
  if (changed && !found) found = irql_cycle(lock);
  return found;
}

void LockGraph::release(std::uint32_t context, std::uint32_t lock) {
  if (context >= held_.size()) return;
  std::vector<std::uint32_t>& held = held_[context];
  const auto last = std::find(held.rbegin(), held.rend(), lock);
  if (last != held.rend()) held.erase(std::next(last).base());
}

std::span<const std::uint32_t> LockGraph::held(std::uint32_t context) const {
  if (context >= held_.size()) return {};
  return held_[context];
}

void LockGraph::clear() {
  for (Lock& lock : locks_) {
    lock.edges.clear();
    lock.lowest_held = 0xff;
    lock.highest_entered = 0;
    lock.told_irql = false;
  }
  for (auto& held : held_) held.clear();
  kept_apart_ = false;
  told_.clear();
}

/// Not null when the edge, or this way of making it, is new. Of one context's ways with the same locks in hand that differ in what
/// it knows the first is kept and the latest.
const LockGraph::Witness* LockGraph::add_edge(std::uint32_t from, std::uint32_t to, std::uint32_t context,
                                              const Use& use) {
  std::vector<Edge>& edges = locks_[from].edges;
  auto edge = std::find_if(edges.begin(), edges.end(), [to](const Edge& each) { return each.to == to; });
  if (edge == edges.end()) edge = edges.insert(edges.end(), Edge{to, {}});
  const std::vector<std::uint32_t>& held = held_[context];
  const Clock known = use.known == nullptr ? Clock{} : *use.known;
  Witness* first = nullptr;
  for (Witness& one : edge->witnesses) {
    if (one.context != context || one.gates != held) continue;
    if (one.known != known && first == nullptr) {
      first = &one;
      continue;
    }
    one.now = use.now;
    one.known = known;
    return kept_apart_ ? &one : nullptr;
  }
  if (edge->witnesses.size() == most_witnesses) return nullptr;
  edge->witnesses.push_back({context, held, use.now, known});
  return first == nullptr || kept_apart_ ? &edge->witnesses.back() : nullptr;
}

std::optional<LockGraph::Cycle> LockGraph::order_cycle(std::uint32_t from, std::uint32_t to, const Witness& last) {
  const std::vector<std::uint32_t> component = components();
  if (component[from] != component[to]) return std::nullopt;
  std::size_t effort = 0;
  for (std::size_t longest = 2; longest < 2 * locks_.size() && effort < most_effort; longest *= 2) {
    std::vector<std::uint32_t> path{from, to};
    std::vector<const Witness*> by{&last};
    if (!extend({component, from, longest}, path, by, effort)) continue;
    path.pop_back();
    std::vector<std::uint32_t> ring = path;
    std::rotate(ring.begin(), std::min_element(ring.begin(), ring.end()), ring.end());
    if (!told_.insert(std::move(ring)).second) return std::nullopt;
    Cycle cycle{Danger::order, std::move(path)};
    for (const Witness* each : by) cycle.contexts.push_back(each->context);
    return cycle;
  }
  return std::nullopt;
}

/// Two ways of making edges whose contexts could both be about to wait.
bool LockGraph::may_meet(const Witness& a, const Witness& b) {
  if (a.context == b.context) return false;
  if (std::any_of(a.gates.begin(), a.gates.end(), [&b](std::uint32_t gate) { return holds(b.gates, gate); }))
    return false;
  const auto before = [](const Witness& one, const Witness& other) {
    return one.now != 0 && other.known.of(one.context) >= one.now;
  };
  if (!before(a, b) && !before(b, a)) return true;
  kept_apart_ = true;
  return false;
}

/// Goes on from the last lock of `path` until it is the first one again, each step by a context that may meet all others there.
bool LockGraph::extend(const Ring& ring, std::vector<std::uint32_t>& path, std::vector<const Witness*>& by,
                       std::size_t& effort) {
  if (path.back() == ring.first) return true;
  if (by.size() == ring.longest || ++effort > most_effort) return false;
  for (const Edge& edge : locks_[path.back()].edges) {
    if (ring.component[edge.to] != ring.component[ring.first]) continue;
    if (edge.to != ring.first && holds(path, edge.to)) continue;
    for (const Witness& witness : edge.witnesses) {
      if (!std::all_of(by.begin(), by.end(), [&](const Witness* other) { return may_meet(*other, witness); })) continue;
      path.push_back(edge.to);
      by.push_back(&witness);
      if (extend(ring, path, by, effort)) return true;
      path.pop_back();
      by.pop_back();
    }
  }
  return false;
}

/// From a lock that is taken after an interrupt, over what is waited for while it is held, to one that is held below that
/// interrupt's IRQL. `changed` has a part in it.
std::optional<LockGraph::Cycle> LockGraph::irql_cycle(std::uint32_t changed) {
  for (std::uint32_t start = 0; start < locks_.size(); ++start) {
    Lock& interrupting = locks_[start];
    if (interrupting.told_irql || interrupting.highest_entered == 0) continue;
    std::vector<std::uint32_t> from(locks_.size(), 0xffffffff);  // where the search came from
    std::vector<std::uint32_t> reached{start};
    from[start] = start;
    for (std::size_t i = 0; i < reached.size(); ++i) {
      const std::uint32_t here = reached[i];
      if (locks_[here].lowest_held < interrupting.highest_entered) {
        Cycle cycle{Danger::irql, {here}};
        while (cycle.locks.back() != start) cycle.locks.push_back(from[cycle.locks.back()]);
        if (start != changed && !holds(cycle.locks, changed)) break;
        std::reverse(cycle.locks.begin(), cycle.locks.end());
        interrupting.told_irql = true;
        return cycle;
      }
      for (const Edge& edge : locks_[here].edges)
        if (from[edge.to] == 0xffffffff) {
          from[edge.to] = here;
          reached.push_back(edge.to);
        }
    }
  }
  return std::nullopt;
}

std::vector<std::uint32_t> LockGraph::components() const {
  Graph graph(locks_.size());
  for (std::uint32_t from = 0; from < locks_.size(); ++from)
    for (const Edge& edge : locks_[from].edges) boost::add_edge(from, edge.to, graph);
  return strong_components_of(graph);
}

std::vector<std::uint32_t> find_wait_cycle(std::span<const WaitsFor> waits) {
  std::uint32_t highest = 0;
  for (const WaitsFor& wait : waits) highest = std::max({highest, wait.waiter, wait.owner});
  Graph graph(highest + 1);
  for (const WaitsFor& wait : waits) boost::add_edge(wait.waiter, wait.owner, graph);
  const std::vector<std::uint32_t> component = strong_components_of(graph);
  for (std::uint32_t start = 0; start <= highest; ++start) {
    // Within a component of more than one, or of one that waits for itself, every way on comes back.
    std::vector<std::uint32_t> ring{start};
    while (true) {
      const auto [next, end] = adjacent_vertices(ring.back(), graph);
      const auto inside = std::find_if(next, end, [&](auto each) { return component[each] == component[start]; });
      if (inside == end) break;
      const auto again = std::find(ring.begin(), ring.end(), static_cast<std::uint32_t>(*inside));
      if (again != ring.end()) {
        ring.erase(ring.begin(), again);
        std::rotate(ring.begin(), std::min_element(ring.begin(), ring.end()), ring.end());
        return ring;
      }
      ring.push_back(static_cast<std::uint32_t>(*inside));
    }
  }
  return {};
}

}  // namespace vmbsim::observe
