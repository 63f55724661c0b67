#include "sim/plan/search.hpp"

#include <algorithm>
#include <bit>

namespace vmbsim::plan {

namespace {

class Search {
 public:
  Search(const Range& range, std::size_t bounds, const Evaluate& evaluate)
      : range_(range), bounds_(bounds), evaluate_(evaluate) {}

  Found run() {
    // low holds and high breaks; both may lie just outside.
    std::ptrdiff_t low = -1;
    std::ptrdiff_t high = static_cast<std::ptrdiff_t>(range_.last) + 1;
    std::ptrdiff_t next = static_cast<std::ptrdiff_t>(std::min(range_.guess, range_.last));
    for (std::ptrdiff_t step = 1; low + 1 < high; step *= 2) {
      const std::ptrdiff_t before = next;
      const bool held = holds(static_cast<std::size_t>(next));
      (held ? low : high) = next;
      const bool bracketed = low >= 0 && high <= static_cast<std::ptrdiff_t>(range_.last);
      next = bracketed ? low + (high - low) / 2 : held ? before + step : before - step;
      next = std::clamp(next, low + 1, std::max(high - 1, low + 1));
    }
    if (low >= 0) found_.answer = static_cast<std::size_t>(low);
    return std::move(found_);
  }

 private:
  bool holds(std::size_t index) {
    // Twice the doublings of a bracket on one side, its bisection included.
    const double decisions = 2 * static_cast<double>(std::bit_width(range_.last + 1)) + 1;
    Decision decision(
        {.error = (1 - range_.confidence) / decisions, .first_runs = range_.first_runs, .most_runs = range_.most_runs},
        bounds_);
    Visited visited;
    visited.index = index;
    while (const std::size_t more = decision.wanted()) {
      for (Outcome& outcome : evaluate_(index, decision.runs(), more)) {
        ++found_.runs;
        if (outcome.failure.empty())
          decision.add(outcome.margins);
        else
          decision.add_failed();
        visited.outcomes.push_back(std::move(outcome));
      }
    }
    visited.verdict = *decision.verdict();
    visited.sure = decision.sure();
    visited.tightest = decision.tightest();
    found_.visited.push_back(std::move(visited));
    return found_.visited.back().verdict == Verdict::holds;
  }

  const Range& range_;
  std::size_t bounds_;
  const Evaluate& evaluate_;
  Found found_;
};

bool dominates(const std::vector<double>& better, const std::vector<double>& other) {
  bool strictly = false;
  for (std::size_t goal = 0; goal < better.size(); ++goal) {
    if (better[goal] < other[goal]) return false;
    strictly = strictly || better[goal] > other[goal];
  }
  return strictly;
}

}  // namespace

const Visited* Found::at(std::size_t index) const {
  for (const Visited& one : visited)
    if (one.index == index) return &one;
  return nullptr;
}

const Visited* Found::broken() const { return at(answer ? *answer + 1 : 0); }

bool Found::sure() const {
  return std::all_of(visited.begin(), visited.end(), [](const Visited& one) { return one.sure; });
}

Found search(const Range& range, std::size_t bounds, const Evaluate& evaluate) {
  return Search(range, bounds, evaluate).run();
}

std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& points) {
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (std::none_of(points.begin(), points.end(),
                     [&](const std::vector<double>& other) { return dominates(other, points[i]); }))
      front.push_back(i);
  return front;
}

}  // namespace vmbsim::plan
