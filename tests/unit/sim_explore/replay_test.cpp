// A list of deviations gives the same run again, and says where it does not.
#include "sim/explore/replay.hpp"

#include <catch2/catch.hpp>

#include "tests/support/exploring.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using explore::Deviation;
using explore::Deviations;
using explore::Replay;

namespace {

const std::vector<Thread> three{{add(1), load(2), add(1)}, {load(1), store(2, 1)}, {add(2), add(1)}};

}  // namespace

TEST_CASE("every recorded schedule replays to the same class") {
  StraightLine program(three);
  const auto random = explore::make_strategy("random", Seed{7});
  for (std::uint64_t run = 0; run < 200; ++run) {
    random->begin(run);
    Recording recording(*random);
    program.run(recording);
    const std::string expected = program.rf_co();
    Replay replay(recording.deviations);
    replay.begin();
    Recording again(replay);
    program.run(again);
    CHECK(program.rf_co() == expected);
    CHECK(again.deviations == recording.deviations);
    CHECK_FALSE(replay.mismatch());
    CHECK(replay.followed() == recording.deviations.size());
  }
}

TEST_CASE("a replay of another program stops where they differ, and says why") {
  StraightLine program(three);
  // The default runs thread 0, so choice 1 has thread 1 as its first alternative other than the default.
  Deviations list;
  {
    struct Second final : kernel::ChoiceSource {
      std::uint32_t asked = 0;
      std::uint32_t choose(const kernel::Choice&) override { return asked++ == 1 ? 1 : 0; }
    } second;
    Recording recording(second);
    program.run(recording);
    list = recording.deviations;
  }
  REQUIRE(list.size() == 1);

  SECTION("another operation") {
    StraightLine other({{add(1), load(2), add(1)}, {load(2), store(2, 1)}, {add(2), add(1)}});
    Replay replay(list);
    replay.begin();
    CHECK(other.run(replay).end == explore::End::abandoned);
    REQUIRE(replay.mismatch());
    CHECK(replay.mismatch()->index == 1);
    CHECK(replay.mismatch()->text() ==
          "at choice 1: expected cpu, answer 1 of 3 by actor 1, found another operation there");
  }
  SECTION("another width") {
    StraightLine other({{add(1), load(2), add(1)}, {load(1), store(2, 1)}});
    Replay replay(list);
    replay.begin();
    other.run(replay);
    REQUIRE(replay.mismatch());
    CHECK(replay.mismatch()->text() ==
          "at choice 1: expected cpu, answer 1 of 3 by actor 1, found cpu, answer 1 of 2 by actor 1");
  }
  SECTION("fewer answers than the one that was taken") {
    list[0].taken = 5;
    Replay replay(list);
    replay.begin();
    program.run(replay);
    REQUIRE(replay.mismatch());
    CHECK_FALSE(replay.mismatch()->found);
  }
  SECTION("the end comes before the deviation") {
    StraightLine other({{add(1)}});
    Replay replay(list);
    replay.begin();
    CHECK(other.run(replay).end == explore::End::finished);
    REQUIRE(replay.mismatch());
    CHECK(replay.mismatch()->text() ==
          "at choice 1: expected cpu, answer 1 of 3 by actor 1, but there is no such choice");
  }
}

TEST_CASE("after an edit that puts a step in front, a deviation follows its actor one later") {
  // The lost update: thread 1 in between the load and the store of thread 0.
  const auto lost = [](const StraightLine::Final& final) { return final.words[1] == 1; };
  StraightLine program({{load(1), store_next(1)}, {load(1), store_next(1)}}, explore::MemoryModel::sc, lost);
  const auto search = explore::make_strategy("delay", Seed{1});
  Deviations list;
  for (std::uint64_t run = 0; list.empty() && search->begin(run); ++run) {
    Recording recording(*search);
    const explore::Outcome& outcome = program.run(recording);
    if (outcome.found()) list = recording.deviations;
    search->end(outcome, recording.deviations);
  }
  REQUIRE_FALSE(list.empty());

  // Thread 0 looks at something else first: every choice comes one later.
  StraightLine edited({{load(2), load(1), store_next(1)}, {load(1), store_next(1)}}, explore::MemoryModel::sc, lost);
  Replay follow(list, Replay::Mode::follow, 1);
  follow.begin();
  CHECK(edited.run(follow).found());
  CHECK(follow.followed() == list.size());
}
