#include "tests/tidy/readme.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <sstream>

#include "tests/support/approved.hpp"
#include "tests/support/command.hpp"

using namespace vmbsim;
using namespace vmbsim::tidy;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

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
