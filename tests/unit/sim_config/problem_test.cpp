// A problem as its reader sees it.
#include <catch2/catch.hpp>

#include "vmbsim/problem.hpp"

namespace vmbsim {
namespace {

std::string line_of(const std::string& file, const std::string& text) {
  Problem problem;
  problem.place = {file, 3, 7};
  problem.text = text;
  return problem.line();
}

TEST_CASE("A problem is told with its place in front") {
  CHECK(line_of("a.toml", "no such key") == "a.toml:3:7: no such key");
}

TEST_CASE("A problem is one line, whatever control characters the input holds") {
  CHECK(line_of("a\n.toml", "unknown unit \"\tu\x1b[2Js\x7f\"") ==
        R"(a\x0a.toml:3:7: unknown unit "\x09u\x1b[2Js\x7f")");
}

TEST_CASE("Letters of every language are told as they are") {
  CHECK(line_of("größe.toml", "naïve") == "größe.toml:3:7: naïve");
}

}  // namespace
}  // namespace vmbsim
