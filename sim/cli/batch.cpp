#include "sim/batch/batch.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "sim/batch/folder.hpp"
#include "sim/batch/overview.hpp"
#include "sim/cli/campaign.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/signals.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/config/file.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::cli {

namespace {

std::optional<std::string> environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

/// Of all that the folder holds: guests that no host took, and what [report] asks for.
std::string overview(const scenario::Scenario& scenario, const std::string& folder) {
  const scenario::ReportSpec& asked = scenario.report;
  if (asked.rows.empty() && !scenario::has_fleet(scenario)) return "";
  const auto read = batch::Runs::read({folder});
  if (std::holds_alternative<Problem>(read)) return "";  // whoever reads it next is told why
  const auto& runs = std::get<batch::Runs>(read);
  const auto found = batch::overview_of(runs, {asked.rows, asked.against});
  if (std::holds_alternative<Problem>(found)) return "";
  const auto& [refused, tables] = std::get<batch::Overview>(found);
  if (tables.empty()) return refused;
  return refused + fmt::format("\nof all {} in {}:\n", config::counted(runs.size(), "run", "runs"), folder) + tables;
}

std::string told(const batch::Summary& summary, const BatchArguments& arguments, const std::string& folder) {
  const batch::Standing& s = summary.standing;
  std::string text = fmt::format("{} of {} done", s.done, config::counted(s.planned, "run", "runs"));
  if (s.before > 0) text += fmt::format(" ({} before)", s.before);
  if (summary.unmet > 0) text += fmt::format(", {} with an expectation not met or a rule broken", summary.unmet);
  if (s.failed > 0) text += fmt::format(", {} failed", s.failed);
  text += fmt::format("; {:.1f} s\n", static_cast<double>(s.elapsed_ms) / 1000);
  if (summary.end == batch::Summary::End::stopped) return text + stopped_text(arguments.command);
  if (!summary.failure.empty())
    text += fmt::format("the first to fail: {}; all of them: vmbsim export {} --wide\n", summary.failure, folder);
  return text + fmt::format("in {}; see them: vmbsim export {} --long\n", folder, folder);
}

}  // namespace

int batch(const BatchArguments& arguments) {
  auto found = runner_config(arguments.limits, arguments.jobs);
  if (const auto* wrong = std::get_if<Problem>(&found)) {
    print({*wrong});
    return bad_input;
  }
  const auto shard = batch::shard_of(arguments.shard, environment);
  if (const auto* wrong = std::get_if<std::string>(&shard)) {
    print({config::problem_with("--shard", *wrong)});
    return bad_input;
  }
  const auto progress = batch::progress_form(arguments.progress);
  if (!progress) {
    print({config::problem_with("--progress",
                                "\"" + arguments.progress + "\": right would be one of: auto, plain, json, none")});
    return bad_input;
  }
  ScenarioRuns runs(arguments.scenario, arguments.overrides, arguments.seed);
  if (const Problems problems = runs.prepare(arguments.only); !problems.empty()) {
    print(problems);
    return bad_input;
  }
  const std::string folder = arguments.out.empty() ? campaign_folder(arguments.scenario) : arguments.out;
  const StopRequest stop;
  auto& runner = std::get<batch::Runner::Config>(found);
  runner.campaign = runs.campaign();
  runner.folder = folder;
  runner.shard = std::get<batch::Shard>(shard);
  batch::Batch batch({.plan = runs.plan(),
                      .run = [&](const batch::PlannedRun& run) { return runs.run(run); },
                      .runner = std::move(runner),
                      .progress = *progress});
  if (const auto wrong = batch.prepare()) {
    print({*wrong});
    return bad_input;
  }
  const batch::Summary summary = batch.run();
  if (summary.unwritten) print({*summary.unwritten});
  const bool whole = summary.end == batch::Summary::End::complete;
  const int status = say(told(summary, arguments, folder) + (whole ? overview(runs.scenario(), folder) : ""), fine);
  switch (summary.end) {
    case batch::Summary::End::stopped: return stopped;
    case batch::Summary::End::unwritten: return broken;
    case batch::Summary::End::complete: break;
  }
  if (status != fine) return status;
  return summary.unmet == 0 && summary.standing.failed == 0 ? fine : unmet;
}

}  // namespace vmbsim::cli
