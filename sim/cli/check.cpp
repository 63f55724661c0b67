#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "sim/batch/folder.hpp"
#include "sim/cli/calibration.hpp"
#include "sim/cli/campaign.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/plan_question.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/config/suggestions.hpp"

namespace vmbsim::cli {

namespace {

std::string size_text(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.0f} kB", std::max(bytes / 1e3, 1.0));
  return bytes < 1e10 ? fmt::format("{:.{}f} MB", bytes / 1e6, bytes < 1e7 ? 1 : 0)
                      : fmt::format("{:.0f} GB", bytes / 1e9);
}

std::string time_text(double seconds) {
  if (seconds < 1) return fmt::format("{:.2f} s", std::max(seconds, 0.01));
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  return seconds < 7200 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.1f} h", seconds / 3600);
}

/// What one run leaves in a store, from the number of its figures and histograms: some 9 bytes each, and some 900.
double guessed_bytes(const scenario::Scenario& s) {
  const auto instances = [&](const std::string& vm) {
    for (const scenario::VmSpec& spec : s.vms)
      if (spec.name == vm) return static_cast<double>(spec.count);
    return 1.0;
  };
  // Figures and latencies of a fleet's hosts, its templates and itself.
  const double sums = scenario::has_fleet(s) ? static_cast<double>(s.placed.hosts.size() + s.vms.size() + 1) : 0;
  double figures = 6 + 20 * sums;
  for (const scenario::Host& host : s.placed.hosts) figures += 5.0 * host.cpus;
  double histograms = sums;
  for (const scenario::VmSpec& vm : s.vms) figures += 5.0 * vm.cpus * vm.count;
  for (const scenario::ChannelSpec& channel : s.channels) {
    figures += 38 * instances(channel.vm);
    histograms += instances(channel.vm);
  }
  for (const scenario::WorkloadSpec& load : s.workloads) {
    figures += 8 * instances(load.vm);
    histograms += instances(load.vm);
  }
  return 400 + 9 * figures + 900 * histograms;
}

/// What `count` runs take, as three of them show: the first point, one in the middle and the last, each tried for a short part.
std::string guessed(const std::string& path, const sweep::Points& points, double count) {
  Loader loader;
  double seconds = 0, bytes = 0;
  bool at_least = false, known = true;
  const std::set<std::uint64_t> tried{0, points.size() / 2, points.size() - 1};
  for (const std::uint64_t point : tried) {
    const Inputs inputs = loader.one_run(path, points.at(point).overrides(), {});
    if (inputs.scenario) bytes += guessed_bytes(*inputs.scenario) / static_cast<double>(tried.size());
    const auto time = inputs.scenario && known ? time_of_a_run(inputs) : std::nullopt;
    known = time.has_value();
    if (!time) continue;
    seconds += time->seconds / static_cast<double>(tried.size());
    at_least = at_least || time->at_least;
  }
  const std::string store = fmt::format("about {} of store", size_text(bytes * count));
  if (!known) return store + "; how long they take cannot be told, for one that was tried failed";
  return fmt::format("{} and {} {} of one processor, as parts of {} took", store, at_least ? "more than" : "about",
                     time_text(seconds * count), config::counted(tried.size(), "run", "runs"));
}

/// What the runs of the sweep take: as those in its folder did, where there are any.
std::string batch_line(const std::string& path, const scenario::Scenario& scenario) {
  sweep::Points points(scenario.sweep);
  if (scenario.sweep.empty() || points.prepare()) return "";
  const std::uint64_t planned = points.size() * scenario.sweep.repeat;
  const auto many = static_cast<double>(planned);
  std::string line = "  batch     " + config::counted(planned, "run", "runs");
  const std::string folder = campaign_folder(path);
  const auto read = batch::Runs::read({folder});
  const auto* runs = std::get_if<batch::Runs>(&read);
  if (runs == nullptr || runs->size() == 0) return line + ", " + guessed(path, points, many) + "\n";
  double bytes = 0, seconds = 0;
  for (const std::filesystem::path& file : batch::stores_in(folder)) {
    std::error_code gone;
    const auto size = std::filesystem::file_size(file, gone);
    if (!gone) bytes += static_cast<double>(size);
  }
  for (std::size_t i = 0; i < runs->size(); ++i) seconds += static_cast<double>(runs->head(i).processor_us) / 1e6;
  const double share = many / static_cast<double>(runs->size());
  return line + fmt::format(", about {} of store and {} of one processor, as the {} in {} took\n",
                            size_text(bytes * share), time_text(seconds * share),
                            config::counted(runs->size(), "run", "runs"), folder);
}

}  // namespace

int check(const std::vector<std::string>& scenarios) {
  int status = fine;
  for (const std::string& path : scenarios) {
    Loader loader;
    const Inputs inputs = loader.whole(path, {}, {});
    Problems problems = inputs.problems;
    if (inputs.scenario && !inputs.scenario->plan.axes.empty() && std::filesystem::is_regular_file(path))
      problems = wrong_with_plan(loader, path, {}, {}, *inputs.scenario);
    if (problems.empty()) {
      status = say(path + ": " + scenario::describe(*inputs.scenario) + batch_line(path, *inputs.scenario), status);
      if (status == broken) return status;
    } else {
      print(problems);
      status = bad_input;
    }
  }
  return status;
}

}  // namespace vmbsim::cli
