#include "sim/hunt/inquest.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

#include "tests/unit/sim_hunt/straight_target.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using Catch::Contains;

namespace {

hunt::InquestConfig config_of(const hunt::Target& target) {
  return {.target = target, .seed = Seed{7}, .version = "test", .most_reruns = 2000, .patience_s = 1, .stop_asked = [] {
            return false;
          }};
}

hunt::Find first_find(const hunt::Target& target, const char* strategy) {
  const hunt::Verdict verdict = verdict_of(campaign_of(target, {strategy}, 100'000));
  REQUIRE(verdict.finds.size() == 1);
  return verdict.finds.front();
}

}  // namespace

TEST_CASE("a find is handed over small, and replays exactly") {
  const StraightTarget target(2, 3, 3);
  const hunt::Find find = first_find(target, "random");
  const hunt::Case found = hunt::investigate(config_of(target), find);
  CHECK(found.comes_again);
  CHECK(found.minimal);
  CHECK(found.repro.deviations.size() <= find.deviations.size());
  const hunt::Replayed again = hunt::replay(target, found.repro.setting, found.repro.deviations, {}, 1);
  CHECK(again.mismatch.empty());
  CHECK(again.digests == found.repro.digests);
  // To read in the middle of the other one takes a switch there, or one at the start and another one.
  const StraightTarget once(2, 1, 1);
  CHECK(hunt::investigate(config_of(once), first_find(once, "random")).repro.deviations.size() <= 2);
}

TEST_CASE("a find that needs no store buffer is handed over without one") {
  const StraightTarget target(2, 1, 1);
  hunt::Campaign::Config config = campaign_of(target, {"random"}, 100'000);
  config.setting.memory = explore::MemoryModel::pso;
  const hunt::Verdict verdict = verdict_of(config);
  REQUIRE(verdict.finds.size() == 1);
  const hunt::Case found = hunt::investigate(config_of(target), verdict.finds.front());
  CHECK(found.comes_again);
  CHECK(found.repro.setting.memory == explore::MemoryModel::sc);
}

TEST_CASE("the critical choice is the last one that could have gone well") {
  // The second thread reads after the first one's read: from then on an update is lost, whatever comes.
  const StraightTarget target(2, 1, 1);
  const hunt::Find find = first_find(target, "dfs");
  const hunt::Case found = hunt::investigate(config_of(target), find);
  REQUIRE(found.critical);
  CHECK(found.critical->question == 1);
  CHECK(found.critical->failed < found.critical->tried);
  CHECK(found.critical->fails == "actor 1 reads word 1");
  CHECK(found.critical->passes == "actor 0 writes word 1");
  CHECK_THAT(hunt::explanation(found, "x.repro"), Contains("with this order it fails: actor 1 reads word 1"));
}

TEST_CASE("a run that ends its process is made small, in a process for each try") {
  const StraightTarget target(2, 2, 2, Manners::leaves);
  const hunt::Find find = first_find(target, "random");
  const hunt::Case found = hunt::investigate(config_of(target), find);
  CHECK(found.comes_again);
  CHECK_FALSE(found.repro.fingerprint);
  CHECK(found.repro.deviations.size() <= find.deviations.size());
  CHECK(found.repro.rule == "EXIT");
}

TEST_CASE("what hangs is made small for a time, and then told as it is, with why") {
  const StraightTarget target(3, 3, 3, Manners::sleeps);
  const hunt::Find find = first_find(target, "random");
  hunt::InquestConfig config = config_of(target);
  config.shrink_s = 3;
  const auto started = std::chrono::steady_clock::now();
  const hunt::Case found = hunt::investigate(config, find);
  // Beside that time: the find again, the re-run that it ends in, and the story.
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(12));
  CHECK(found.comes_again);
  CHECK(found.reruns < 10);
  CHECK_FALSE(found.minimal);
  CHECK(found.given_up_s == 3);
  CHECK_THAT(
      hunt::explanation(found, "x.repro"),
      Contains("(there was more to try)") &&
          Contains("\nIt was not made small to the end: each re-run of what hangs takes the time that it takes to "
                   "notice, and this was given up after 3 s; --shrink-time gives it more.\n"));
}

TEST_CASE("what does not hang is made small however long it takes, for no clock may decide what comes of it") {
  const StraightTarget target(3, 3, 3);
  const hunt::Find find = first_find(target, "random");
  hunt::InquestConfig config = config_of(target);
  const hunt::Case usual = hunt::investigate(config, find);
  config.shrink_s = 0;
  const hunt::Case found = hunt::investigate(config, find);
  CHECK(found.minimal);
  CHECK(found.given_up_s == 0);
  CHECK(hunt::to_text(found.repro) == hunt::to_text(usual.repro));
  CHECK(hunt::explanation(found, "x.repro") == hunt::explanation(usual, "x.repro"));
}

TEST_CASE("a find that is made small when a stop is asked for is handed over as it is by then") {
  const StraightTarget target(3, 3, 3, Manners::leaves);
  const hunt::Find find = first_find(target, "random");
  hunt::InquestConfig config = config_of(target);
  REQUIRE(hunt::investigate(config, find).minimal);
  int asked = 0;
  config.stop_asked = [&asked] { return ++asked > 5; };
  const hunt::Case stopped = hunt::investigate(config, find);
  CHECK(stopped.comes_again);
  CHECK(stopped.reruns > 0);
  CHECK(stopped.reruns < 8);
  CHECK_FALSE(stopped.minimal);
  CHECK(stopped.given_up_s == 0);
  CHECK(stopped.repro.rule == "EXIT");
}

TEST_CASE("a replay tells how long its slowest step took, by which a hang is told from a slow step") {
  const hunt::Find find = first_find(StraightTarget(2, 1, 1), "random");
  const StraightTarget plods(2, 1, 9, Manners::plods);
  const hunt::Replayed slow = hunt::replay(plods, find.setting, find.deviations, {}, 5);
  CHECK(slow.findings.empty());
  CHECK(slow.quiet_ns > 1'000'000'000);
  CHECK(slow.quiet_ns < 1'000'000'000 * (1 + std::int64_t(find.deviations.size())));
}

TEST_CASE("a run that ends its process has a story and digests, with and without time") {
  const StraightTarget well(2, 2, 2);
  const hunt::Case told = hunt::investigate(config_of(well), first_find(well, "dfs"));
  for (const bool in_time : {false, true}) {
    const StraightTarget target(2, 2, 2, in_time ? Manners::leaves_in_time : Manners::leaves);
    const StraightTarget stays(2, 2, 2, in_time ? Manners::finds_in_time : Manners::finds);
    const hunt::Find find = first_find(target, "dfs");
    const hunt::Replayed again =
        hunt::replay(target, find.setting, find.deviations, {.story = true, .dot = true, .trace = true}, 1);
    CHECK(again.lost);
    const hunt::Replayed whole =
        hunt::replay(stays, find.setting, find.deviations, {.story = true, .dot = true, .trace = true}, 1);
    CHECK((again.story.find("time in us") != std::string::npos) == in_time);
    CHECK_THAT(again.story, Contains("\n*       7  "));
    CHECK(again.story == whole.story);
    CHECK(again.digests == whole.digests);
    CHECK(again.questions == whole.questions);
    CHECK_THAT(again.dot, Catch::StartsWith("digraph run {") && Contains("s3"));
    CHECK_FALSE(again.trace.empty());
  }
  CHECK_THAT(told.last.story, Contains("> "));
}

namespace {

/// Breaks only with the knob "careless", whatever else is drawn.
class Knobs final : public hunt::Target {
 public:
  std::string kind() const override { return "scenario"; }
  std::string path() const override { return "knobs"; }
  std::string content() const override { return "00000000000c0de0"; }
  std::unique_ptr<explore::Program> make(const hunt::Setting& setting, std::string& why) const override {
    const auto has = [&](const char* knob) {
      return std::find(setting.knobs.begin(), setting.knobs.end(), knob) != setting.knobs.end();
    };
    if (has("impossible")) {
      why = "impossible";
      return nullptr;
    }
    return StraightTarget(2, 1, has("careless") ? 1 : 9).make({setting.memory, {}}, why);
  }
  std::vector<std::string> swarm(kernel::Stream& stream) const override {
    return stream.chance(1, 2) ? std::vector<std::string>{"loud", "careless", "large", "impossible", "late"}
                               : std::vector<std::string>{"loud"};
  }
};

}  // namespace

TEST_CASE(
    "what a swarm drew is recorded with the find, as far as it goes together, and left out where it is not needed") {
  const Knobs target;
  const hunt::Find find = first_find(target, "random");
  CHECK(find.setting.knobs == std::vector<std::string>{"loud", "careless", "large"});
  const hunt::Case found = hunt::investigate(config_of(target), find);
  CHECK(found.comes_again);
  CHECK(found.repro.setting.knobs == std::vector<std::string>{"careless"});
}

namespace {

/// Two mistakes of one rule: a store that waits in a buffer, and an update that is lost under any memory model.
class TwoMistakes final : public hunt::Target {
 public:
  std::string kind() const override { return "harness"; }
  std::string path() const override { return "two"; }
  std::string content() const override { return "00000000000c0de2"; }
  std::unique_ptr<explore::Program> make(const hunt::Setting& setting, std::string&) const override {
    return std::make_unique<Made>(setting.memory);
  }

 private:
  class Made final : public explore::Program {
   public:
    explicit Made(explore::MemoryModel memory)
        : program_({{store(1, 1), load(2), load(3), store_next(3)}, {store(2, 1), load(1), load(3), store_next(3)}},
                   memory, [this](const StraightLine::Final& end) {
                     const bool neither = end.loaded[0][0] == 0 && end.loaded[1][0] == 0;
                     text_ = neither ? "neither sees the other's store; counted: " + std::to_string(end.words[3])
                                     : "an update is lost";
                     return neither || end.words[3] != 2;
                   }) {}
    const explore::Outcome& run(kernel::ChoiceSource& choices, explore::StepListener* listener) override {
      outcome_ = program_.run(choices, listener);
      if (outcome_.found()) outcome_.findings.front().text = text_;
      return outcome_;
    }
    bool time_abstract() const override { return true; }
    std::string actor_name(std::uint32_t actor) const override { return program_.actor_name(actor); }
    std::string object_name(std::uint32_t object) const override { return program_.object_name(object); }

   private:
    std::string text_;
    StraightLine program_;
    explore::Outcome outcome_;
  };
};

}  // namespace

TEST_CASE("two mistakes of one rule are two finds, and each stays what it is while it is made small") {
  const TwoMistakes target;
  hunt::Campaign::Config config = campaign_of(target, {"random"}, 2'000);
  config.keep_going = true;
  config.setting.memory = explore::MemoryModel::tso;
  const hunt::Verdict verdict = verdict_of(config);
  REQUIRE(verdict.finds.size() == 2);
  for (const hunt::Find& find : verdict.finds) {
    const hunt::Case found = hunt::investigate(config_of(target), find);
    INFO(find.finding.text << " became " << found.repro.text);
    CHECK(found.comes_again);
    CHECK(found.minimal);
    const std::string told = hunt::explanation(found, "x.repro");
    CHECK_THAT(told, Contains("Found by random in its run " + std::to_string(find.run + 1) + ", memory tso."));
    if (find.finding.text == "an update is lost") {
      CHECK(found.repro.text == "an update is lost");
      CHECK(found.repro.setting.memory == explore::MemoryModel::sc);
      CHECK_THAT(told, Contains("It shows under sc as well: the repro and what is told here are of a run under sc."));
    } else {
      // Under sc nobody can miss the other's store, whatever else goes wrong there.
      CHECK_THAT(found.repro.text, Catch::StartsWith("neither sees the other's store; counted: "));
      CHECK(found.repro.setting.memory == explore::MemoryModel::tso);
      CHECK(found.repro.deviations.size() <= 2);  // that each store stays in its buffer, whatever becomes of the count
      CHECK_THAT(told, !Contains("as well"));
    }
  }
}

TEST_CASE("numbers and addresses in what is told do not make another mistake; words and the call do") {
  const auto mistake = [](const char* text, const char* call = "check") {
    Finding finding;
    finding.rule = "CHECK";
    finding.call = call;
    finding.text = text;
    return hunt::mistake_of(finding);
  };
  CHECK(mistake("12 of cpu3 at 0x7fdeadbeef") == mistake("1234 of cpu0 at 0xa"));
  CHECK(mistake("at 0x7F, then") == mistake("at 12, then"));
  CHECK(mistake("12 left") != mistake("left"));
  CHECK(mistake("a fad of 3") != mistake("a bad of 3"));
  CHECK(mistake("left", "release") != mistake("left", "check"));
}
