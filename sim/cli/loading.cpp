#include "sim/cli/loading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <vector>

#include "models/drivers/library.hpp"
#include "models/workload/trace_reader.hpp"
#include "sim/cli/version.hpp"
#include "sim/config/file.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::cli {

namespace {

constexpr std::int64_t longest_trace_file = std::int64_t{2} << 30;

/// Asks platform files, each looked at once, for the hosts and disks that a scenario names.
class Platforms {
 public:
  std::optional<std::string> wrong_with(const std::string& file, const std::string& host, Problems& file_problems) {
    auto known = inventories_.find(file);
    if (known == inventories_.end()) known = inventories_.emplace(file, platform::inspect(file, file_problems)).first;
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

/// Looks at driver libraries, at each once: every look takes a child process.
class Drivers {
 public:
  std::optional<std::string> wrong_with(const std::string& file) {
    auto known = looked_at_.find(file);
    if (known == looked_at_.end()) known = looked_at_.emplace(file, drivers::wrong_with_driver(file)).first;
    return known->second;
  }

 private:
  std::map<std::string, std::optional<std::string>> looked_at_;
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
  if (!channel.guest_endpoint.library.empty()) return;  // what a library sends is its own business
  Bytes largest{};
  for (const workload::TraceRecord& record : trace) largest = std::max(largest, record.size);
  const Bytes packet = scenario::packet_size(channel, largest);
  const std::string takes =
      fmt::format("the trace's largest request of {} B takes a packet of {} B", largest.count, packet.count);
  if (packet > scenario::largest_packet) {
    problems.push_back(
        {load.trace.place, fmt::format("{}, and a packet has at most {} B", takes, scenario::largest_packet.count)});
    return;
  }
  if (const Bytes most = scenario::largest_request_of(channel); largest > most) {
    problems.push_back({load.trace.place, fmt::format("the trace's largest request of {} B is too large: a frame of a "
                                                      "network channel has at most {}",
                                                      largest.count, config::to_text(most))});
    return;
  }
  const Pages least = pages_for(packet + Bytes{8});  // 8 bytes of a ring stay free
  const auto check = [&](const char* key, Pages size) {
    if (size >= least) return;
    problems.push_back({load.trace.place, fmt::format("{}, too large for channel \"{}\": {} must be at least {}", takes,
                                                      channel.name, key, config::to_text(least))});
  };
  check("to_host", channel.to_host);
  if (channel.driver == "echo") check("to_guest", channel.to_guest);
}

void load_trace(const scenario::WorkloadSpec& load, const std::vector<scenario::ChannelSpec>& channels,
                Inputs& inputs) {
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

constexpr std::size_t most_points_tried = 256;

struct Point {
  std::vector<std::string> overrides;
  const scenario::SweepSpec::Axis* varied;  // the one that this point tries another value of
};

/// Points of the sweep that between them take every value of every axis.
std::vector<Point> points_to_try(const scenario::SweepSpec& sweep) {
  const bool zip = sweep.combine == scenario::SweepSpec::Combine::zip;
  std::vector<Point> points;
  const auto add = [&](std::size_t varied, std::size_t i) {
    Point& point = points.emplace_back();
    point.varied = &sweep.axes[varied];
    for (std::size_t axis = 0; axis < sweep.axes.size(); ++axis) {
      const std::vector<std::string>& values = sweep.axes[axis].values;
      const std::string& value = values[zip || axis == varied ? i : 0];
      for (const std::string& key : sweep.axes[axis].keys) point.overrides.push_back(fmt::format("{}={}", key, value));
    }
  };
  for (std::size_t axis = 0; axis < (zip ? std::size_t{1} : sweep.axes.size()); ++axis)
    for (std::size_t i = 0; i < sweep.axes[axis].values.size() && points.size() < most_points_tried; ++i) add(axis, i);
  return points;
}

/// A batch would run the sweep's points: what is wrong with the first bad one.
void check_sweep(const std::string& path, const scenario::LoadOptions& options, const scenario::SweepSpec& sweep,
                 Problems& problems) {
  const auto complain = [&](const scenario::SweepSpec::Axis& axis, const std::string& text) {
    problems.push_back({axis.place, "[sweep]: " + text});
  };
  if (sweep.combine == scenario::SweepSpec::Combine::zip)
    for (const auto& axis : sweep.axes)
      if (axis.values.size() != sweep.axes.front().values.size())
        return complain(axis, "axes that go side by side need as many values each");
  for (const auto& [point, varied] : points_to_try(sweep)) {
    scenario::LoadOptions changed = options;
    changed.overrides.insert(changed.overrides.end(), point.begin(), point.end());
    const Problems found = scenario::load(path, changed).problems;
    if (!found.empty())
      return complain(*varied, fmt::format("the point {}: {}", fmt::join(point, ", "), found.front().text));
  }
}

/// The driver libraries that were built with the program: beside it, or where both were installed.
std::string driver_folder() {
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return {};
  const std::filesystem::path installed = program.parent_path().parent_path() / installed_driver_folder;
  return std::filesystem::is_directory(installed, failed) ? installed.string()
                                                          : (program.parent_path() / "drivers").string();
}

}  // namespace

Inputs load_inputs(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed) {
  Inputs inputs;
  Platforms platforms;
  Problems platform_problems;
  Drivers drivers;
  const scenario::LoadOptions options{
      .overrides = overrides,
      .seed = seed,
      .host_check = [&](const std::string& file,
                        const std::string& host) { return platforms.wrong_with(file, host, platform_problems); },
      .driver_check = [&](const std::string& file) { return drivers.wrong_with(file); },
      .driver_folder = driver_folder()};
  scenario::Loaded loaded = scenario::load(path, options);
  inputs.problems = std::move(loaded.problems);
  inputs.problems.insert(inputs.problems.end(), platform_problems.begin(), platform_problems.end());
  if (!loaded.scenario) return inputs;
  if (std::filesystem::is_regular_file(path))  // a pipe can be read once
    check_sweep(path, options, loaded.scenario->sweep, inputs.problems);
  for (const scenario::WorkloadSpec& load : loaded.scenario->workloads)
    if (load.loop == scenario::WorkloadSpec::Loop::trace) load_trace(load, loaded.scenario->channels, inputs);
  if (inputs.problems.empty()) inputs.scenario = std::move(loaded.scenario);
  return inputs;
}

}  // namespace vmbsim::cli
