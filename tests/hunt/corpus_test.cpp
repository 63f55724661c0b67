#include <catch2/catch.hpp>

#include "sim/hunt/inquest.hpp"
#include "sim/hunt/repro.hpp"
#include "tests/support/corpus.hpp"

using namespace vmbsim;
using testing::HarnessFile;
using testing::PlantedBug;

namespace {

std::string library(const std::string& name) { return std::string(VMBSIM_HUNTS) + "/" + name + ".so"; }

}  // namespace

TEST_CASE("every planted bug of the corpus is found, made small and seen again") {
  std::size_t short_stories = 0, short_files = 0, all = 0;
  for (const PlantedBug& bug : testing::corpus(VMBSIM_CORPUS)) {
    if (bug.rare) continue;
    const HarnessFile target(library(bug.name));
    for (const std::uint64_t seed : {1, 2}) {
      INFO(bug.name << " with seed " << seed << " under " << name_of(bug.memory));
      const hunt::Verdict verdict = testing::hunt_in(target, bug.memory, Seed{seed}, 10'000);
      REQUIRE(!verdict.finds.empty());
      const hunt::Find& find = verdict.finds.front();
      CHECK(bug.accepts(find.finding.rule));
      const hunt::Case found = hunt::investigate(
          {.target = target, .seed = Seed{seed}, .version = "test", .stop_asked = [] { return false; }}, find);
      CHECK(found.comes_again);
      CHECK(found.minimal);
      CHECK(found.repro.setting.memory == bug.memory);  // nobody knows a stronger one under which it shows
      CHECK(found.reruns <= 2000);
      REQUIRE(found.last.unmade.empty());
      // Nobody knows a shorter story than the list's.
      CHECK(found.last.switches >= (find.finding.rule == "LOCK_ORDER" ? 0 : bug.switches));
      if (bug.large) continue;
      ++all;
      short_files += hunt::to_text(found.repro).size() < 1024 ? 1 : 0;
      short_stories += found.last.switches <= bug.switches + 1 ? 1 : 0;
    }
  }
  INFO(short_stories << " of " << all << " stories have one context switch more than the shortest, or fewer");
  CHECK(short_stories * 10 >= all * 9);
  INFO(short_files << " repros are shorter than 1 KiB");
  CHECK(short_files * 20 >= all * 19);
}

TEST_CASE("a story has no round of a loop too many, and nobody's turn in it comes before what it cuts off") {
  // The first has a loop that may go round before the bug shows; in the second one thread stops all others, late or early.
  for (const PlantedBug& bug : testing::corpus(VMBSIM_CORPUS)) {
    if (bug.name != "signalled-twice" && bug.name != "events-lost-in-save") continue;
    const HarnessFile target(library(bug.name));
    std::size_t shortest = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      const hunt::Verdict verdict = testing::hunt_in(target, bug.memory, Seed{seed}, 10'000);
      REQUIRE(!verdict.finds.empty());
      const hunt::Case found = hunt::investigate(
          {.target = target, .seed = Seed{seed}, .version = "test", .stop_asked = [] { return false; }},
          verdict.finds.front());
      shortest += found.last.switches == bug.switches ? 1 : 0;
    }
    INFO(bug.name << ": " << shortest << " of 8 stories are as short as can be");
    CHECK(shortest >= 6);
  }
}

TEST_CASE("the plain run of a planted bug passes: it takes another order to show it") {
  std::size_t plain = 0, all = 0;
  for (const PlantedBug& bug : testing::corpus(VMBSIM_CORPUS)) {
    INFO(bug.name << " under " << name_of(bug.memory));
    std::string why;
    const auto program = HarnessFile(library(bug.name)).make({.memory = bug.memory, .knobs = {}}, why);
    REQUIRE(program != nullptr);
    kernel::DefaultChoices defaults;
    CHECK(program->run(defaults).found() == bug.plain);
    plain += bug.plain ? 1 : 0;
    ++all;
  }
  CHECK(plain * 25 < all);
}

TEST_CASE("no healthy twin of the corpus is found fault with: it is proved right, or passes a long random walk") {
#ifdef VMBSIM_LONG_TESTS
  constexpr std::uint64_t walk = 1'000'000;
#else
  constexpr std::uint64_t walk = 10'000;
#endif
  std::size_t proved = 0, all = 0;
  for (const PlantedBug& bug : testing::corpus(VMBSIM_CORPUS)) {
    const HarnessFile twin(library(bug.name + "-healthy"));
    INFO(bug.name << ", healthy, under " << name_of(bug.memory));
    if (bug.large || bug.rare) {
      CHECK(testing::hunt_in(twin, bug.memory, Seed{1}, walk / 10, "random").finds.empty());
      continue;
    }
    const hunt::Verdict proof = testing::hunt_in(twin, bug.memory, Seed{1}, 20'000, "dpor");
    CHECK(proof.finds.empty());
    ++all;
    if (proof.end == hunt::Verdict::End::proved) {
      ++proved;
      continue;
    }
    CHECK(testing::hunt_in(twin, bug.memory, Seed{1}, walk, "random").finds.empty());
  }
  INFO(proved << " of " << all << " twins are proved");
  CHECK(proved * 10 >= all * 7);
}

TEST_CASE("what has few orders is proved right in the 64 runs of a first look") {
  for (const char* name : {"account", "queue-lock", "reference-count", "group-lock", "id-reused"}) {
    INFO(name);
    const HarnessFile twin(library(std::string(name) + "-healthy"));
    CHECK(testing::hunt_in(twin, explore::MemoryModel::sc, Seed{1}, 64).end == hunt::Verdict::End::proved);
  }
}

TEST_CASE("what needs a store buffer to go wrong is proved right without one") {
  for (const PlantedBug& bug : testing::corpus(VMBSIM_CORPUS)) {
    if (bug.memory == explore::MemoryModel::sc || bug.large) continue;
    INFO(bug.name << " under sc");
    const hunt::Verdict verdict =
        testing::hunt_in(HarnessFile(library(bug.name)), explore::MemoryModel::sc, Seed{1}, 100'000, "dpor");
    CHECK(verdict.end == hunt::Verdict::End::proved);
  }
}
