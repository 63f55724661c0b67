#include "sim/cli/loading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "models/workload/trace_reader.hpp"
#include "sim/config/file.hpp"

namespace vmbsim::cli {

namespace {

constexpr std::int64_t longest_trace_file = std::int64_t{2} << 30;

/// Asks platform files, each looked at once, for the hosts and disks that a scenario names.
class Platforms {
 public:
  std::optional<std::string> wrong_with(const std::string& file, const std::string& host, Problems& file_problems) {
    auto known = inventories_.find(file);
    if (known == inventories_.end())
      known = inventories_.emplace(file, platform::inspect(file, file_problems)).first;
    if (!known->second) return std::nullopt;  // the file itself is the problem, and was told
    Problems problems;
    const bool good = host.find(':') == std::string::npos ? known->second->host(host, {}, problems) != nullptr
                                                          : known->second->has_disk(host, {}, problems);
    if (good || problems.empty()) return std::nullopt;
    return problems.front().text;
  }

 private:
  std::map<std::string, std::optional<platform::Inventory>> inventories_;
};

workload::TraceOptions options_of(const scenario::WorkloadSpec& load) {
  const scenario::TraceSpec& spec = load.trace;
  workload::TraceOptions options{.format = static_cast<workload::TraceFormat>(spec.format),
                                 .time_scale = spec.time_scale,
                                 .sort = spec.sort,
                                 .delimiter = spec.delimiter,
                                 .decimal = spec.decimal,
                                 .thousands = spec.thousands,
                                 .arrival = spec.arrival,
                                 .size = spec.size,
                                 .kind = spec.kind,
                                 .offset = spec.offset,
                                 .service = spec.service,
                                 .unit = spec.unit};
  if (!load.request.empty()) options.size_if_absent = load.request.front().size;
  return options;
}

/// The rings of the load's channel hold the largest request of its trace, and what an echo answers.
void check_rings(const scenario::WorkloadSpec& load, const scenario::ChannelSpec& channel, const workload::Trace& trace,
                 Problems& problems) {
  Bytes largest{};
  for (const workload::TraceRecord& record : trace) largest = std::max(largest, record.size);
  const Bytes packet = scenario::packet_size(channel, largest);
  const std::string takes =
      fmt::format("the trace's largest request of {} B takes a packet of {} B", largest.count, packet.count);
  if (packet > scenario::largest_packet) {
    problems.push_back({load.trace.place, fmt::format("{}, and a packet has at most {} B", takes, scenario::largest_packet.count)});
    return;
  }
  const Pages least = pages_for(packet + Bytes{8});  // 8 bytes of a ring stay free
  const auto check = [&](const char* key, Pages size) {
    if (size >= least) return;
    problems.push_back({load.trace.place, fmt::format("{}, too large for channel \"{}\": {} must be at least {} pages", takes,
                                                      channel.name, key, least.count)});
  };
  check("to_host", channel.to_host);
  if (channel.driver == "echo") check("to_guest", channel.to_guest);
}

void load_trace(const scenario::WorkloadSpec& load, const std::vector<scenario::ChannelSpec>& channels, Inputs& inputs) {
  const auto text = config::read_file(load.trace.file, longest_trace_file);
  if (const auto* error = std::get_if<config::FileError>(&text)) {
    inputs.problems.push_back({load.trace.place, load.trace.file + ": " + error->text});
    return;
  }
  workload::TraceText trace = workload::read_trace(std::get<std::string>(text), load.trace.file, options_of(load));
  inputs.problems.insert(inputs.problems.end(), trace.problems.begin(), trace.problems.end());
  for (const scenario::ChannelSpec& channel : channels)
    if (channel.name == load.channel) check_rings(load, channel, trace.trace, inputs.problems);
  inputs.traces[load.name] = std::make_shared<const workload::Trace>(std::move(trace.trace));
}

}  // namespace

Inputs load_inputs(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed) {
  Inputs inputs;
  Platforms platforms;
  Problems platform_problems;
  scenario::LoadOptions options{.overrides = overrides, .seed = seed, .host_check = {}};
  options.host_check = [&](const std::string& file, const std::string& host) {
    return platforms.wrong_with(file, host, platform_problems);
  };
  scenario::Loaded loaded = scenario::load(path, options);
  inputs.problems = std::move(loaded.problems);
  inputs.problems.insert(inputs.problems.end(), platform_problems.begin(), platform_problems.end());
  if (!loaded.scenario) return inputs;
  for (const scenario::WorkloadSpec& load : loaded.scenario->workloads)
    if (load.loop == scenario::WorkloadSpec::Loop::trace) load_trace(load, loaded.scenario->channels, inputs);
  if (inputs.problems.empty()) inputs.scenario = std::move(loaded.scenario);
  return inputs;
}

}  // namespace vmbsim::cli
