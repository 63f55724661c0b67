#include "sim/report/writer.hpp"

#include <sys/resource.h>

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <set>

#include "sim/report/json.hpp"
#include "tests/support/approved.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/sim_report/hand_made.hpp"

using namespace vmbsim;
using namespace vmbsim::report;
namespace fs = std::filesystem;

namespace {

Manifest manifest(std::string scenario = "hand-made", std::string text = "schema = 1\n") {
  Manifest manifest;
  manifest.version = "0.1.0";
  manifest.scenario = std::move(scenario);
  manifest.seed = Seed{42};
  manifest.text = std::move(text);
  return manifest;
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

/// A disk with room for `bytes` more in each file: a longer write fails with EFBIG half way.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("a result lands in a folder that need not exist, with nothing else beside it") {
  const testing::ScratchFolder scratch;
  const fs::path folder = scratch.path() / "a" / "b";
  CHECK_FALSE(write_result(folder, testing::hand_made(), manifest()));
  CHECK(names_in(folder) ==
        std::set<std::string>{"intervals.csv", "manifest.toml", "packets.csv", "summary.csv", "summary.json"});
  CHECK(testing::text_of(folder / "summary.json") == summary_json(testing::hand_made()));
}

TEST_CASE("what was not recorded has no file") {
  const testing::ScratchFolder scratch;
  RunResult result = testing::hand_made();
  result.packets.clear();
  result.intervals.clear();
  CHECK_FALSE(write_result(scratch.path(), result, manifest()));
  CHECK(names_in(scratch.path()) == std::set<std::string>{"manifest.toml", "summary.csv", "summary.json"});
}

TEST_CASE("what drivers printed has a file, which goes when they print nothing any more") {
  const testing::ScratchFolder scratch;
  RunResult result = testing::hand_made();
  result.debug_output = {"5ns guest.cpu0: opened", "9ns host.cpu0: closed"};
  CHECK_FALSE(write_result(scratch.path(), result, manifest()));
  CHECK(testing::text_of(scratch.path() / "debug.txt") == "5ns guest.cpu0: opened\n9ns host.cpu0: closed\n");
  CHECK_FALSE(write_result(scratch.path(), testing::hand_made(), manifest()));
  CHECK(names_in(scratch.path()).count("debug.txt") == 0);
}

TEST_CASE("the same scenario may be run again, by a newer version too") {
  const testing::ScratchFolder scratch;
  CHECK_FALSE(write_result(scratch.path(), testing::hand_made(), manifest()));
  Manifest newer = manifest();
  newer.version = "0.2.0";
  newer.command = "vmbsim run elsewhere.toml";
  RunResult result = testing::hand_made();
  result.events = 7;
  CHECK_FALSE(write_result(scratch.path(), result, newer));
  CHECK(testing::text_of(scratch.path() / "summary.json") == summary_json(result));
}

TEST_CASE("another scenario's result is left alone") {
  const testing::ScratchFolder scratch;
  REQUIRE_FALSE(write_result(scratch.path(), testing::hand_made(), manifest()));
  const std::string before = testing::text_of(scratch.path() / "summary.json");
  Manifest other_seed = manifest();
  other_seed.seed = Seed{43};
  RunResult result = testing::hand_made();
  result.events = 7;
  for (const Manifest& other : {manifest("other"), manifest("hand-made", "schema = 1 # changed\n"), other_seed}) {
    const auto problem = write_result(scratch.path(), result, other);
    REQUIRE(problem);
    CHECK(problem->line().find("belongs to another scenario, seed or setting") != std::string::npos);
    CHECK(testing::text_of(scratch.path() / "summary.json") == before);
    CHECK(names_in(scratch.path()).size() == 5);
  }
}

TEST_CASE("files without a manifest are somebody else's") {
  const testing::ScratchFolder scratch;
  std::ofstream(scratch.path() / "summary.csv") << "mine";
  CHECK(write_result(scratch.path(), testing::hand_made(), manifest()));
  CHECK(testing::text_of(scratch.path() / "summary.csv") == "mine");
  CHECK(names_in(scratch.path()) == std::set<std::string>{"summary.csv"});
}

TEST_CASE("files with other names may stand in the folder") {
  const testing::ScratchFolder scratch;
  std::ofstream(scratch.path() / "notes.txt") << "mine";
  CHECK_FALSE(write_result(scratch.path(), testing::hand_made(), manifest()));
  CHECK(testing::text_of(scratch.path() / "notes.txt") == "mine");
}

TEST_CASE("a full disk leaves no half file and keeps the old result") {
  const testing::ScratchFolder scratch;
  const fs::path fresh = scratch.path() / "fresh";
  const fs::path old = scratch.path() / "old";
  REQUIRE_FALSE(write_result(old, testing::hand_made(), manifest()));
  const auto before = names_in(old);
  RunResult result = testing::hand_made();
  result.events = 7;
  {
    const SmallDisk disk(500);  // the manifest fits, the summary does not
    const auto problem = write_result(fresh, result, manifest());
    REQUIRE(problem);
    CHECK(problem->line().find("cannot be written") != std::string::npos);
    CHECK(write_result(old, result, manifest()));
  }
  CHECK(names_in(fresh).empty());
  CHECK(names_in(old) == before);
  CHECK(testing::text_of(old / "summary.json") == summary_json(testing::hand_made()));
}

TEST_CASE("a folder that cannot be made is a problem with its name") {
  const testing::ScratchFolder scratch;
  std::ofstream(scratch.path() / "file") << "in the way";
  for (const fs::path& folder : {scratch.path() / "file", scratch.path() / "file" / "below", fs::path("/proc/none")}) {
    const auto problem = write_result(folder, testing::hand_made(), manifest());
    REQUIRE(problem);
    CHECK(problem->place.file.rfind(folder.string(), 0) == 0);
  }
}

TEST_CASE("a name that is taken by a folder is a problem, and nothing is left aside") {
  const testing::ScratchFolder scratch;
  fs::create_directories(scratch.path() / "one.txt" / "inside");
  const auto problem = write_whole(scratch.path() / "one.txt", "text");
  REQUIRE(problem);
  CHECK(problem->line().find("cannot be replaced") != std::string::npos);
  CHECK(names_in(scratch.path()) == std::set<std::string>{"one.txt"});
}

TEST_CASE("a file in the present folder needs no folder in its name") {
  const testing::ScratchFolder scratch;
  const fs::path before = fs::current_path();
  fs::current_path(scratch.path());
  CHECK_FALSE(write_whole("plain.txt", "text"));
  fs::current_path(before);
  CHECK(testing::text_of(scratch.path() / "plain.txt") == "text");
}
