#include "sim/plan/decision.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "vmbsim/assert.hpp"

namespace vmbsim::plan {

namespace {

double average_of(std::span<const Margin> runs) {
  double sum = 0;
  for (const Margin& margin : runs) sum += margin.value;
  return sum / static_cast<double>(runs.size());
}

bool keeps(double average, std::span<const Margin> runs) {
  return average < 0 || (average == 0 && runs.front().zero_keeps);
}

}  // namespace

Interval distance(std::span<const Margin> runs) {
  const auto n = static_cast<double>(runs.size());
  const double average = average_of(runs);
  if (std::isinf(average)) return {average, average};
  double squares = 0;
  double least = 0;
  Interval open{0, 0};
  for (const Margin& margin : runs) {
    squares += (margin.value - average) * (margin.value - average);
    least += margin.least_variance;
    open.low += margin.open.low / n;
    open.high += margin.open.high / n;
  }
  const double error = std::sqrt(std::max(squares / (n - 1), least / n) / n);
  const auto in_errors = [&](double mean) {
    if (error > 0) return mean / error;
    return keeps(mean, runs) ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  };
  return {in_errors(average + open.low), in_errors(average + open.high)};
}

void Decision::add(std::span<const Margin> margins) {
  VMBSIM_ASSERT(margins.size() == margins_.size(), "every run has a margin to every bound");
  for (std::size_t bound = 0; bound < margins.size(); ++bound) margins_[bound].push_back(margins[bound]);
  ++runs_;
}

/// The look that comes when `runs` are there: each takes half as many runs again.
Decision::Look Decision::next_look() const {
  Look look{1, config_.first_runs};
  while (look.runs < runs_) {
    look.runs = std::min(look.runs + std::max<std::size_t>(look.runs / 2, 1), config_.most_runs);
    ++look.number;
  }
  return look;
}

std::size_t Decision::wanted() const {
  if (verdict()) return 0;
  Decision after = *this;
  after.runs_ += 1;
  return after.next_look().runs - runs_;
}

bool Decision::likely_kept(std::size_t bound) const { return keeps(average_of(margins_[bound]), margins_[bound]); }

Limits Decision::limits() const {
  const Look look = next_look();
  if (runs_ < 2 || look.runs != runs_) return {};
  const double error = config_.error / static_cast<double>(look.number * (look.number + 1));
  // Any of the bounds may be the one that breaks by chance.
  const double of_one = error / static_cast<double>(margins_.size());
  const double freedom = static_cast<double>(runs_ - 1);
  return {stats::t_quantile(1 - error, freedom), stats::t_quantile(1 - of_one, freedom), 1 - error - of_one};
}

std::optional<Verdict> Decision::shown() const {
  if (breached_) return Verdict::breaks;
  const Limits needed = limits();
  if (needed.confidence == 0) return std::nullopt;
  bool all_hold = true;
  for (std::size_t bound = 0; bound < margins_.size(); ++bound) {
    const auto one = shown(bound, needed);
    if (one == Verdict::breaks) return one;
    all_hold = all_hold && one == Verdict::holds;
  }
  return all_hold ? std::optional(Verdict::holds) : std::nullopt;
}

std::optional<Verdict> Decision::shown(std::size_t bound, const Limits& needed) const {
  const auto [least, most] = distance(margins_[bound]);
  if (most < -needed.below) return Verdict::holds;
  if (least > needed.above) return Verdict::breaks;
  return std::nullopt;
}

std::vector<std::size_t> Decision::too_close() const {
  std::vector<std::size_t> found;
  if (const Limits needed = limits(); needed.confidence > 0)
    for (std::size_t bound = 0; bound < margins_.size(); ++bound)
      if (!shown(bound, needed)) found.push_back(bound);
  return found;
}

std::optional<Verdict> Decision::verdict() const {
  if (const auto clear = shown()) return clear;
  if (runs_ < config_.most_runs) return std::nullopt;
  return likelier();
}

Verdict Decision::likelier() const {
  bool kept = !breached_;
  if (runs_ != 0)
    for (std::size_t bound = 0; bound < margins_.size(); ++bound) kept = kept && likely_kept(bound);
  return kept ? Verdict::holds : Verdict::breaks;
}

bool Decision::sure() const { return shown().has_value(); }

std::size_t Decision::tightest() const {
  std::size_t nearest = 0;
  if (runs_ < 2) return nearest;
  for (std::size_t bound = 1; bound < margins_.size(); ++bound)
    if (distance(margins_[bound]).low > distance(margins_[nearest]).low) nearest = bound;
  return nearest;
}

}  // namespace vmbsim::plan
