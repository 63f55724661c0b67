#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "sim/batch/batch.hpp"
#include "tests/support/approved.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/sim_batch/study.hpp"

using namespace vmbsim;
using namespace vmbsim::batch;
using namespace vmbsim::testing;
using Catch::Matchers::Contains;
using End = Summary::End;

namespace {

/// Why the batch does not start; empty: it does.
std::string refusal(const Batch::Config& config) {
  Batch batch(config);
  const auto wrong = batch.prepare();
  return wrong ? wrong->text : "";
}

bool first_attempt(const std::filesystem::path& mark) {
  if (std::filesystem::exists(mark)) return false;
  std::ofstream(mark) << "tried";
  return true;
}

std::string status_and_reason(const std::filesystem::path& folder) {
  const auto runs = Runs::read({folder});
  const Record& record = std::get<Runs>(runs).head(0);
  return std::string(name_of(record.status)) + ": " + record.reason;
}

}  // namespace

TEST_CASE("a batch does every run once, and what it leaves is the same with any number of jobs") {
  const Study study;
  const ScratchFolder scratch;
  const Summary alone = study.run(scratch.path() / "one");
  CHECK(alone.end == End::complete);
  CHECK(alone.standing.planned == study.size());
  CHECK(alone.standing.done == 24);
  CHECK(alone.unmet == 6);
  study.run(scratch.path() / "eight", [](Batch::Config& config) { config.runner.jobs = 8; });
  const std::string expected = exports(scratch.path() / "one");
  CHECK(expected.size() > 5000);
  CHECK(exports(scratch.path() / "eight") == expected);
}

TEST_CASE("seven shards merged in any order are the same as one batch") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path() / "whole");
  std::vector<std::filesystem::path> folders;
  for (std::uint32_t i = 0; i < 7; ++i) {
    folders.insert(folders.begin() + i / 2, scratch.path() / ("part" + std::to_string(i)));
    study.run(scratch.path() / ("part" + std::to_string(i)), [&](Batch::Config& config) {
      config.runner.shard = {i, 7};
    });
  }
  const auto sum = merge(folders, scratch.path() / "all");
  REQUIRE(std::holds_alternative<Merged>(sum));
  CHECK(std::get<Merged>(sum).runs == study.size());
  CHECK(std::get<Merged>(sum).planned == study.size());
  CHECK(exports(scratch.path() / "all") == exports(scratch.path() / "whole"));
  SECTION("also when they share one folder, and when that is merged once more") {
    for (const std::uint32_t i : {6U, 0U, 3U, 5U, 1U, 2U, 4U})
      study.run(scratch.path() / "shared", [&](Batch::Config& config) { config.runner.shard = {i, 7}; });
    CHECK(exports(scratch.path() / "shared") == exports(scratch.path() / "whole"));
    merge({scratch.path() / "shared", folders[3]}, scratch.path() / "all");
    CHECK(exports(scratch.path() / "all") == exports(scratch.path() / "whole"));
  }
  SECTION("a merge that lacks a shard knows how many runs are missing") {
    folders.pop_back();
    const auto part = merge(folders, scratch.path() / "most");
    CHECK(std::get<Merged>(part).runs < std::get<Merged>(part).planned);
  }
}

TEST_CASE("a batch that is run again does what is missing, however it was divided before") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path() / "o", [](Batch::Config& config) { config.runner.shard = {1, 3}; });
  const Summary rest = study.run(scratch.path() / "o");
  CHECK(rest.standing.before == 8);
  CHECK(rest.standing.done == 24);
  const Summary again = study.run(scratch.path() / "o", [](Batch::Config& config) {
    config.run = [](const PlannedRun&) -> Figures { throw std::runtime_error("nothing is left to be done"); };
  });
  CHECK(again.standing.before == 24);
  CHECK(again.standing.failed == 0);
}

TEST_CASE("a batch that is told to stop keeps what is finished") {
  const Study study;
  const ScratchFolder scratch;
  int questions = 0;
  const Summary stopped = study.run(scratch.path() / "o", [&](Batch::Config& config) {
    config.runner.stop_asked = [&] { return ++questions > 10; };
  });
  CHECK(stopped.end == End::stopped);
  CHECK(stopped.standing.done > 0);
  CHECK(stopped.standing.done < study.size());
  const Summary rest = study.run(scratch.path() / "o");
  CHECK(rest.standing.before == stopped.standing.done);
  study.run(scratch.path() / "whole");
  CHECK(exports(scratch.path() / "o") == exports(scratch.path() / "whole"));
}

TEST_CASE("a run that crashes is tried again; one that always does has failed, and is tried in the next batch") {
  const Study study(1);
  const ScratchFolder scratch;
  const auto mark = scratch.path() / "mark";
  const Summary once = study.run(scratch.path() / "o", [&](Batch::Config& config) {
    config.run = [&](const PlannedRun& run) {
      if (first_attempt(mark)) std::raise(SIGSEGV);
      return Study::figures(run);
    };
  });
  CHECK(once.standing.done == study.size());
  const Summary always = study.run(scratch.path() / "p", [&](Batch::Config& config) {
    config.runner.retries = 2;
    config.run = [&](const PlannedRun&) -> Figures { std::abort(); };
  });
  CHECK(always.standing.failed == study.size());
  CHECK_THAT(status_and_reason(scratch.path() / "p"), Contains("crashed: signal 6"));
  const std::string wide = table(scratch.path() / "p", wide_table);
  CHECK_THAT(wide, Contains("crashed,signal 6"));
  CHECK(study.run(scratch.path() / "p").standing.done == study.size());
  CHECK(exports(scratch.path() / "p") == exports(scratch.path() / "o"));
}

