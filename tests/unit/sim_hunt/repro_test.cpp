#include "sim/hunt/repro.hpp"

#include <catch2/catch.hpp>

#include "sim/hunt/replaying.hpp"
#include "tests/unit/sim_hunt/straight_target.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using hunt::Repro;

namespace {

Repro sample() {
  Repro repro;
  repro.version = "1.2.3";
  repro.kind = "harness";
  repro.path = "lost doorbell.so";
  repro.content = "0123456789abcdef";
  repro.setting = {explore::MemoryModel::tso, {"channel.disk.ring.to_host=\"8 KiB\"", "a=1"}};
  repro.seed = Seed{42};
  repro.strategy = "pct3";
  repro.run = 17;
  repro.rule = "LOST_WAKEUP";
  repro.text = "consumer waits for door for ever";
  repro.fingerprint = Fingerprint{0x0123456789abcdef, 0xfedcba9876543210};
  repro.questions = 57;
  repro.digests = {1, 0xdeadbeef, 7};
  repro.actors = {{2, 0, "store buffer of producer"}, {3, 1, "worker"}};
  repro.deviations = {{0, 1, 2, kernel::ChoicePoint::cpu, 0x9f3a, 3, 4},
                      {12, 2, 3, kernel::ChoicePoint::flush, 1, 2, 0}};
  return repro;
}

std::string first_problem(const std::string& text) {
  Problems problems;
  CHECK_FALSE(hunt::read_repro(text, "x.repro", problems));
  return problems.empty() ? "" : problems.front().line();
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("a repro is read as it was written") {
  Problems problems;
  const auto again = hunt::read_repro(hunt::to_text(sample()), "x.repro", problems);
  REQUIRE(again);
  CHECK(*again == sample());
  Repro lost = sample();
  lost.fingerprint.reset();
  lost.digests.clear();
  lost.actors.clear();  // as files of before have none
  CHECK(hunt::read_repro(hunt::to_text(lost), "x.repro", problems) == lost);
  CHECK(hunt::to_text(sample()).size() < 1024);
}

TEST_CASE("what is wrong with a repro has its place") {
  const std::string good = hunt::to_text(sample());
  using Catch::Contains;
  CHECK(first_problem("") == "x.repro:1:1: is no repro: its first line would be \"vmbsim repro 1\"");
  CHECK_THAT(first_problem(replaced(good, "repro 1", "repro 2")),
             Contains("1:14") && Contains("format 2") && Contains("format 1"));
  CHECK_THAT(first_problem(replaced(good, "memory tso", "memory rmo")),
             Contains("x.repro:4:8: \"rmo\" is no memory model"));
  CHECK_THAT(first_problem(replaced(good, "take 2 of 3", "take 3 of 3")), Contains("answer 3 is not below"));
  CHECK_THAT(first_problem(replaced(good, "+12", "+0")), Contains("is no distance"));
  CHECK_THAT(first_problem(replaced(good, "flush", "flash")), Contains("\"flash\" is no kind of question"));
  CHECK_THAT(first_problem(replaced(good, "seed 42\n", "")),
             Contains("\"strategy\" is not expected here; next comes seed"));
  CHECK_THAT(first_problem(replaced(good, "run 17", "run 18")), Contains("its checksum is wrong"));
  CHECK_THAT(first_problem(good + "at\n"), Contains("nothing comes after the checksum"));
}

TEST_CASE("a repro that was cut or changed anywhere is refused") {
  const std::string good = hunt::to_text(sample());
  for (std::size_t i = 0; i < good.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(first_problem(good.substr(0, i)).empty());
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(first_problem(changed).empty());
  }
}

TEST_CASE("a find replays a hundred times out of a hundred, each in a process of its own") {
  const StraightTarget target(2, 5, 8);
  const hunt::Verdict verdict = verdict_of(campaign_of(target, {"preemption"}, 100'000));
  REQUIRE(verdict.finds.size() == 1);
  const hunt::Find& find = verdict.finds.front();
  const hunt::Replayed first = hunt::replay(target, find.setting, find.deviations, {}, 1);
  for (int i = 0; i < 100; ++i) {
    const hunt::Replayed again = hunt::replay(target, find.setting, find.deviations, {}, 1);
    REQUIRE(hunt::shows(hunt::mistake_of(find.finding), again.findings));
    REQUIRE(again.mismatch.empty());
    REQUIRE(again.taken == find.deviations);
    REQUIRE(again.digests == first.digests);
  }
}

TEST_CASE("a replay of another program says at which choice it went another way") {
  const StraightTarget recorded(2, 5, 8);
  const StraightTarget changed(3, 1, 9);
  const hunt::Find find = verdict_of(campaign_of(recorded, {"preemption"}, 100'000)).finds.front();
  const hunt::Replayed again = hunt::replay(changed, find.setting, find.deviations, {}, 1);
  CHECK_THAT(again.mismatch, Catch::Contains("at choice ") && Catch::Contains("expected"));
}

TEST_CASE("a run that ends its process replays as such") {
  const StraightTarget target(2, 1, 1, Manners::crashes);
  const hunt::Find find = verdict_of(campaign_of(target, {"dfs"}, 100)).finds.front();
  const hunt::Replayed again = hunt::replay(target, find.setting, find.deviations, {.story = true}, 1);
  CHECK(again.lost);
  CHECK(hunt::shows(hunt::mistake_of(find.finding), again.findings));
  CHECK(find.finding.rule == "CRASH");
  CHECK(again.taken == find.deviations);
}
