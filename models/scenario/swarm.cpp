#include "models/scenario/swarm.hpp"

#include <algorithm>
#include <utility>

#include "sim/config/toml_text.hpp"

namespace vmbsim::scenario {

namespace {

constexpr std::uint32_t heaviest = 100;        // weight of a size in a mix
constexpr std::uint32_t most_in_flight = 64;   // requests of a workload
constexpr std::int64_t most_pages = 64;        // of a ring
constexpr std::uint32_t most_processors = 4;   // of a partition
constexpr std::uint32_t most_subchannels = 3;  // of a channel

/// Draws values for keys, each key with an even chance.
class Draw {
 public:
  explicit Draw(kernel::Stream& stream) : stream_(stream) {}

  void one_of(const std::string& key, const std::vector<std::string>& values) {
    if (stream_.chance(1, 2)) knobs.push_back(key + "=" + values[stream_.below(values.size())]);
  }
  void flag(const std::string& key) { one_of(key, {"false", "true"}); }
  /// The least, twice that, what it is, four times what it is; nothing above `most` that is not there already.
  void size(const std::string& key, std::int64_t least, std::int64_t now, std::int64_t most,
            const std::string& unit = {}) {
    std::vector<std::string> values;
    for (const std::int64_t value :
         {least, std::max<std::int64_t>(least * 2, 1), now, std::min(now * 4, std::max(now, most))})
      values.push_back(unit.empty() ? std::to_string(value) : config::toml_quoted(std::to_string(value) + unit));
    one_of(key, values);
  }
  /// A random subset of the words.
  void subset(const std::string& key, const std::vector<std::string>& words) {
    if (!stream_.chance(1, 2)) return;
    std::string list;
    for (const std::string& word : words)
      if (stream_.chance(1, 2)) list += (list.empty() ? "" : ", ") + config::toml_quoted(word);
    knobs.push_back(key + "=[" + list + "]");
  }
  /// What is there, in shares of its own, and the smallest request beside it.
  void requests(const std::string& key, const std::vector<WorkloadSpec::RequestSize>& sizes, std::int64_t least) {
    if (sizes.empty() || !stream_.chance(1, 2)) return;
    std::string list;
    const auto add = [&](std::int64_t bytes) {
      list += std::string(list.empty() ? "" : ", ") + "{ size = \"" + std::to_string(bytes) +
              "B\", weight = " + std::to_string(1 + stream_.below(heaviest)) + " }";
    };
    add(std::min(least, sizes.front().size.count));
    for (const WorkloadSpec::RequestSize& one : sizes) add(one.size.count);
    knobs.push_back(key + "=[" + list + "]");
  }

  std::vector<std::string> knobs;

 private:
  kernel::Stream& stream_;
};

void draw_endpoint(Draw& draw, const std::string& key, const EndpointSpec& end) {
  if (!end.library.empty()) return;
  draw.one_of(key + ".processing", {"\"dispatch\"", "\"passive\""});
  draw.one_of(key + ".transaction_quota", {"0", "1", "2", "8"});
}

void draw_channel(Draw& draw, const ChannelSpec& channel) {
  const std::string key = "channel." + channel.name;
  draw.size(key + ".subchannels", 0, channel.subchannels, most_subchannels);
  draw.one_of(key + ".placement", {"\"spread\"", "\"first\""});
  draw.size(key + ".ring.to_host", 1, channel.to_host.count, most_pages, " pages");
  draw.size(key + ".ring.to_guest", 1, channel.to_guest.count, most_pages, " pages");
  draw.one_of(key + ".batching.mode", {"\"none\"", "\"drain\"", "\"limit\""});
  draw.one_of(key + ".batching.max_packets", {"1", "2", "64"});
  draw.flag(key + ".batching.mask");
  draw_endpoint(draw, key + ".host_endpoint", channel.host_endpoint);
  draw_endpoint(draw, key + ".guest_endpoint", channel.guest_endpoint);
  if (channel.has_device()) {
    if (channel.device.disk.empty()) draw.size(key + ".device.parallel", 1, channel.device.parallel, most_in_flight);
    if (channel.driver == "storage") draw.one_of(key + ".device.completion", {"\"dpc\"", "\"worker\""});
  }
  draw.one_of(key + ".policies.routine_of_sent", {"\"inside-send\"", "\"in-a-pass\"", "\"either\""});
  draw.flag(key + ".policies.exact_length");
  draw.flag(key + ".policies.pause_waits_for_sent");
  draw.one_of(key + ".policies.pending_fraction", {"0.0", "0.1", "1.0"});
}

void draw_workload(Draw& draw, const Scenario& scenario, const WorkloadSpec& load) {
  const std::string key = "workload." + load.name;
  const auto channel = std::find_if(scenario.channels.begin(), scenario.channels.end(), [&](const ChannelSpec& one) {
    return one.name == load.channel && one.vm == load.vm;
  });
  if (load.loop == WorkloadSpec::Loop::trace || channel == scenario.channels.end()) return;
  if (load.loop == WorkloadSpec::Loop::closed) draw.size(key + ".queue_depth", 1, load.queue_depth, most_in_flight);
  if (!channel->guest_endpoint.library.empty()) return;  // what a driver of its own sends, it decides
  draw.requests(key + ".request", load.request, channel->driver == "storage" ? 512 : 64);
  if (channel->driver != "echo") draw.one_of(key + ".read_fraction", {"0.0", "0.5", "1.0"});
}

}  // namespace

std::vector<std::string> draw_swarm(const Scenario& scenario, kernel::Stream& stream) {
  Draw draw(stream);
  std::vector<std::string> survived;
  for (const faults::FaultKind& kind : faults::fault_kinds)
    if (scenario.hunt.faults.has(kind.fault)) survived.emplace_back(kind.name);
  draw.subset("hunt.faults", survived);
  draw.flag("hunt.latency");
  draw.one_of("hunt.stalls", {R"(["1us"])", R"(["256us"])", R"(["1us", "64us"])"});
  if (scenario.machine.platform.empty()) {
    draw.size("machine.host_cpus", 1, scenario.machine.host_cpus, most_processors);
    draw.size("machine.guest_cpus", 1, scenario.machine.guest_cpus, most_processors);
  }
  for (const ChannelSpec& channel : scenario.channels) draw_channel(draw, channel);
  for (const WorkloadSpec& load : scenario.workloads) draw_workload(draw, scenario, load);
  return std::move(draw.knobs);
}

}  // namespace vmbsim::scenario
