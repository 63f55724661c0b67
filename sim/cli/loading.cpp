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
    const std::optional<platform::Inventory>& known = inventory(file, file_problems);
    if (!known) return std::nullopt;  // the file itself is the problem, and was told
    Problems problems;
    const bool good = host.find(':') == std::string::npos ? known->host(host, {}, problems) != nullptr
                                                          : known->has_disk(host, {}, problems);
    if (good || problems.empty()) return std::nullopt;
    return problems.front().text;
  }
  std::optional<std::string> wrong_with_routes(const std::string& file, const std::vector<std::string>& from,
                                               const std::string& to) {
    std::vector<std::string> question = from;
    question.push_back(to);
    question.push_back(file);
    const auto known = routes_.find(question);
    if (known != routes_.end()) return known->second;
    return routes_[question] = platform::wrong_with_routes(file, from, to);
  }

 private:
  const std::optional<platform::Inventory>& inventory(const std::string& file, Problems& file_problems) {
    auto known = inventories_.find(file);
    if (known == inventories_.end()) known = inventories_.emplace(file, platform::inspect(file, file_problems)).first;
    return known->second;
  }

  std::map<std::string, std::optional<platform::Inventory>> inventories_;
  std::map<std::vector<std::string>, std::optional<std::string>> routes_;
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

/// A batch would run the sweep's points: what is wrong with the first bad one.
void check_sweep(const std::string& path, const scenario::LoadOptions& options, const sweep::Sweep& sweep,
                 Problems& problems) {
  constexpr std::size_t most_points_tried = 256;
  if (sweep.empty()) return;
  sweep::Points points(sweep);
  if (auto wrong = points.prepare()) {
    problems.push_back(std::move(*wrong));
    return;
  }
  std::map<std::string, std::uint64_t> seen;  // resolved texts
  for (const std::uint64_t sample : points.samples(most_points_tried)) {
    const std::vector<std::string> point = points.at(sample).overrides();
    scenario::LoadOptions changed = options;
    changed.one_run = true;
    changed.overrides.insert(changed.overrides.end(), point.begin(), point.end());
    const scenario::Loaded found = scenario::load(path, changed);
    if (found.scenario) {
      const auto [before, fresh] = seen.emplace(found.scenario->resolved, sample);
      if (fresh) continue;
      problems.push_back(points.same(before->second, sample));
      return;
    }
    problems.push_back({points.place_of(sample),
                        fmt::format("[sweep]: the point {}: {}", fmt::join(point, ", "), found.problems.front().text)});
    return;
  }
}

/// All that decides what reading a trace gives.
std::string name_of_trace(const std::string& file, const workload::TraceOptions& o) {
  return fmt::format("{}\n{} {} {} {:d}{:d}{:d}\n{}\n{}\n{}\n{}\n{}\n{} {}", file, static_cast<int>(o.format),
                     o.time_scale, o.sort, static_cast<int>(o.delimiter), static_cast<int>(o.decimal),
                     static_cast<int>(o.thousands), o.arrival, o.size, o.kind, o.offset, o.service, o.unit.count(),
                     o.size_if_absent.count);
}

}  // namespace

std::string folder_of_own(const char* built, const char* installed) {
  std::error_code failed;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return {};
  const std::filesystem::path folder = program.parent_path().parent_path() / installed;
  return std::filesystem::is_directory(folder, failed) ? folder.string() : (program.parent_path() / built).string();
}

/// What was looked at, for whoever names it next.
struct Loader::Known {
  Platforms platforms;
  Drivers drivers;
  std::map<std::string, std::shared_ptr<const workload::Trace>> traces;
  std::size_t records = 0;  // of them
};

Loader::Loader() : known_(std::make_unique<Known>()) {}
Loader::~Loader() = default;

void Loader::load_trace(const scenario::WorkloadSpec& load, const std::vector<scenario::ChannelSpec>& channels,
                        Inputs& inputs) {
  constexpr std::size_t most_records_kept = 20'000'000;
  const workload::TraceOptions options = options_of(load);
  const std::string name = name_of_trace(load.trace.file, options);
  std::shared_ptr<const workload::Trace> trace;
  if (const auto known = known_->traces.find(name); known != known_->traces.end()) {
    trace = known->second;
  } else {
    const auto text = config::read_file(load.trace.file, longest_trace_file);
    if (const auto* error = std::get_if<config::FileError>(&text)) {
      inputs.problems.push_back({load.trace.place, load.trace.file + ": " + error->text});
      return;
    }
    workload::TraceText read = workload::read_trace(std::get<std::string>(text), load.trace.file, options);
    inputs.problems.insert(inputs.problems.end(), read.problems.begin(), read.problems.end());
    const bool good = read.problems.empty();
    trace = std::make_shared<const workload::Trace>(std::move(read.trace));
    if (good && known_->records + trace->size() <= most_records_kept) {
      known_->traces[name] = trace;
      known_->records += trace->size();
    }
  }
  for (const scenario::ChannelSpec& channel : channels)
    if (channel.name == load.channel) check_rings(load, channel, *trace, inputs.problems);
  inputs.traces[load.name] = std::move(trace);
}

bool names_harness(const std::string& path) {
  const std::filesystem::path extension = std::filesystem::path(path).extension();
  return extension == ".so" || extension == ".cpp" || extension == ".c";
}

Inputs Loader::load(const std::string& path, scenario::LoadOptions options, bool try_sweep) {
  Inputs inputs;
  if (names_harness(path)) {
    inputs.problems.push_back(
        config::problem_with(path, "names a harness, and this takes a scenario (.toml): vmbsim hunt takes either"));
    return inputs;
  }
  Problems platform_problems;
  options.host_check = [&](const std::string& file, const std::string& host) {
    return known_->platforms.wrong_with(file, host, platform_problems);
  };
  options.route_check = [&](const std::string& file, const std::vector<std::string>& from, const std::string& to) {
    return known_->platforms.wrong_with_routes(file, from, to);
  };
  options.driver_check = [&](const std::string& file) { return known_->drivers.wrong_with(file); };
  options.driver_folder = folder_of_own("drivers", installed_driver_folder);
  scenario::Loaded loaded = scenario::load(path, options);
  inputs.problems = std::move(loaded.problems);
  inputs.problems.insert(inputs.problems.end(), platform_problems.begin(), platform_problems.end());
  if (!loaded.scenario) return inputs;
  if (try_sweep && std::filesystem::is_regular_file(path))  // a pipe can be read once
    check_sweep(path, options, loaded.scenario->sweep, inputs.problems);
  for (const scenario::WorkloadSpec& load : loaded.scenario->workloads)
    if (load.loop == scenario::WorkloadSpec::Loop::trace) load_trace(load, loaded.scenario->channels, inputs);
  if (inputs.problems.empty()) inputs.scenario = std::move(loaded.scenario);
  return inputs;
}

Inputs Loader::whole(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed) {
  return load(path, {.overrides = overrides, .seed = seed}, true);
}

Inputs Loader::planned(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed) {
  return load(path, {.overrides = overrides, .seed = seed}, false);
}

Inputs Loader::one_run(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed) {
  return load(path, {.overrides = overrides, .seed = seed, .one_run = true}, false);
}

Inputs load_inputs(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed) {
  return Loader().whole(path, overrides, seed);
}

}  // namespace vmbsim::cli
