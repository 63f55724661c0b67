// Harnesses as libraries: what a run leaves behind, and what becomes of one that misbehaves.
#include <unistd.h>
#include <catch2/catch.hpp>

#include "models/harness/harness.hpp"
#include "tests/support/every_order.hpp"

using namespace vmbsim;

namespace {

std::string folder() { return VMBSIM_TEST_HARNESSES "/"; }

std::unique_ptr<harness::Harness> load(const std::string& name) {
  std::string why;
  auto loaded = harness::Harness::load(folder() + name + ".so", {}, why);
  INFO(why);
  REQUIRE(loaded != nullptr);
  return loaded;
}

/// The plain run's first finding.
Finding finding_of(const std::string& name) {
  const auto program = load(name);
  kernel::DefaultChoices plain;
  const explore::Outcome& outcome = program->run(plain);
  return outcome.findings.empty() ? Finding{} : outcome.findings.front();
}

}  // namespace

TEST_CASE("a library's harness is found wanting in some orders, and its statics start anew in each") {
  const auto program = load("lost_update");
  CHECK(program->name() == "lost update");
  std::uint64_t lost = 0;
  const std::uint64_t runs = testing::every_order(*program, [&](const explore::Outcome& outcome, const auto&) {
    if (!outcome.found()) return;
    ++lost;
    CHECK(outcome.findings.front().rule == "CHECK");
    CHECK(outcome.findings.front().text.find("both were counted") == 0);
  });
  CHECK(runs == 6);
  CHECK(lost == 4);
}

TEST_CASE("statics that own memory start anew in each run, and die in peace when the library is closed") {
  for (int i = 0; i < 2; ++i) {
    const auto program = load("owning_statics");
    const std::uint64_t runs = testing::every_order(*program, [](const explore::Outcome& outcome, const auto&) {
      INFO((outcome.found() ? outcome.findings.front().text : ""));
      CHECK_FALSE(outcome.found());
    });
    CHECK(runs > 1);
  }
}

TEST_CASE("C's heap answers a harness as it would without a hunt") {
  const Finding found = finding_of("asks_c");
  INFO(found.text);
  CHECK(found.rule == "");
}

TEST_CASE("a harness may be written in C") {
  const auto program = load("in_c");
  CHECK(testing::every_order(*program,
                             [](const explore::Outcome& outcome, const auto&) { CHECK_FALSE(outcome.found()); }) == 2);
}

TEST_CASE("a harness that crashes, recurses for ever, aborts or exits is a finding with its schedule") {
  CHECK(finding_of("segfault").rule == "CRASH");
  CHECK(finding_of("segfault").text.find("segfault.so+0x") != std::string::npos);
  CHECK(finding_of("segfault").where == "cpu1 at passive, bad");
  CHECK(finding_of("recursion").rule == "CRASH");
  CHECK(finding_of("recursion").text.find("stack overflow in recursion.so+0x") == 0);
  CHECK(finding_of("recursion").where == "cpu1 at passive, bad");
  CHECK(finding_of("aborts").rule == "ABORT");
  CHECK(finding_of("exits").rule == "EXIT");
  CHECK(finding_of("exits").text == "the harness called exit with 7");
  CHECK(finding_of("throws").text == "an exception left the harness: no such packet");
}

TEST_CASE("a harness that forks is a finding of its one process, and its child does nothing") {
  const pid_t process = ::getpid();
  const Finding forked = finding_of("forks");
  REQUIRE(::getpid() == process);
  CHECK(forked.rule == "HARNESS");
  CHECK(forked.text == "the harness forks: its orders are one process's only");
}

TEST_CASE("a program goes on with its next run after a crash") {
  const auto program = load("segfault");
  std::uint64_t crashed = 0;
  CHECK(testing::every_order(*program,
                             [&](const explore::Outcome& outcome, const auto&) { crashed += outcome.found(); }) == 2);
  CHECK(crashed == 2);
}

TEST_CASE("a harness that never comes to a step is stopped") { CHECK(finding_of("endless").rule == "ENDLESS"); }

TEST_CASE("what new took and nobody deleted is a leak, and what was deleted is none") {
  CHECK(finding_of("leaks").rule == "LEAK");
  CHECK(finding_of("leaks_quietly").rule == "LEAK");
  CHECK(finding_of("leaks_aligned").rule == "LEAK");
  CHECK(finding_of("leaks_within").rule == "LEAK");
  CHECK(finding_of("leaks_text").rule == "LEAK");
  CHECK(finding_of("mallocs").rule == "LEAK");
  CHECK(finding_of("takes_all").rule == "LEAK");
  CHECK(finding_of("loses").rule == "LEAK");
  CHECK(finding_of("deletes_twice").rule == "DOUBLE_FREE");
  CHECK(finding_of("deletes_twice").text == "memory is deleted twice");
  CHECK(finding_of("frees_twice").rule == "DOUBLE_FREE");
  CHECK(finding_of("frees_twice").text == "memory is freed twice");
  CHECK(finding_of("frees").rule == "");
}

TEST_CASE("what lies in the heap is part of the state: a loop that counts there is no livelock") {
  std::string why;
  const auto counts = harness::Harness::load(folder() + "counts.so", {.most_steps = 100}, why);
  INFO(why);
  REQUIRE(counts != nullptr);
  kernel::DefaultChoices plain;
  const explore::Outcome& outcome = counts->run(plain);
  INFO((outcome.found() ? outcome.findings.front().text : ""));
  CHECK_FALSE(outcome.found());
  CHECK(outcome.steps > 900);
}

TEST_CASE("a harness of another version is refused with both versions named") {
  std::string why;
  CHECK(harness::Harness::load(folder() + "other_version.so", {}, why) == nullptr);
  CHECK(why == "was built for version 42 of vmbsim/hunt.h, and this is version 1: build it again");
  CHECK(harness::Harness::load(folder() + "nothing.so", {}, why) == nullptr);
  CHECK(why == "cannot be loaded: No such file or directory");
}