TEST_CASE("a run beyond its time or its memory is ended, told and not tried again") {
  const Study study(1);
  const ScratchFolder scratch;
  const auto attempts = scratch.path() / "attempts";
  const Summary late = study.run(scratch.path() / "late", [&](Batch::Config& config) {
    config.runner.limits.time_ms = 150;
    config.runner.jobs = 6;
    config.runner.retries = 5;
    config.run = [&](const PlannedRun&) -> Figures {
      std::ofstream(attempts, std::ios::app) << "x";
      for (;;) ::pause();
    };
  });
  CHECK(late.standing.failed == study.size());
  CHECK(status_and_reason(scratch.path() / "late") == "over-time: beyond 150ms");
  CHECK(text_of(attempts) == "xxxxxx");
  const Summary large = study.run(scratch.path() / "large", [&](Batch::Config& config) {
    config.runner.limits.memory_bytes = std::int64_t{200} << 20;
    config.run = [&](const PlannedRun&) -> Figures {
      std::vector<std::string> much;
      for (int i = 0; i < 400; ++i) much.emplace_back(1 << 20, 'x');
      for (;;) ::pause();
    };
  });
  CHECK(large.standing.failed == study.size());
  CHECK_THAT(status_and_reason(scratch.path() / "large"), Contains("over-memory: beyond 200MiB: it held "));
}

TEST_CASE("a run that is over before anybody looks is held to its memory all the same") {
  const Study study(1);
  const ScratchFolder scratch;
  const Summary short_runs = study.run(scratch.path() / "short", [&](Batch::Config& config) {
    config.runner.limits.memory_bytes = 64 << 20;
    config.run = [](const PlannedRun& run) {
      const std::string much(80 << 20, 'x');
      return much.back() == 'x' ? Study::figures(run) : Figures{};
    };
  });
  CHECK(short_runs.standing.failed == study.size());
  CHECK_THAT(short_runs.failure, Contains("over-memory: beyond 64MiB: it held "));
  CHECK_THAT(status_and_reason(scratch.path() / "short"), Contains("over-memory: beyond 64MiB: it held "));
}

TEST_CASE("what a run says is in its log, beside its result; one that says nothing has none") {
  const Study study(1);
  const ScratchFolder scratch;
  const auto loud = study.plan().at(2).key;
  const Summary summary = study.run(scratch.path() / "o", [&](Batch::Config& config) {
    config.run = [&](const PlannedRun& run) {
      if (run.key == loud) {
        std::puts("here it comes");
        std::fflush(stdout);
        throw std::runtime_error("no disk of that name");
      }
      return Study::figures(run);
    };
  });
  CHECK(summary.standing.failed == 1);
  CHECK(text_of(scratch.path() / "o" / "logs" / (loud.text() + ".log")) == "here it comes\nno disk of that name\n");
  CHECK_THAT(table(scratch.path() / "o", wide_table), Contains("failed,no disk of that name"));
  std::size_t logs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path() / "o" / "logs")) logs += entry.exists();
  CHECK(logs == 1);
}

TEST_CASE("of two batches on one folder the second says who holds it; shards do not hinder each other") {
  const Study study(1);
  const ScratchFolder scratch;
  const auto folder = scratch.path() / "o";
  const auto ready = scratch.path() / "ready";
  in_process(
      [&] {
        Batch batch(study.config(folder));
        if (!batch.prepare()) std::ofstream(ready) << "yes";
        for (;;) ::pause();
      },
      [&](pid_t holder) {
        while (!std::filesystem::exists(ready)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        const std::string told = refusal(study.config(folder));
        CHECK_THAT(told, Contains("another vmbsim is at work here: process " + std::to_string(holder) + " on "));
        Batch::Config part = study.config(folder);
        part.runner.shard = {0, 2};
        CHECK(refusal(part).empty());
        ::kill(holder, SIGKILL);
      });
  CHECK(refusal(study.config(folder)).empty());
}

TEST_CASE("runs of another scenario, version, sweep or setting are never mixed in") {
  const Study study(1);
  const ScratchFolder scratch;
  study.run(scratch.path() / "o");
  const auto changed = [&](const std::function<void(Campaign&)>& change) {
    Batch::Config config = study.config(scratch.path() / "o");
    change(config.runner.campaign);
    return refusal(config);
  };
  CHECK_THAT(changed([](Campaign& c) { c.version = "1.1"; }), Contains("holds runs of version 1.0, and this is 1.1"));
  CHECK_THAT(changed([](Campaign& c) { c.scenario = "other"; }),
             Contains("the scenario \"study\", and this is \"other\""));
  CHECK_THAT(changed([](Campaign& c) { c.parameters.pop_back(); }), Contains("a sweep over other keys"));
  CHECK_THAT(changed([](Campaign& c) { c.identity.low = 5; }), Contains("other settings, or other contents"));
  CHECK(changed([](Campaign&) {}).empty());
  SECTION("nor merged") {
    study.run(scratch.path() / "p", [](Batch::Config& config) { config.runner.campaign.version = "1.1"; });
    const auto sum = merge({scratch.path() / "o", scratch.path() / "p"}, scratch.path() / "q");
    CHECK_THAT(std::get<Problem>(sum).text, Contains("holds runs of version 1.1, and this is 1.0"));
    CHECK_FALSE(std::filesystem::exists(scratch.path() / "q"));
  }
  SECTION("and a run with two different results is told") {
    study.run(scratch.path() / "p", [](Batch::Config& config) {
      config.run = [](const PlannedRun& run) {
        Figures figures = Study::figures(run);
        figures.fingerprint.low ^= 1;
        return figures;
      };
    });
    const auto sum = merge({scratch.path() / "o", scratch.path() / "p"}, scratch.path() / "q");
    CHECK_THAT(std::get<Problem>(sum).text, Contains("has another result than in"));
  }
}
