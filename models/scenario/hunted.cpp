#include "models/scenario/hunted.hpp"

#include <algorithm>
#include <utility>

#include "models/hw/exploration.hpp"
#include "models/platform/platform.hpp"

namespace vmbsim::scenario {

Hunted::Hunted(Scenario scenario, Traces traces) : scenario_(std::move(scenario)), traces_(std::move(traces)) {}

const explore::Outcome& Hunted::run(kernel::ChoiceSource& choices, explore::StepListener* listener) {
  std::unique_ptr<platform::Platform> platform;
  if (!scenario_.machine.platform.empty()) {
    Problems problems;
    platform = platform::Platform::load(scenario_.machine.platform, problems);
    VMBSIM_ASSERT(platform != nullptr, "a scenario that passed its checks has a platform that can be loaded");
  }
  World world(scenario_, traces_, platform.get(), &choices, nullptr, listener);
  const hw::Exploration& exploration = *world.exploration();
  processors_ = exploration.processors();  // a listener asks for them while it runs
  RunResult result = world.run();
  outcome_.end = result.events >= scenario_.hunt.events ? explore::End::cut : explore::End::finished;
  outcome_.findings = std::move(result.findings);
  std::erase_if(outcome_.findings, [](const Finding& finding) { return finding.severity != Severity::error; });
  outcome_.fingerprint = result.fingerprint;
  outcome_.steps = result.events;
  outcome_.trace_class = exploration.trace_class();
  outcome_.features = exploration.features();
  objects_ = exploration.objects();
  return outcome_;
}

bool Hunted::needs_process_per_run() const {
  return !scenario_.machine.platform.empty() ||
         std::any_of(scenario_.channels.begin(), scenario_.channels.end(), [](const ChannelSpec& channel) {
           return !channel.host_endpoint.library.empty() || !channel.guest_endpoint.library.empty();
         });
}

std::string Hunted::actor_name(std::uint32_t actor) const {
  return actor < processors_.size() ? processors_[actor] : "processor " + std::to_string(actor);
}

std::string Hunted::object_name(std::uint32_t object) const {
  return object < objects_.size() ? objects_[object] : "object " + std::to_string(object);
}

std::vector<Reduction> Hunted::reductions() const {
  std::vector<Reduction> all;
  const auto half = [&all](const std::string& what, const std::string& key, auto value, auto least) {
    if (value > least)
      all.push_back({what,
                     {key + "=" +
                      std::to_string(std::max<std::int64_t>(static_cast<std::int64_t>(value) / 2,
                                                            static_cast<std::int64_t>(least)))}});
  };
  half("half the packets", "packets", scenario_.packets, 1u);
  if (scenario_.packets > 1) all.push_back({"one packet fewer", {"packets=" + std::to_string(scenario_.packets - 1)}});
  if (scenario_.run_for.count() > 1'000)
    all.push_back({"half the time", {"run_for=\"" + std::to_string(scenario_.run_for.count() / 2) + "ns\""}});
  for (const WorkloadSpec& load : scenario_.workloads)
    if (load.loop == WorkloadSpec::Loop::closed)
      half("fewer requests in flight of " + load.name, "workload." + load.name + ".queue_depth", load.queue_depth, 1u);
  half("fewer processors of the guests", "machine.guest_cpus", scenario_.machine.guest_cpus, 1u);
  half("fewer processors of the host", "machine.host_cpus", scenario_.machine.host_cpus, 1u);
  for (const ChannelSpec& channel : scenario_.channels) {
    const std::string key = "channel." + channel.name + ".";
    half("fewer subchannels of " + channel.name, key + "subchannels", channel.subchannels, 0u);
    if (channel.to_host.count > 1) all.push_back({"a smaller ring to the host", {key + "ring.to_host=\"1 page\""}});
    if (channel.to_guest.count > 1) all.push_back({"a smaller ring to the guest", {key + "ring.to_guest=\"1 page\""}});
    if (channel.batching.mask) all.push_back({"no mask on " + channel.name, {key + "batching.mask=false"}});
    if (channel.device.parallel > 1) all.push_back({"one server", {key + "device.parallel=1"}});
  }
  if (!(scenario_.hunt.faults == faults::Faults{})) all.push_back({"no faults", {"hunt.faults=[]"}});
  if (scenario_.hunt.latency) all.push_back({"latencies as they are", {"hunt.latency=false"}});
  return all;
}

}  // namespace vmbsim::scenario
