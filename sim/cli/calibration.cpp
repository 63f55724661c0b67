#include "sim/cli/calibration.hpp"

#include <algorithm>

#include "sim/cli/running.hpp"
#include "sim/workers/crew.hpp"

namespace vmbsim::cli {

namespace {

constexpr std::int64_t longest_ms = 1000;
constexpr double long_enough_s = 0.05;

/// One `divisor`th of it.
scenario::Scenario part_of(const scenario::Scenario& whole, std::int64_t divisor) {
  scenario::Scenario part = whole;
  part.warm_up /= divisor;
  part.run_for /= divisor;
  if (whole.run_for.count() > 0) part.run_for = std::max(part.run_for, Duration{1});
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

}  // namespace

std::optional<RunTime> time_of_a_run(const Inputs& inputs) {
  using How = workers::Crew::Ended::How;
  const bool can_be_cut = inputs.scenario->run_for.count() > 0 || inputs.scenario->packets > 0;
  // What a part takes longer than a smaller one grows with it; the rest is its beginning.
  double seconds_before = 0;
  double share_before = 0;
  for (std::int64_t divisor = can_be_cut ? 2'097'152 : 1;; divisor /= 8) {
    const workers::Crew::Ended ended = run_part(inputs, divisor);
    const bool at_least = ended.how == How::over_time;
    if (!at_least && (ended.how != How::told || ended.text.empty())) return std::nullopt;
    const double seconds = static_cast<double>(ended.wall_ns) / 1e9;
    const double share = 1 / static_cast<double>(divisor);
    const double more = seconds - seconds_before;
    if (at_least || divisor == 1 || (share_before > 0 && more >= long_enough_s))
      return RunTime{seconds + (share_before > 0 ? std::max(more, 0.0) / (share - share_before) * (1 - share) : 0),
                     at_least};
    seconds_before = seconds;
    share_before = share;
  }
}

}  // namespace vmbsim::cli
