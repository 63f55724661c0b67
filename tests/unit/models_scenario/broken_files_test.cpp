// Every file in broken/ is refused with exactly the problem that its first line announces; `vmbsim check` prints the same.
#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "models/scenario/schema.hpp"

using namespace vmbsim;

namespace fs = std::filesystem;

TEST_CASE("a broken scenario file is refused with the problem its first line announces") {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(VMBSIM_SOURCE) / "tests/unit/models_scenario/broken"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() >= 10);
  for (const fs::path& file : files) {
    std::string first_line;
    std::getline(std::ifstream(file) >> std::ws, first_line);
    std::string found;
    for (Problem problem : scenario::load(file.string()).problems) {
      problem.place.file = fs::path(problem.place.file).filename().string();
      found += (found.empty() ? "" : "\n") + problem.line();
    }
    CHECK("# Expect  " + found == first_line);
  }
}
