// A campaign that is killed, runs out of disk or loses a part of its store ends as if nothing had happened.
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "sim/batch/database.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/sim_batch/study.hpp"

using namespace vmbsim;
using namespace vmbsim::batch;
using namespace vmbsim::testing;
namespace fs = std::filesystem;

namespace {

#ifdef VMBSIM_LONG_TESTS
constexpr int kills = 100;
#else
constexpr int kills = 12;
#endif

void run_until_killed(const Study& study, const fs::path& folder) {
  Batch::Config config = study.config(folder);
  config.runner.jobs = 2;
  config.run = [](const PlannedRun& run) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return Study::figures(run);
  };
  Batch batch(std::move(config));
  if (!batch.prepare()) batch.run();
}

fs::path store(const fs::path& folder) { return store_of(folder, 0, 1); }

/// Overwrites `length` bytes from `at`, counted from the end when negative.
void damage(const fs::path& file, std::int64_t at, std::size_t length) {
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(at, at < 0 ? std::ios::end : std::ios::beg);
  out << std::string(length, '\x5A');
}

/// Runs on, and expects the whole of `expected`.
void mends(const Study& study, const fs::path& folder, const std::string& expected) {
  std::string told;
  study.run(folder,
            [&](Batch::Config& config) { config.runner.tell = [&](const std::string& line) { told += line; }; });
  CHECK(exports(folder) == expected);
  CHECK_THAT(told, Catch::Matchers::Contains("was damaged"));
  CHECK(fs::exists(store(folder).string() + ".damaged"));
}

}  // namespace

TEST_CASE("a campaign that is killed at random moments loses no run and counts none twice") {
  const ScratchFolder scratch;
  const Study whole(40);
  whole.run(scratch.path() / "whole");
  const fs::path folder = scratch.path() / "killed";
  std::uint64_t x = 12345;
  std::uint64_t done_before = 0;
  int interrupted = 0;
  for (int i = 0; i < kills; ++i) {
    in_process([&] { run_until_killed(whole, folder); },
               [&](pid_t child) {
                 x = x * 6364136223846793005 + 1442695040888963407;
                 std::this_thread::sleep_for(std::chrono::microseconds(x >> 45));  // up to half a second
                 ::kill(child, SIGKILL);
               });
    const auto runs = Runs::read({folder});
    if (const auto* read = std::get_if<Runs>(&runs)) {
      CHECK(read->size() >= done_before);
      done_before = read->size();
      interrupted += done_before < whole.size();
    }
  }
  CHECK(interrupted > 0);
  CHECK(whole.run(folder).standing.done == whole.size());
  CHECK(exports(folder) == exports(scratch.path() / "whole"));
}

TEST_CASE("a disk that is full ends a batch, and what was kept before is there when it goes on") {
  const ScratchFolder scratch;
  const Study study(100);
  study.run(scratch.path() / "whole");
  const fs::path folder = scratch.path() / "full";
  const int status = in_process([&] {
    const rlimit few{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &few);
    ::signal(SIGXFSZ, SIG_IGN);
    Batch batch(study.config(folder));
    if (batch.prepare()) ::_exit(10);
    const Summary summary = batch.run();
    ::_exit(summary.end == Summary::End::unwritten && summary.unwritten ? 0 : 1);
  });
  CHECK(WEXITSTATUS(status) == 0);
  const Summary rest = study.run(folder);
  CHECK(rest.standing.done == study.size());
  CHECK(exports(folder) == exports(scratch.path() / "whole"));
}

TEST_CASE("a store of which a part is damaged keeps the rest; what was lost is run again") {
  const ScratchFolder scratch;
  const Study study(40);
  const fs::path folder = scratch.path() / "o";
  study.run(folder);
  const std::string expected = exports(folder);
  const auto size = static_cast<std::int64_t>(fs::file_size(store(folder)));
  SECTION("its last page") { damage(store(folder), -4096, 4096); }
  SECTION("a byte somewhere, one row long") {
    // Bytes in the middle of a row that nothing but the row's digest can tell.
    std::ifstream in(store(folder), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const std::size_t at = bytes.find("[null,", bytes.size() / 2) != std::string::npos
                               ? bytes.find("[", bytes.size() / 2)
                               : bytes.find(",null]");
    REQUIRE(at != std::string::npos);
    damage(store(folder), static_cast<std::int64_t>(at + 2), 1);
  }
  SECTION("a page in the middle") { damage(store(folder), size / 2 / 4096 * 4096, 4096); }
  SECTION("its first page") { damage(store(folder), 0, 4096); }
  SECTION("its end") { fs::resize_file(store(folder), static_cast<std::uintmax_t>(size - 5000)); }
  mends(study, folder, expected);
}

TEST_CASE("a file that is no store is left alone") {
  const ScratchFolder scratch;
  const Study study(1);
  const fs::path folder = scratch.path() / "o";
  study.run(folder);
  SECTION("of another format") {
    Database(store(folder), Database::Mode::write).run("PRAGMA user_version = 9");
    Batch batch(study.config(folder));
    const auto wrong = batch.prepare();
    REQUIRE(wrong.has_value());
    CHECK(wrong->text == "is a store of format 9, and this vmbsim reads format 3");
    CHECK_THAT(exports(folder), Catch::Matchers::Contains("is a store of format 9"));
  }
  SECTION("a database of somebody else") {
    fs::remove(store(folder));
    Database(store(folder), Database::Mode::write).run("CREATE TABLE mine (a)");
    Batch batch(study.config(folder));
    const auto wrong = batch.prepare();
    REQUIRE(wrong.has_value());
    CHECK(wrong->text == "is a database of somebody else");
  }
}
