#include "sim/batch/runner.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "sim/batch/plan.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace vmbsim;
using namespace vmbsim::batch;
using namespace vmbsim::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

Runner::Config config(const std::filesystem::path& folder) {
  return {.campaign = {.scenario = "some", .version = "1", .text = "", .identity = {1, 2}, .parameters = {"depth"}},
          .folder = folder,
          .jobs = 2,
          .stop_asked = [] { return false; },
          .tell = [](const std::string&) {}};
}

Job job(std::uint64_t number, std::function<Figures()> figures) {
  return {.number = number,
          .key = digest_of(std::to_string(number)),
          .parameters = {std::to_string(number)},
          .seed = {number},
          .figures = std::move(figures)};
}

Figures figures_with(double events) {
  Figures figures;
  figures.metrics = {{"run.events", events, report::Unit::count}};
  return figures;
}

/// What each of the jobs left, by its number.
std::map<std::uint64_t, Record> records_of(Runner& runner, std::vector<Job> jobs) {
  std::map<std::uint64_t, Record> records;
  std::size_t next = 0;
  const Summary summary =
      runner.run({.next = [&] { return next < jobs.size() ? std::optional(jobs[next++]) : std::nullopt; },
                  .took = [&](std::uint64_t number, const Record& record) { records.emplace(number, record); },
                  .standing = {.planned = jobs.size()}});
  CHECK(summary.end == Summary::End::complete);
  CHECK(summary.standing.done + summary.standing.failed == jobs.size());
  return records;
}

std::optional<Record> recalled(const Runner& runner, std::uint64_t number) {
  const auto found = runner.recalled(digest_of(std::to_string(number)));
  REQUIRE(std::holds_alternative<std::optional<Record>>(found));
  return std::get<std::optional<Record>>(found);
}

[[noreturn]] void falls() {
  std::puts("no end in sight\n");
  std::fflush(stdout);
  std::raise(SIGSEGV);
  std::abort();
}

}  // namespace

TEST_CASE("what a folder has is recalled by whoever asks there again, and what failed is not") {
  const ScratchFolder scratch;
  const auto failing = []() -> Figures { throw std::runtime_error("no disk of that name"); };
  {
    Runner runner(config(scratch.path()));
    REQUIRE_FALSE(runner.prepare());
    CHECK_FALSE(recalled(runner, 0));
    const auto records = records_of(runner, {job(0, [] { return figures_with(7); }), job(1, failing)});
    CHECK(records.at(0).figures.metrics.front().value == 7);
    CHECK(records.at(1).status == Status::failed);
    CHECK(records.at(1).reason == "no disk of that name");
    CHECK_FALSE(recalled(runner, 0));  // it was not there before
  }
  Runner again(config(scratch.path()));
  REQUIRE_FALSE(again.prepare());
  const auto known = recalled(again, 0);
  REQUIRE(known);
  CHECK(known->figures.metrics.front().value == 7);
  CHECK(known->seed.value == 0);
  CHECK_FALSE(recalled(again, 1));
  CHECK(records_of(again, {job(1, [] { return figures_with(8); })}).at(1).status == Status::met);
}

TEST_CASE("a run that crashes is tried again, and told with what it said last, also where nothing is kept") {
  const ScratchFolder scratch;
  for (const auto& folder : {std::filesystem::path(), scratch.path() / "kept"}) {
    CAPTURE(folder);
    Runner::Config crashing = config(folder);
    crashing.retries = 2;
    Runner runner(crashing);
    REQUIRE_FALSE(runner.prepare());
    const auto mark = scratch.path() / ("mark" + folder.filename().string());
    const auto once = [&mark] {
      if (std::filesystem::create_directory(mark)) falls();
      return figures_with(1);
    };
    const auto records = records_of(
        runner, {job(0, []() -> Figures { falls(); }), job(1, once), job(2, []() -> Figures { ::_exit(5); })});
    CHECK(records.at(0).status == Status::crashed);
    CHECK_THAT(records.at(0).reason, StartsWith("signal 11: ") && Contains("; it said last: no end in sight"));
    CHECK(records.at(0).attempts == 3);
    CHECK(records.at(1).status == Status::met);
    CHECK(records.at(1).attempts == 2);
    CHECK(records.at(2).reason == "it left without an answer");
  }
  // The one that was done at last said nothing then.
  std::size_t logs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path() / "kept" / "logs"))
    logs += entry.exists();
  CHECK(logs == 1);
}
