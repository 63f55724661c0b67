#include "sim/cli/campaign.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>
#include <utility>

#include "sim/cli/judging.hpp"
#include "sim/cli/running.hpp"
#include "sim/cli/signals.hpp"
#include "sim/cli/version.hpp"
#include "sim/config/file.hpp"
#include "sim/config/toml_text.hpp"
#include "sim/config/units.hpp"
#include "sim/report/grouping.hpp"
#include "sim/report/metrics.hpp"

namespace vmbsim::cli {

namespace {

constexpr std::int64_t largest_input = std::int64_t{4} << 30;

void replace_all(std::string& text, const std::string& old, const std::string& fresh) {
  for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += fresh.size())
    text.replace(at, old.size(), fresh);
}

batch::Figures figures_of(const RunResult& result, bool met) {
  batch::Figures figures;
  figures.met = met;
  figures.fingerprint = result.fingerprint;
  figures.metrics = report::metrics(result);
  for (const ChannelResult& channel : result.channels)
    figures.histograms.push_back({"channel." + channel.name + ".latency", channel.latency});
  for (const WorkloadResult& workload : result.workloads)
    figures.histograms.push_back({"workload." + workload.name + ".response", workload.response});
  if (!result.fleet) return figures;
  for (const HostResult& host : result.fleet->hosts)
    figures.histograms.push_back({"host." + host.name + ".latency", host.traffic.latency});
  for (const TemplateResult& of : result.fleet->templates)
    figures.histograms.push_back({"template." + of.name + ".latency", of.traffic.latency});
  figures.histograms.push_back({"fleet.latency", report::together(result.fleet->templates).traffic.latency});
  return figures;
}

/// Into the run's log: what its figures do not say.
void tell(const RunResult& result) {
  for (const std::string& line : result.debug_output) std::printf("%s\n", line.c_str());
  for (const Finding& finding : result.findings)
    std::printf("%s at %lld ns, %s: %s\n", finding.rule.c_str(), static_cast<long long>(nanoseconds(finding.time)),
                finding.where.c_str(), finding.text.c_str());
  for (const ExpectationResult& expectation : result.expectations)
    if (!expectation.met) std::printf("not met: %s (is %g)\n", expectation.text.c_str(), expectation.actual);
}

}  // namespace

std::variant<batch::Runner::Config, Problem> runner_config(const RunLimits& limits, unsigned jobs) {
  batch::Runner::Config out;
  if (!limits.time.empty()) {
    const auto time = config::parse_duration(limits.time);
    if (const auto* wrong = std::get_if<config::UnitError>(&time))
      return config::problem_with("--time-limit", wrong->text);
    out.limits.time_ms = std::get<Duration>(time).count() / 1'000'000;
    if (out.limits.time_ms == 0) return config::problem_with("--time-limit", "right would be 1ms or more");
  }
  if (!limits.memory.empty()) {
    const auto memory = config::parse_bytes(limits.memory);
    if (const auto* wrong = std::get_if<config::UnitError>(&memory))
      return config::problem_with("--memory-limit", wrong->text);
    out.limits.memory_bytes = std::get<Bytes>(memory).count;
    if (out.limits.memory_bytes == 0) return config::problem_with("--memory-limit", "right would be 1B or more");
  }
  out.retries = limits.retries;
  out.jobs = jobs == 0 ? workers::processors() : jobs;
  out.stop_asked = [] { return StopRequest::made(); };
  out.tell = [](const std::string& line) { fmt::print(stderr, "vmbsim: {}\n", line); };
  return out;
}

std::string was_changed(const std::string& path, const char* of) {
  return fmt::format("{} was changed while its {} was going on", path, of);
}

batch::Figures figures_of(const RunOfMany& run, Loader& loader, Identities& identities, const char* of) {
  Inputs inputs = loader.one_run(run.path, run.overrides, {});
  if (!inputs.scenario) throw std::runtime_error(inputs.problems.front().line());
  if (identities.of(*inputs.scenario) != run.identity) throw std::runtime_error(was_changed(run.path, of));
  inputs.scenario->seed = run.seed;
  std::unique_ptr<platform::Platform> platform;
  if (!inputs.scenario->machine.platform.empty()) {
    platform = platform::Platform::load(inputs.scenario->machine.platform, inputs.problems);
    if (platform == nullptr) throw std::runtime_error(inputs.problems.front().line());
  }
  RunResult result = run_once(*inputs.scenario, inputs.traces, platform.get());
  const bool met = judge(*inputs.scenario, result);
  tell(result);
  return figures_of(result, met);
}

std::string campaign_folder(const std::string& scenario) {
  return std::filesystem::path(scenario).stem().string() + ".campaign";
}

std::string model_version() { return *commit == '\0' ? version : fmt::format("{}+{}", version, commit); }

ScenarioRuns::ScenarioRuns(std::string path, std::vector<std::string> overrides, std::optional<Seed> seed)
    : path_(std::move(path)), overrides_(std::move(overrides)), seed_(seed) {}

std::vector<std::string> ScenarioRuns::overrides_of(const sweep::Point& point) const {
  std::vector<std::string> all = overrides_;
  for (std::string& one : point.overrides()) all.push_back(std::move(one));
  return all;
}

std::string Identities::digest_of_file(const std::string& file) {
  if (const auto known = digests_.find(file); known != digests_.end()) return known->second;
  const auto text = config::read_file(file, largest_input);
  const auto* bytes = std::get_if<std::string>(&text);
  return digests_[file] = batch::digest_of(bytes != nullptr ? *bytes : "").text();
}

Fingerprint Identities::of(const scenario::Scenario& scenario) {
  std::string text = scenario.resolved;
  for (const std::string& file : scenario.files)
    replace_all(text, config::toml_quoted(file), config::toml_quoted(digest_of_file(file)));
  return batch::digest_of(text);
}

Problems ScenarioRuns::prepare(const std::vector<std::string>& only) {
  Inputs whole = loader_.whole(path_, overrides_, seed_);
  if (!whole.scenario) return whole.problems;
  scenario_ = std::move(whole.scenario);
  const Inputs base = loader_.one_run(path_, overrides_, seed_);
  if (!base.scenario) return base.problems;
  points_.emplace(scenario_->sweep);
  if (auto wrong = points_->prepare(only)) return {*wrong};
  const auto resolve = [&](const sweep::Point& point) -> std::variant<Fingerprint, Problem> {
    const Inputs inputs = loader_.one_run(path_, overrides_of(point), {});
    if (inputs.scenario) return identities_.of(*inputs.scenario);
    Problem wrong = inputs.problems.front();
    wrong.text = fmt::format("[sweep]: the point {}: {}", fmt::join(point.overrides(), ", "), wrong.text);
    return wrong;
  };
  auto plan = batch::Plan::make(scenario_->sweep, *points_, scenario_->seed, model_version(), resolve);
  if (const auto* wrong = std::get_if<Problem>(&plan)) return {*wrong};
  plan_.emplace(std::get<batch::Plan>(std::move(plan)));
  campaign_ = {.scenario = scenario_->name,
               .version = model_version(),
               .text = base.scenario->resolved,
               .identity = identities_.of(*base.scenario),
               .parameters = batch::columns_of(scenario_->sweep)};
  return {};
}

batch::Figures ScenarioRuns::run(const batch::PlannedRun& planned) {
  return figures_of(
      {.path = path_, .overrides = overrides_of(planned.point), .identity = planned.identity, .seed = planned.seed},
      loader_, identities_, "batch");
}

}  // namespace vmbsim::cli
