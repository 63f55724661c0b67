// The golden repros: files of every kind that a vmbsim ever wrote, replayed by this one.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/cli/user.hpp"
#include "tests/support/command.hpp"

using namespace vmbsim::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::string folder = VMBSIM_SOURCE_DIR "/tests/hunt/repros/";

std::string text_in(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// A line of expected.csv.
struct Golden {
  std::string repro, target, finds, shows;
};

std::vector<Golden> goldens() {
  std::istringstream lines(text_in(folder + "expected.csv"));
  std::vector<Golden> all;
  std::string line;
  std::getline(lines, line);
  REQUIRE(line == "repro,target,finds,shows");
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    Golden one;
    std::getline(cells, one.repro, ',');
    std::getline(cells, one.target, ',');
    std::getline(cells, one.finds, ',');
    std::getline(cells, one.shows);
    all.push_back(one);
  }
  return all;
}

}  // namespace

TEST_CASE("every golden repro shows its finding") {
  const User user;
  for (const Golden& golden : goldens()) {
    INFO(golden.repro << ": " << golden.shows);
    const bool scenario = golden.target.ends_with(".toml");
    const std::string target = scenario ? folder + golden.target : std::string(HARNESSES) + "/" + golden.target;
    const std::string replay = "vmbsim replay " + quoted(folder + golden.repro) + " --target " + quoted(target);
    const Answer followed = user.types(replay + " --follow");
    CAPTURE(followed.err, followed.out);
    CHECK(followed.status == 1);
    CHECK_THAT(followed.out, StartsWith(golden.finds + ": "));
    // A scenario's content holds the preset of every key: it changes with keys that are new.
    const std::string text = text_in(folder + golden.repro);
    if (scenario || text.find("\nversion " VMBSIM_VERSION "\n") == std::string::npos) continue;
    const Answer exact = user.types(replay);
    CAPTURE(exact.err);
    CHECK(exact.status == 1);
    CHECK_THAT(exact.out, StartsWith(golden.finds + ": "));
  }
}

TEST_CASE("every golden repro is listed, and every format that there was has one") {
  std::set<std::string> listed, there, formats;
  for (const Golden& golden : goldens()) listed.insert(golden.repro);
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".repro") {
      there.insert(entry.path().filename());
      const std::string text = text_in(entry.path());
      formats.insert(text.substr(0, text.find('\n')));
    }
  CHECK(listed == there);
  CHECK(formats == std::set<std::string>{"vmbsim repro 1"});
}
