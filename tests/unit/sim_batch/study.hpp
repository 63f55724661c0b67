#pragma once
/// A batch of runs that cost nothing: their figures follow from their settings and their seed.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sim/batch/batch.hpp"
#include "sim/batch/tables.hpp"
#include "sim/config/csv_reader.hpp"
#include "sim/sweep/quantity.hpp"

namespace vmbsim::testing {

class Study {
 public:
  explicit Study(std::uint32_t repeat = 4) {
    sweep_.repeat = repeat;
    sweep_.axes = {{{"load.depth"}, {"1", "2", "16"}, {}}, {{"ring"}, {"\"4KiB\"", "\"a, \\\"b\\\"\""}, {}}};
    points_.emplace(sweep_);
    REQUIRE_FALSE(points_->prepare().has_value());
    auto plan = batch::Plan::make(sweep_, *points_, Seed{7}, "1.0", [](const sweep::Point& point) {
      std::string text;
      for (const std::string& one : point.overrides()) text += one + "\n";
      return batch::digest_of(text);
    });
    plan_.emplace(std::get<batch::Plan>(std::move(plan)));
  }

  static batch::Figures figures(const batch::PlannedRun& run) {
    batch::Figures figures;
    const double depth = sweep::quantity_of(run.point.settings[0].value).number;
    figures.met = run.seed.value % 4 != 0;
    figures.fingerprint = batch::digest_of(run.key.text());
    const auto seed = static_cast<double>(run.seed.value);
    figures.metrics = {{"run.events", depth * seed, report::Unit::count},
                       {"channel.a,b.latency.mean", 1 / (depth + seed), report::Unit::nanoseconds},
                       {"channel.a,b.batch.mean", nothing_measured, report::Unit::count}};
    Histogram latency;
    for (std::uint64_t i = 0; i < 50; ++i) latency.add(Duration{static_cast<std::int64_t>(i * i * run.seed.value)});
    figures.histograms = {{"channel.a,b.latency", latency}};
    return figures;
  }

  batch::Campaign campaign() const {
    return {
        .scenario = "study", .version = "1.0", .text = "", .identity = {1, 2}, .parameters = batch::columns_of(sweep_)};
  }

  batch::Batch::Config config(const std::filesystem::path& folder) const {
    return {.plan = *plan_,
            .run = figures,
            .runner = {.campaign = campaign(),
                       .folder = folder,
                       .stop_asked = [] { return false; },
                       .tell = [](const std::string&) {}}};
  }

  /// Runs it to its end, as the caller may change it.
  batch::Summary run(
      const std::filesystem::path& folder,
      const std::function<void(batch::Batch::Config&)>& change = [](batch::Batch::Config&) {}) const {
    batch::Batch::Config settings = config(folder);
    change(settings);
    batch::Batch batch(std::move(settings));
    const auto wrong = batch.prepare();
    INFO((wrong ? wrong->line() : ""));
    REQUIRE_FALSE(wrong.has_value());
    return batch.run();
  }

  std::uint64_t size() const { return plan_->size(); }
  const batch::Plan& plan() const { return *plan_; }

 private:
  sweep::Sweep sweep_;
  std::optional<sweep::Points> points_;
  std::optional<batch::Plan> plan_;
};

inline std::string table(const std::filesystem::path& folder,
                         std::optional<Problem> (*rows)(const batch::Runs&, const batch::Sink&)) {
  const auto runs = batch::Runs::read({folder});
  if (const auto* wrong = std::get_if<Problem>(&runs)) return wrong->line();
  std::string text;
  const auto wrong = rows(std::get<batch::Runs>(runs), [&](const std::string& piece) {
    text += piece;
    return true;
  });
  return wrong ? wrong->line() : text;
}

/// Of the row that was read last.
inline std::string cell(const config::CsvReader& csv, const char* column) {
  const auto found = csv.find(column);
  REQUIRE(found.has_value());
  return std::string(csv.text(*found));
}

/// All that a user can see of a campaign.
inline std::string exports(const std::filesystem::path& folder) {
  return table(folder, batch::long_table) + table(folder, batch::wide_table) + table(folder, batch::pooled_table);
}

/// What `work` does in a process of its own, and how that ended.
inline int in_process(const std::function<void()>& work, const std::function<void(pid_t)>& meanwhile = {}) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  if (meanwhile) meanwhile(child);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace vmbsim::testing
