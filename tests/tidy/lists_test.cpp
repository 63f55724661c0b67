// Lists that must name every file: sources and tests in CMake, scenarios in the golden table and in their headers.
#include <catch2/catch.hpp>

#include <algorithm>
#include <regex>

#include "tests/support/approved.hpp"
#include "tests/tidy/tree.hpp"

using namespace vmbsim::tidy;

namespace {

std::string parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool has_word(const SourceFile& file, const std::string& word) {
  return std::any_of(file.lines.begin(), file.lines.end(), [&](const std::string& line) {
    const std::string code = line.substr(0, line.find('#'));
    for (std::size_t at = code.find(word); at != std::string::npos; at = code.find(word, at + 1)) {
      const std::size_t end = at + word.size();
      const auto is_edge = [](char c) { return c == ' ' || c == '(' || c == ')' || c == '/' || c == '"'; };
      if ((at == 0 || is_edge(code[at - 1])) && (end == code.size() || is_edge(code[end]))) return true;
    }
    return false;
  });
}

// Sources that this build does not compile, and that the CMakeLists.txt of their folder, or of the nearest folder above
// that has one, does not name either: other presets compile more.
std::vector<std::string> unlisted(const std::vector<SourceFile>& sources) {
  static const std::string compiled = vmbsim::testing::text_of(VMBSIM_COMPILE_COMMANDS);
  std::vector<std::string> dead;
  for (const SourceFile& source : sources) {
    if (compiled.find("/" + source.path + "\"") != std::string::npos) continue;
    std::string folder = parent(source.path);
    SourceFile list = file_at(folder + "/CMakeLists.txt");
    while (list.lines.empty() && !folder.empty()) {
      folder = parent(folder);
      list = file_at(folder.empty() ? "CMakeLists.txt" : folder + "/CMakeLists.txt");
    }
    if (!has_word(list, source.path.substr(source.path.rfind('/') + 1)))
      dead.push_back(violation(source, 0, "no target of " + list.path + " compiles it"));
  }
  return dead;
}

std::vector<SourceFile> scenarios() {
  std::vector<SourceFile> files = files_under("scenarios", {".toml"});
  const auto is_profile = [](const SourceFile& file) { return file.path.rfind("scenarios/profiles/", 0) == 0; };
  files.erase(std::remove_if(files.begin(), files.end(), is_profile), files.end());
  return files;
}

// The words of the header comment that a scenario lacks: it is a page of documentation.
std::vector<std::string> headless(const std::vector<SourceFile>& files) {
  std::vector<std::string> violations;
  for (const SourceFile& file : files)
    for (const char* word : {"Question", "Expect", "Numbers"}) {
      const std::regex heading(std::string("^#\\s+") + word + "\\s+\\S");
      const auto is_heading = [&](const std::string& line) { return std::regex_search(line, heading); };
      if (std::none_of(file.lines.begin(), file.lines.end(), is_heading))
        violations.push_back(violation(file, 0, std::string("its header has no '# ") + word + "'"));
    }
  return violations;
}

std::vector<std::string> not_golden(const std::vector<SourceFile>& files, const SourceFile& golden) {
  std::vector<std::string> violations;
  for (const SourceFile& file : files)
    if (std::none_of(golden.lines.begin(), golden.lines.end(),
                     [&](const std::string& line) { return line.rfind(file.path + ",", 0) == 0; }))
      violations.push_back(violation(file, 0, "has no row in " + golden.path + "; ./dev approve writes it"));
  return violations;
}

}  // namespace

TEST_CASE("no source and no test is dead") {
  std::vector<SourceFile> sources = files_under("sim", {".cpp", ".c"});
  for (const char* folder : {"models", "tests"})
    for (SourceFile& file : files_under(folder, {".cpp", ".c"})) sources.push_back(std::move(file));
  REQUIRE(sources.size() > 10);
  CHECK(kept(unlisted(sources)));
}

TEST_CASE("a file that no target names is noticed") {
  CHECK(joined(unlisted({{"tests/tidy/forgotten_test.cpp", {}}})) ==
        "tests/tidy/forgotten_test.cpp:1: no target of tests/tidy/CMakeLists.txt compiles it\n");
  CHECK(unlisted({{"tests/tidy/ee.cpp", {}}}).size() == 1);  // the tail of tree.cpp
  CHECK(unlisted({{"tests/tidy/tree.cpp", {}}}).empty());
}

TEST_CASE("every folder of tests has a list of its own") {
  for (const SourceFile& file : files_under("tests", {"_test.cpp"})) {
    INFO(file.path);
    CHECK_FALSE(file_at(parent(file.path) + "/CMakeLists.txt").lines.empty());
  }
}

TEST_CASE("every scenario says its question, what to expect, and where its numbers come from") {
  CHECK(kept(headless(scenarios())));
}

TEST_CASE("a scenario without a question is noticed") {
  CHECK(joined(headless({{"scenarios/a.toml", {"# Expect  more", "# Numbers", "# Question"}}})) ==
        "scenarios/a.toml:1: its header has no '# Question'\n"
        "scenarios/a.toml:1: its header has no '# Numbers'\n");
}

TEST_CASE("every scenario is in the golden table") {
  CHECK(kept(not_golden(scenarios(), file_at("tests/golden/fingerprints.csv"))));
}

TEST_CASE("every row of the golden table has its scenario") {
  const SourceFile golden = file_at("tests/golden/fingerprints.csv");
  for (std::size_t i = 1; i < golden.lines.size(); ++i) {
    INFO(violation(golden, i, "the scenario is gone; ./dev approve removes the row"));
    CHECK_FALSE(file_at(golden.lines[i].substr(0, golden.lines[i].find(','))).lines.empty());
  }
}

TEST_CASE("a scenario that is not in the golden table is noticed") {
  const SourceFile golden{"table.csv", {"scenario,seed", "scenarios/a.toml,1"}};
  CHECK(not_golden({{"scenarios/a.toml", {}}}, golden).empty());
  CHECK(not_golden({{"scenarios/b.toml", {}}}, golden).size() == 1);
}
