// Everything that is documented of KMCL has a test, and everything in its header is documented.
#include "tests/coverage/coverage.hpp"

#include <catch2/catch.hpp>

#include <regex>
#include <set>

using namespace vmbsim;
using namespace vmbsim::coverage;

TEST_CASE("every documented function, callback, value and status of KMCL is covered by a test that names it") {
  const std::vector<Test> tests = tests_of_behaviour();
  REQUIRE(tests.size() > 100);
  for (const Name& name : documented_names()) {
    INFO(name.kind << " " << name.name << " appears in no test of tests/spec or tests/property");
    CHECK(!covering(name, tests).empty());
  }
}

TEST_CASE("every transition of a channel and every decision where KMCL's documents are silent is shown by a test") {
  const std::vector<Test> tests = tests_of_behaviour();
  const std::vector<Sentence> sentences = documented_sentences();
  CHECK(sentences.size() == 17 + 41);
  for (const Sentence& sentence : sentences) {
    INFO("no test of tests/spec or tests/property has the tag [" << sentence.tag << "]: " << sentence.text);
    CHECK(!showing(sentence, tests).empty());
  }
}

TEST_CASE("every function, callback type and value of the KMCL header is in the list of documented names") {
  const tidy::SourceFile header = tidy::file_at("include/wdk/vmbuskernelmodeclientlibapi.h");
  REQUIRE(!header.lines.empty());
  std::string listed;
  for (const Name& name : documented_names())
    for (const std::string& word : name.words) listed += word + " ";
  const std::regex declared("^(?:FN_VMB_\\w+ (Vmb\\w+);|typedef (EVT_VMB_\\w+) \\*PFN|#define (VMBUS_\\w+) )");
  std::set<std::string> seen;
  for (const std::string& line : header.lines) {
    std::smatch found;
    if (!std::regex_search(line, found, declared)) continue;
    const std::string name = found[1].matched ? found[1] : found[2].matched ? found[2] : found[3];
    seen.insert(name);
    INFO(name);
    CHECK(names(listed, name));
  }
  CHECK(seen.size() == 55 + 11 + 19);
}

TEST_CASE(
    "a test covers what its text and the helpers it uses name as a whole word outside comments, and nothing else") {
  const std::vector<Test> tests =
      tests_in({{"a_test.cpp",
                 {"void unused() { VmbPacketFree(p); }", "void inner(int,", "           int) {",
                  "  VmbPacketAllocate(c);", "}", "struct Outer {", "  Outer() { inner(1, 2); }", "};",
                  "TEST_CASE(\"first, of two\",", "          \"[tag]\") {", "  VmbPacketSend(p);  // VmbPacketFree",
                  "}", "TEST_CASE(\"second\") {", "  Outer outer;", "  VmbPacketSendWithExternalMdl(p);", "}"}}});
  REQUIRE(tests.size() == 2);
  CHECK(tests[0].name == "first, of two");
  CHECK(tests[1].name == "second");
  const auto covered_by = [&](const char* word) { return covering({"function", word, {word}}, tests); };
  CHECK(covered_by("VmbPacketSend") == std::vector<const Test*>{&tests[0]});
  CHECK(covered_by("VmbPacketSendWithExternalMdl") == std::vector<const Test*>{&tests[1]});
  CHECK(covered_by("VmbPacketAllocate") == std::vector<const Test*>{&tests[1]});
  CHECK(covered_by("VmbPacketFree").empty());
  CHECK(tests[0].tags == "[tag]");
  CHECK(showing({"tag", ""}, tests) == std::vector<const Test*>{&tests[0]});
  CHECK(showing({"ta", ""}, tests).empty());
}
