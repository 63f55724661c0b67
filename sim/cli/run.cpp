#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "sim/cli/judging.hpp"
#include "sim/cli/loading.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/running.hpp"
#include "sim/cli/signals.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/cli/version.hpp"
#include "sim/report/table.hpp"
#include "sim/report/writer.hpp"

namespace vmbsim::cli {

namespace {

report::Manifest manifest_of(const RunArguments& arguments, const scenario::Scenario& scenario) {
  return {.version = version,
          .commit = commit,
          .compiler = compiler,
          .flags = flags,
          .packages = {{"simgrid", simgrid_version}, {"boost", boost_version}},
          .command = arguments.command,
          .scenario = scenario.name,
          .seed = scenario.seed,
          .text = scenario.resolved};
}

/// Into the file of --trace, and beside the results when [record] asks for it.
std::optional<Problem> write_timeline(const RunArguments& arguments, bool recorded,
                                      const scenario::Timeline& timeline) {
  if (timeline.full()) std::fputs("vmbsim: the run is longer than its timeline, which ends before\n", stderr);
  const std::string bytes = timeline.bytes();
  const Unstoppable until_written;
  if (recorded && !arguments.out.empty())
    if (auto failed = report::write_whole(std::filesystem::path(arguments.out) / "trace.pftrace", bytes)) return failed;
  if (!arguments.trace.empty()) return report::write_whole(arguments.trace, bytes);
  return std::nullopt;
}

}  // namespace

int run(const RunArguments& arguments) {
  Inputs inputs = load_inputs(arguments.scenario, arguments.overrides, arguments.seed);
  std::unique_ptr<platform::Platform> platform;
  if (inputs.scenario && !inputs.scenario->machine.platform.empty()) {
    platform = platform::Platform::load(inputs.scenario->machine.platform, inputs.problems);
    if (platform == nullptr) inputs.scenario.reset();
  }
  if (!inputs.scenario) {
    print(inputs.problems);
    return bad_input;
  }
  const scenario::Scenario& scenario = *inputs.scenario;

  const report::Manifest manifest = manifest_of(arguments, scenario);
  if (!arguments.out.empty()) {
    if (const auto foreign = report::foreign_result(arguments.out, manifest)) {
      print({*foreign});
      return bad_input;
    }
    if (const auto failed = report::make_folder(arguments.out)) {
      print({*failed});
      return broken;
    }
  }

  if (arguments.out.empty() &&
      (scenario.record.packets || scenario.record.trace || scenario.record.interval > Duration{0}))
    std::fputs("vmbsim: [record] writes its files into the folder that --out names; there is none\n", stderr);
  if (!scenario.sweep.empty())
    std::fputs("vmbsim: [sweep] is left aside; the file is run as it stands; vmbsim batch runs its points\n", stderr);

  const bool timeline_wanted = !arguments.trace.empty() || (scenario.record.trace && !arguments.out.empty());
  scenario::Timeline timeline;
  RunResult result = run_once(scenario, inputs.traces, platform.get(), timeline_wanted ? &timeline : nullptr);
  const bool met = judge(scenario, result);

  std::optional<Problem> unwritten;
  if (!arguments.out.empty()) {
    const Unstoppable until_written;
    unwritten = report::write_result(arguments.out, result, manifest);
  }
  if (timeline_wanted && !unwritten) unwritten = write_timeline(arguments, scenario.record.trace, timeline);
  const bool paint = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  const int status = say(report::table(result, paint ? report::Paint::colour : report::Paint::plain), fine);
  if (platform != nullptr && platform->crowded())
    fmt::print(
        stderr,
        "vmbsim: {} works were in flight on the platform together; above {} SimGrid needs more wall time for each\n",
        platform->peak_in_flight(), platform::Platform::comfortable_in_flight);
  if (unwritten) print({*unwritten});
  if (unwritten || status != fine) return broken;
  return met ? fine : unmet;
}

}  // namespace vmbsim::cli
