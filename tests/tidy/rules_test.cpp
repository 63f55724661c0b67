// Every rule of the table is broken by one test and kept by another: tests say so by their tags, [K51] and [K51][kept].
#include <catch2/catch.hpp>

#include "tests/tidy/tree.hpp"
#include "vmbsim/rules.hpp"

using namespace vmbsim;
using namespace vmbsim::tidy;

namespace {

struct Tested {
  bool broken = false;
  bool kept = false;
};

/// What the tests of a rule say of it. A test's tags stand on the line of its name or on the next two.
Tested tested(const std::vector<SourceFile>& tests, const std::string& rule) {
  Tested is;
  for (const SourceFile& file : tests)
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (file.lines[i].rfind("TEST_CASE(", 0) != 0) continue;
      std::string head;
      for (std::size_t line = i; line < file.lines.size() && line < i + 3; ++line) {
        head += file.lines[line];
        if (file.lines[line].find(") {") != std::string::npos) break;
      }
      if (head.find("[" + rule + "]") == std::string::npos) continue;
      (head.find("[kept]") != std::string::npos ? is.kept : is.broken) = true;
    }
  return is;
}

/// Whether a rule of that kind can be broken so that a simulator sees it, and kept.
bool can_be_broken(Rule::Kind kind) {
  return kind == Rule::Kind::violation || kind == Rule::Kind::status || kind == Rule::Kind::kernel;
}
bool can_be_kept(Rule::Kind kind) { return can_be_broken(kind) || kind == Rule::Kind::guarantee; }

}  // namespace

TEST_CASE("every rule of the client library has a test that breaks it and a twin that keeps it") {
  const std::vector<SourceFile> tests = files_under("tests/spec", {"_test.cpp"});
  REQUIRE(tests.size() > 10);
  for (const Rule& rule : rules) {
    const std::string id = rule.id;
    if (id[0] != 'K') continue;
    const Tested is = tested(tests, id);
    INFO(id << ": " << rule.sentence);
    CHECK(is.broken == can_be_broken(rule.kind));
    CHECK(is.kept == can_be_kept(rule.kind));
  }
}

TEST_CASE("a rule without a test is noticed") {
  const std::vector<SourceFile> tests = {
      {"a_test.cpp", {"TEST_CASE(\"x\",", "          \"[K01][K02]\") {", "TEST_CASE(\"y\", \"[K01][kept]\") {"}}};
  CHECK((tested(tests, "K01").broken && tested(tests, "K01").kept));
  CHECK((tested(tests, "K02").broken && !tested(tests, "K02").kept));
  CHECK_FALSE(tested(tests, "K0").broken);
}

TEST_CASE("no two rules share an id, and each says its source") {
  for (const Rule& rule : rules) {
    CHECK(find_rule(rule.id) == &rule);
    CHECK(*rule.sentence != 0);
    CHECK(*rule.source != 0);
  }
}
