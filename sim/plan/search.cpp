#include "sim/plan/search.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

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
      const bool held = visit(static_cast<std::size_t>(next)).verdict == Verdict::holds;
      (held ? low : high) = next;
      const bool bracketed = low >= 0 && high <= static_cast<std::ptrdiff_t>(range_.last);
      next = bracketed ? low + (high - low) / 2 : held ? before + step : before - step;
      next = std::clamp(next, low + 1, std::max(high - 1, low + 1));
    }
    if (low >= 0) found_.answer = static_cast<std::size_t>(low);
    const std::size_t beyond = std::min(range_.last, 2 * static_cast<std::size_t>(low + 1) + 3);
    for (const std::size_t end : {std::size_t{0}, beyond})
      if (found_.at(end) == nullptr) look_at(end);
    return std::move(found_);
  }

 private:
  /// Whether the answer makes sense: no more runs than the first ones while these are as it says.
  void look_at(std::size_t index) {
    const bool below = found_.answer && index <= *found_.answer;
    visit(index, below ? Verdict::holds : Verdict::breaks);
  }

  /// `expected`: a point where that is likelier is only looked at; otherwise it is decided.
  Visited& visit(std::size_t index, std::optional<Verdict> expected = std::nullopt) {
    Decision decision = undecided();
    Visited visited;
    visited.index = index;
    while (visited.verdict != Verdict::untold) {
      const std::size_t more = decision.wanted();
      visited.only_looked_at = expected && decision.runs() > 0 && decision.likelier() == *expected;
      if (more == 0 || visited.only_looked_at) break;
      run(more, visited, decision);
    }
    if (visited.verdict == Verdict::untold) {
      visited.only_looked_at = expected.has_value();
    } else {
      visited.verdict = decision.likelier();
      visited.sure = decision.sure();
      visited.tightest = decision.tightest();
      visited.too_close = decision.too_close();
      visited.limits = decision.limits();
    }
    found_.visited.push_back(std::move(visited));
    return found_.visited.back();
  }

  /// Its share of the error that the answer may have.
  Decision undecided() const {
    // Twice the doublings of a bracket on one side, its bisection included, and two ends.
    const double decisions = 2 * static_cast<double>(std::bit_width(range_.last + 1)) + 3;
    return Decision(
        {.error = (1 - range_.confidence) / decisions, .first_runs = range_.first_runs, .most_runs = range_.most_runs},
        bounds_);
  }

  /// So many more runs of a point: what they say, or why they say nothing.
  void run(std::size_t more, Visited& visited, Decision& decision) {
    for (Outcome& outcome : evaluate_(visited.index, decision.runs(), more)) {
      ++found_.runs;
      if (outcome.missing.empty()) {
        decision.add(outcome.margins);
      } else if (visited.verdict != Verdict::untold) {
        visited.verdict = Verdict::untold;
        visited.reason = outcome.missing;
        visited.ended_early = outcome.ended_early;
      }
      if (!outcome.breach.empty()) {
        decision.add_breach();
        if (visited.reason.empty()) visited.reason = outcome.breach;
      }
      visited.outcomes.push_back(std::move(outcome));
    }
    // A breach breaks the point, whatever the bounds would say.
    const bool told = visited.verdict == Verdict::untold ||
                      std::any_of(visited.outcomes.begin(), visited.outcomes.end(),
                                  [](const Outcome& outcome) { return !outcome.breach.empty(); });
    if (const auto bound = told ? std::nullopt : unmeasured(visited.outcomes)) {
      visited.verdict = Verdict::untold;
      visited.tightest = *bound;
    }
  }

  /// A bound of which no run measured anything, or of which one has no margin.
  std::optional<std::size_t> unmeasured(const std::vector<Outcome>& outcomes) const {
    for (std::size_t bound = 0; bound < bounds_; ++bound) {
      const auto nothing = [&](const Outcome& outcome) {
        return outcome.missing.empty() && std::isnan(outcome.values[bound]);
      };
      const auto no_margin = [&](const Outcome& outcome) {
        return outcome.missing.empty() && std::isnan(outcome.margins[bound].value);
      };
      if (std::all_of(outcomes.begin(), outcomes.end(), nothing) ||
          std::any_of(outcomes.begin(), outcomes.end(), no_margin))
        return bound;
    }
    return std::nullopt;
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

const Visited* Found::contrary() const {
  for (const Visited& one : visited) {
    const bool below = answer && one.index <= *answer;
    if (one.sure && one.verdict == (below ? Verdict::breaks : Verdict::holds)) return &one;
  }
  return nullptr;
}

bool Found::sure() const {
  const std::size_t next = answer ? *answer + 1 : 0;
  return contrary() == nullptr && std::all_of(visited.begin(), visited.end(), [&](const Visited& one) {
           return one.sure || one.only_looked_at || (one.verdict == Verdict::untold && one.index > next);
         });
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
