#include "models/scenario/warm_up.hpp"

#include <algorithm>

namespace vmbsim::scenario {

FoundWarmUp find_warm_up(const Scenario& scenario, const Traces& traces, platform::Platform* platform) {
  Scenario trial = scenario;
  trial.warm_up = 0ns;
  trial.record = {};
  trial.precision.reset();
  FoundWarmUp last;
  const RunResult result = World(trial, traces, platform).run();
  for (const ChannelResult& channel : result.channels) {
    last.length = std::max(last.length, channel.beginning.length);
    last.settled = last.settled && channel.beginning.settled;
  }
  return last;
}

}  // namespace vmbsim::scenario
