#include "sim/cli/running.hpp"

#include <charconv>
#include <chrono>
#include <string>

#include "models/scenario/warm_up.hpp"
#include "sim/cli/version.hpp"
#include "sim/workers/crew.hpp"

namespace vmbsim::cli {

namespace {

/// What the child could not tell, because a driver ended it, the run itself will tell: it starts at once.
FoundWarmUp found_warm_up(const scenario::Scenario& scenario, const scenario::Traces& traces,
                          platform::Platform* platform) {
  const auto ended = workers::in_child(
      [&](workers::BlackBox&) {
        const auto found = scenario::find_warm_up(scenario, traces, platform);
        return (found.settled ? "+" : "-") + std::to_string(found.length.count());
      },
      0);
  FoundWarmUp out{.length = {}, .settled = !ended.text.empty() && ended.text.front() == '+'};
  std::int64_t ns = 0;
  if (!ended.text.empty()) std::from_chars(ended.text.data() + 1, ended.text.data() + ended.text.size(), ns);
  out.length = Duration{ns};
  return out;
}

}  // namespace

RunResult run_once(const scenario::Scenario& given, const scenario::Traces& traces, platform::Platform* platform,
                   scenario::Timeline* timeline) {
  const auto started = std::chrono::steady_clock::now();
  scenario::Scenario scenario = given;
  std::optional<FoundWarmUp> warm_up;
  if (scenario.warm_up_auto) {
    warm_up = found_warm_up(scenario, traces, platform);
    scenario.warm_up = warm_up->length;
  }
  scenario::World world(scenario, traces, platform, nullptr, timeline);
  RunResult result = world.run();
  result.warm_up = warm_up;
  result.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  result.version = version;
  return result;
}

}  // namespace vmbsim::cli
