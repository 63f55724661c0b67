#include "tests/tidy/readme.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/support/approved.hpp"
#include "tests/support/command.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/tidy/tree.hpp"

using namespace vmbsim;
using namespace vmbsim::tidy;

namespace {

// The binary under test in place of the words a reader types. Setting up and building is what ./dev adds.
std::string as_tested(std::string command) {
  const std::string binary = testing::quoted(VMBSIM_BINARY);
  if (command == "./dev run") return binary + " run scenarios/studies/quickstart.toml";
  for (const std::string front : {"./dev run ", "./build/release/vmbsim run ", "build/release/vmbsim run "})
    if (command.rfind(front, 0) == 0) return binary + " run " + command.substr(front.size());
  for (const std::string front : {"./build/release/vmbsim ", "build/release/vmbsim "})
    if (command.rfind(front, 0) == 0) return binary + " " + command.substr(front.size());
  return command;
}

}  // namespace

TEST_CASE("the README's commands give the output it promises") {
  const std::filesystem::path root = VMBSIM_SOURCE_DIR;
  const std::vector<Promise> promises = promises_in(lines_of(testing::text_of(root / "README.md")));
  REQUIRE_FALSE(promises.empty());
  for (const Promise& promise : promises) {
    INFO("README.md:" << promise.line << ": " << promise.command);
    const auto outcome = testing::run_command("cd " + testing::quoted(root.string()) + " && " +
                                              as_tested(promise.command) + " 2>/dev/null");
    INFO("printed:\n" << outcome.output);
    CHECK(keeps(promise.output, lines_of(outcome.output)));
  }
}

// An excerpt is a part of a file that is there; whatever else is shown is a whole file, which anybody may save and use.
TEST_CASE("every scenario that a page shows is fine as it stands there, or a part of one that is there") {
  namespace fs = std::filesystem;
  const auto without_spaces = [](const std::string& line) {
    std::string out;
    for (const char c : line.substr(0, line.find('#')))
      if (c != ' ') out += c;
    return out;
  };
  std::size_t shown = 0;
  std::vector<SourceFile> pages{file_at("README.md"), file_at("ARCHITECTURE.md"), file_at("CONTRIBUTING.md")};
  for (const char* folder : {"include", "models", "scenarios", "sim", "tests"})
    for (SourceFile& page : files_under(folder, {".md"})) pages.push_back(std::move(page));
  for (const SourceFile& page : pages) {
    const fs::path home = (fs::path(VMBSIM_SOURCE_DIR) / page.path).parent_path();
    const std::vector<Snippet> scenarios = snippets_in(page.lines, "toml");
    if (scenarios.empty()) continue;
    const testing::ScratchFolder scratch;  // what lies beside the page lies beside the examples
    for (const auto& entry : fs::directory_iterator(home))
      fs::create_symlink(entry.path(), scratch.path() / entry.path().filename());
    const auto save = [&](const std::string& name, const std::string& text) {
      std::ofstream(scratch.path() / name) << text;
      return scratch.path() / name;
    };
    for (const Snippet& table : snippets_in(page.lines, "csv"))
      if (!table.name.empty()) save(table.name, table.text);
    for (const Snippet& snippet : scenarios) {
      ++shown;
      INFO(page.path << ":" << snippet.line);
      if (snippet.name == "excerpt") {
        std::set<std::string> there;
        for (const SourceFile& file : files_under(fs::path(page.path).parent_path().string(), {".toml"}))
          for (const std::string& line : file.lines) there.insert(without_spaces(line));
        for (const std::string& line : lines_of(snippet.text)) {
          CAPTURE(line);
          CHECK(there.count(without_spaces(line)) == 1);
        }
        continue;
      }
      const fs::path file = save(snippet.name.empty() ? "example.toml" : snippet.name, snippet.text);
      const auto outcome =
          testing::run_command(testing::quoted(VMBSIM_BINARY) + " check " + testing::quoted(file.string()) + " 2>&1");
      INFO(outcome.output);
      CHECK(outcome.status == 0);
    }
  }
  CHECK(shown > 5);
}

TEST_CASE("a snippet is a block of its language, with or without a name") {
  const std::vector<Snippet> found = snippets_in(
      {"```toml", "a", "b", "```", "c", "```text", "```", "```toml x.toml", "d", "```", "```tomlx", "```"}, "toml");
  REQUIRE(found.size() == 2);
  CHECK(found[0].line == 2);
  CHECK(found[0].name.empty());
  CHECK(found[0].text == "a\nb\n");
  CHECK(found[1].name == "x.toml");
}

TEST_CASE("a promise is a command and the lines below it in a checked block") {
  const std::vector<Promise> promises = promises_in(
      {"```", "$ not checked", "```", "<!-- checked -->", "```text", "$ a b", "one", "$ c", "```", "after"});
  REQUIRE(promises.size() == 2);
  CHECK(promises[0].line == 6);
  CHECK(promises[0].command == "a b");
  CHECK(promises[0].output == std::vector<std::string>{"one"});
  CHECK(promises[1].output.empty());
}

TEST_CASE("a broken promise is noticed") {
  using Lines = std::vector<std::string>;
  CHECK(keeps({"a", "b"}, {"a", "b"}));
  CHECK_FALSE(keeps({"a", "b"}, {"a", "c"}));
  CHECK_FALSE(keeps({"a"}, {"a", "b"}));
  CHECK_FALSE(keeps({"a", "b"}, {"a"}));
  CHECK(keeps({"a", "...", "d"}, {"a", "b", "c", "d"}));
  CHECK(keeps({"a", "..."}, {"a"}));
  CHECK_FALSE(keeps({"...", "d"}, {"a", "b"}));
  CHECK(keeps({"250 ms of wall time"}, {"1.25 s of wall time"}));
  CHECK_FALSE(keeps({"250 ms of wall time"}, Lines{"nothing"}));
}
