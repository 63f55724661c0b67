#include "sim/cli/calibration.hpp"

#include <algorithm>
#include <vector>

#include "sim/cli/running.hpp"
#include "sim/workers/crew.hpp"

namespace vmbsim::cli {

namespace {

constexpr std::int64_t longest_ms = 1000;
constexpr double long_enough_s = 0.05;
constexpr double worth_repeating_s = 0.25;

/// One `divisor`th of it; who comes and goes does so as much earlier.
scenario::Scenario part_of(const scenario::Scenario& whole, std::int64_t divisor) {
  scenario::Scenario part = whole;
  part.warm_up /= divisor;
  part.run_for /= divisor;
  if (whole.run_for.count() > 0) part.run_for = std::max(part.run_for, Duration{1});
  for (scenario::Guest& guest : part.placed.guests) {
    if (guest.arrives) *guest.arrives /= divisor;
    if (guest.departs) *guest.departs /= divisor;
  }
  if (whole.packets > 0) part.packets = std::max<std::uint64_t>(whole.packets / static_cast<std::uint64_t>(divisor), 1);
  return part;
}

workers::Crew::Ended run_part(const Inputs& inputs, std::int64_t divisor) {
  workers::Crew crew(1, {.time_ms = longest_ms});
  crew.start(0, [&](workers::BlackBox&) {
    std::unique_ptr<platform::Platform> platform;
    Problems problems;
    if (!inputs.scenario->machine.platform.empty())
      platform = platform::Platform::load(inputs.scenario->machine.platform, problems);
    if (!problems.empty()) return std::string();
    return std::to_string(run_once(part_of(*inputs.scenario, divisor), inputs.traces, platform.get()).events);
  });
  for (;;)
    if (auto ended = crew.wait(100)) return std::move(*ended);
}

/// The median of three, where one is short. Nothing when it fails.
std::optional<RunTime> time_of_part(const Inputs& inputs, std::int64_t divisor) {
  using How = workers::Crew::Ended::How;
  std::vector<double> seconds;
  while (seconds.size() < 3 && (seconds.empty() || seconds.back() < worth_repeating_s)) {
    const workers::Crew::Ended ended = run_part(inputs, divisor);
    seconds.push_back(static_cast<double>(ended.processor_ns) / 1e9);
    if (ended.how == How::over_time) return RunTime{seconds.back(), true};
    if (ended.how != How::told || ended.text.empty()) return std::nullopt;
  }
  std::sort(seconds.begin(), seconds.end());
  return RunTime{seconds[(seconds.size() - 1) / 2], false};
}

}  // namespace

std::optional<RunTime> time_of_a_run(const Inputs& inputs) {
  const bool can_be_cut = inputs.scenario->run_for.count() > 0 || inputs.scenario->packets > 0;
  // What a part takes longer than a smaller one grows with it; the rest is its beginning.
  double seconds_before = 0;
  double share_before = 0;
  std::optional<RunTime> guess;  // from the parts so far
  for (std::int64_t divisor = can_be_cut ? 2'097'152 : 1;; divisor /= 8) {
    const auto part = time_of_part(inputs, divisor);
    if (!part) return std::nullopt;
    const double share = 1 / static_cast<double>(divisor);
    const double more = part->seconds - seconds_before;
    const RunTime whole{
        part->seconds + (share_before > 0 ? std::max(more, 0.0) / (share - share_before) * (1 - share) : 0),
        part->at_least};
    // A busy machine may cut a part before it has used much of a processor: then the smaller ones know more.
    if (part->at_least && guess && guess->seconds > whole.seconds) return guess;
    if (part->at_least || divisor == 1 || (share_before > 0 && more >= long_enough_s)) return whole;
    if (share_before > 0) guess = whole;
    seconds_before = part->seconds;
    share_before = share;
  }
}

}  // namespace vmbsim::cli
