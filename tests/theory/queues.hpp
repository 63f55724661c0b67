#pragma once
/// One scenario of scenarios/theory beside the closed form of its queue.
///
/// The mean must lie within 1 % and the p99 within 2 %, or within four standard errors where a run is too short for that.
/// Standard errors come from the run itself, by batch means; that of M/M/1 also from its closed form.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/queueing.hpp"
#include "tests/support/runs.hpp"

namespace vmbsim::testing {

struct Expected {
  double mean_ns;
  std::optional<double> p99_ns;          ///< where a closed form exists
  std::optional<double> standard_error;  ///< of the mean over that many packets, where a closed form exists
};

/// One utilisation of one queue.
struct Case {
  const char* scenario;
  double arrivals_per_s;
  std::uint64_t packets;
};

enum class Tolerance { scaled, full };

inline Case mm1(double load, std::uint64_t packets) { return {"mm1", 10'000 * load, packets}; }
inline Case md1(double load, std::uint64_t packets) { return {"md1", 10'000 * load, packets}; }
inline Case mm4(double load, std::uint64_t packets) { return {"mm4", 40'000 * load, packets}; }
inline Case mg1(double load, std::uint64_t packets) { return {"mg1", 12'500 * load, packets}; }

inline Expected closed_form(const Case& c) {
  const double rate = c.arrivals_per_s / 1e9;  // per nanosecond, as everything here
  const std::string queue = c.scenario;
  const auto n = static_cast<double>(c.packets);
  if (queue == "mm1") {
    const MarkovQueue markov{rate, 1e-5};
    return {markov.mean_sojourn(), markov.sojourn_quantile(0.99), standard_error_of_mean_sojourn(markov, n)};
  }
  if (queue == "mm4") {
    const MarkovQueue markov{rate, 1e-5, 4};
    return {markov.mean_sojourn(), markov.sojourn_quantile(0.99), std::nullopt};
  }
  if (queue == "md1") {
    const ConstantServiceQueue constant(rate, 1e5);
    return {constant.mean_sojourn(), constant.sojourn_quantile(0.99), std::nullopt};
  }
  // Uniform between 20 us and 140 us: variance (b - a)^2 / 12.
  return {GeneralQueue{rate, 8e4, 120. * 120 / 12 / (80. * 80)}.mean_sojourn(), std::nullopt, std::nullopt};
}

inline void hold_against_theory(const Case& c, Tolerance tolerance) {
  constexpr std::size_t batches = 20;
  const std::string rate = std::to_string(std::llround(c.arrivals_per_s));
  const double seconds = static_cast<double>(c.packets) / c.arrivals_per_s;
  scenario::Scenario scenario = scenario_in(
      std::string(VMBSIM_SOURCE_DIR "/scenarios/theory/") + c.scenario + ".toml",
      {"workload.arrivals.arrivals={ poisson = \"" + rate + "/s\" }", "packets=" + std::to_string(c.packets)});
  scenario.record.interval = Duration{static_cast<std::int64_t>(seconds / batches * 1e9)};
  const RunResult result = run(scenario);

  const ChannelResult& channel = result.channels.front();
  std::vector<double> means;
  std::vector<double> p99s;
  for (const IntervalRow& row : result.intervals) {
    if (means.size() == batches) break;
    means.push_back(row.latency_mean_ns);
    p99s.push_back(static_cast<double>(row.latency_p99.count()));
  }
  const Expected expected = closed_form(c);
  const double error = batch_means(means, means.size()).standard_error / expected.mean_ns;
  const double deviation = channel.latency.mean_ns() / expected.mean_ns - 1;
  std::string line = fmt::format(
      "{} at {}/s, {} packets: mean {:.1f} us, closed form {:.1f} us, {:+.2f} % (standard error {:.2f} %", c.scenario,
      rate, c.packets, channel.latency.mean_ns() / 1e3, expected.mean_ns / 1e3, 100 * deviation, 100 * error);
  double widest_error = error;
  if (expected.standard_error) {
    line += fmt::format(", closed form {:.2f} %", 100 * *expected.standard_error / expected.mean_ns);
    widest_error = *expected.standard_error / expected.mean_ns;
  }
  line += ")";
  double deviation_p99 = 0;
  double error_p99 = 0;
  if (expected.p99_ns) {
    const auto p99 = static_cast<double>(channel.latency.quantile(99, 100).count());
    deviation_p99 = p99 / *expected.p99_ns - 1;
    error_p99 = batch_means(p99s, p99s.size()).standard_error / *expected.p99_ns;
    line += fmt::format("; p99 {:.1f} us, closed form {:.1f} us, {:+.2f} % (standard error {:.2f} %)", p99 / 1e3,
                        *expected.p99_ns / 1e3, 100 * deviation_p99, 100 * error_p99);
  }
  std::puts(line.c_str());
  INFO(line);
  const bool full = tolerance == Tolerance::full;
  CHECK(channel.measured == c.packets);
  CHECK(means.size() >= batches - 2);
  CHECK(std::abs(deviation) < (full ? 0.01 : std::max(0.01, 4 * widest_error)));
  CHECK(std::abs(deviation_p99) < (full ? 0.02 : std::max(0.02, 4 * error_p99)));
  CHECK(text_of(result.findings) == "");
}

/// The queue at 30, 70 and 90 % utilisation, over so many packets each.
inline void hold_at_three_loads(Case (*queue)(double load, std::uint64_t packets), std::uint64_t at_30,
                                std::uint64_t at_70, std::uint64_t at_90, Tolerance tolerance) {
  hold_against_theory(queue(0.3, at_30), tolerance);
  hold_against_theory(queue(0.7, at_70), tolerance);
  hold_against_theory(queue(0.9, at_90), tolerance);
}

}  // namespace vmbsim::testing
