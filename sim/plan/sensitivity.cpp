#include "sim/plan/sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/kernel/random.hpp"
#include "vmbsim/result.hpp"

namespace vmbsim::plan {

namespace {

// Four levels and steps of two of them, as Morris proposes: every level is as likely as any other.
constexpr double step = 2.0 / 3;

struct Walk {
  std::vector<Levels> points;
  std::vector<std::size_t> order;  // which input changes from one point to the next
};

Walk walk(std::size_t inputs, kernel::Stream& chance) {
  Walk out;
  Levels at(inputs);
  for (double& level : at) level = static_cast<double>(chance.below(4)) / 3;
  out.order.resize(inputs);
  std::iota(out.order.begin(), out.order.end(), std::size_t{0});
  for (std::size_t i = inputs; i > 1; --i) std::swap(out.order[i - 1], out.order[chance.below(i)]);
  out.points.push_back(at);
  for (const std::size_t input : out.order) {
    at[input] += at[input] < 0.5 ? step : -step;
    out.points.push_back(at);
  }
  return out;
}

}  // namespace

std::vector<Effect> effects(std::size_t inputs, std::size_t walks, Seed seed, const Respond& respond) {
  const Levels middle(inputs, 0.5);
  std::vector<Levels> points{middle};
  for (std::size_t input = 0; input < inputs; ++input)
    for (const double level : {0.0, 1.0}) points.emplace_back(middle)[input] = level;
  kernel::Stream chance(seed, "sensitivity", "walks");
  std::vector<Walk> all;
  for (std::size_t i = 0; i < walks; ++i) {
    all.push_back(walk(inputs, chance));
    points.insert(points.end(), all.back().points.begin(), all.back().points.end());
  }
  const std::vector<double> responses = respond(points);

  std::vector<std::vector<double>> steps(inputs);
  std::size_t next = 1 + 2 * inputs;
  for (const Walk& one : all) {
    for (std::size_t i = 0; i < inputs; ++i) {
      const std::size_t input = one.order[i];
      const double change = one.points[i + 1][input] - one.points[i][input];
      const double effect = (responses[next + i + 1] - responses[next + i]) / change;
      if (!std::isnan(effect)) steps[input].push_back(effect);
    }
    next += inputs + 1;
  }
  std::vector<Effect> found(inputs);
  for (std::size_t input = 0; input < inputs; ++input) {
    Effect& effect = found[input];
    effect.input = input;
    effect.down = responses[point_below(input)] - responses[0];
    effect.up = responses[point_above(input)] - responses[0];
    const auto n = static_cast<double>(steps[input].size());
    double absolute = 0;
    double sum = 0;
    for (const double value : steps[input]) {
      absolute += std::abs(value);
      sum += value;
    }
    effect.mean = n > 0 ? absolute / n : nothing_measured;
    double squares = 0;
    for (const double value : steps[input]) squares += (value - sum / n) * (value - sum / n);
    effect.scatter = n > 1 ? std::sqrt(squares / (n - 1)) : n > 0 ? 0 : nothing_measured;
  }
  const auto known = [](const Effect& effect) { return std::isnan(effect.mean) ? -1 : effect.mean; };
  std::stable_sort(found.begin(), found.end(), [&](const Effect& a, const Effect& b) { return known(a) > known(b); });
  return found;
}

}  // namespace vmbsim::plan
