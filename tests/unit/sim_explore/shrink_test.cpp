// A long schedule becomes a short one that shows the same finding, of which nothing can be left out.
#include "sim/explore/shrink.hpp"

#include <catch2/catch.hpp>

#include "sim/explore/replay.hpp"
#include "tests/support/drawn_cases.hpp"
#include "tests/support/exploring.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using explore::Deviation;
using explore::Deviations;
using explore::MemoryModel;
using explore::Shown;
using explore::Shrunk;

namespace {

Deviations list_of(std::uint64_t size, std::uint32_t taken = 1) {
  Deviations list;
  for (std::uint64_t index = 0; index < size; ++index)
    list.push_back({index * 10, taken, 4, kernel::ChoicePoint::cpu, 0, 0, index});
  return list;
}

std::set<std::uint64_t> indices(const Deviations& list) {
  std::set<std::uint64_t> set;
  for (const Deviation& one : list) set.insert(one.index);
  return set;
}

Deviations without(const Deviations& list, std::size_t at) {
  Deviations rest = list;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
  return rest;
}

/// Finds the program's bug by a random walk and shrinks the schedule.
Shrunk found_and_shrunk(StraightLine program, std::uint64_t seed, std::size_t* before = nullptr) {
  const auto random = explore::make_strategy("random", Seed{seed});
  for (std::uint64_t run = 0;; ++run) {
    REQUIRE(run < 100'000);
    random->begin(run);
    Recording recording(*random);
    const explore::Outcome& outcome = program.run(recording);
    if (!outcome.found()) continue;
    const std::string rule = outcome.findings[0].rule;
    if (before != nullptr) *before = recording.deviations.size();
    const auto led = [&](kernel::ChoiceSource& source) -> std::optional<Shown> {
      Recording again(source);
      const explore::Outcome& shown = program.run(again);
      if (!shown.found() || shown.findings[0].rule != rule) return std::nullopt;
      return Shown{again.deviations, shown.switches};
    };
    const auto shows = [&](const Deviations& candidate) {
      explore::Replay replay(candidate, explore::Replay::Mode::loose);
      replay.begin();
      return led(replay);
    };
    return explore::shrink(recording.deviations, shows, 2'000, led);
  }
}

}  // namespace

TEST_CASE("what a finding needs is all that is left") {
  told(checked("exactly the needed deviations", 200, [] {
    const auto size = *rc::gen::inRange<std::uint64_t>(1, 40);
    std::set<std::uint64_t> needed;
    for (const std::uint64_t index :
         *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, size)))
      needed.insert(index * 10);
    const Shrunk small = explore::shrink(list_of(size), [&](const Deviations& candidate) -> std::optional<Shown> {
      const std::set<std::uint64_t> has = indices(candidate);
      for (const std::uint64_t index : needed)
        if (has.count(index) == 0) return std::nullopt;
      return Shown{candidate, candidate.size()};
    });
    RC_ASSERT(small.shown && small.minimal);
    RC_ASSERT(indices(small.deviations) == needed);
  }));
}

TEST_CASE("nothing can be left out of a shrunk list, however unsteady the finding") {
  told(checked("1-minimal", 200, [] {
    const auto size = *rc::gen::inRange<std::uint64_t>(1, 16);
    const auto salt = *rc::gen::arbitrary<std::uint64_t>();
    // A third of all lists show it, by no rule; the whole one does.
    const auto shows = [&](const Deviations& candidate) -> std::optional<Shown> {
      std::uint64_t bits = salt;
      for (const Deviation& one : candidate) bits = explore::mixed(bits + one.index * 8 + one.taken);
      if (candidate != list_of(size, 3) && bits % 3 != 0) return std::nullopt;
      return Shown{candidate, bits % 7};
    };
    const Shrunk small = explore::shrink(list_of(size, 3), shows, 100'000);
    RC_ASSERT(small.shown && small.minimal);
    RC_ASSERT(shows(small.deviations).has_value());
    for (std::size_t k = 0; k < small.deviations.size(); ++k) RC_ASSERT(!shows(without(small.deviations, k)));
  }));
}

TEST_CASE("answers become as small as they can be") {
  const Shrunk small = explore::shrink(list_of(5, 3), [](const Deviations& candidate) -> std::optional<Shown> {
    for (const Deviation& one : candidate)
      if (one.index == 20 && one.taken >= 2) return Shown{candidate, 1};
    return std::nullopt;
  });
  REQUIRE(small.deviations.size() == 1);
  CHECK(small.deviations[0].taken == 2);
}

TEST_CASE("a list that does not show the finding comes back as it was") {
  const Shrunk same = explore::shrink(list_of(4), [](const Deviations&) { return std::optional<Shown>(); });
  CHECK_FALSE(same.shown);
  CHECK(same.deviations == list_of(4));
  CHECK(same.reruns == 1);
}

TEST_CASE("re-runs end with the budget, and equal candidates are run once") {
  std::set<std::vector<std::uint64_t>> asked;
  std::uint64_t calls = 0;
  const auto shows = [&](const Deviations& candidate) -> std::optional<Shown> {
    ++calls;
    std::vector<std::uint64_t> key;
    for (const Deviation& one : candidate) {
      key.push_back(one.index);
      key.push_back(one.taken);
    }
    CHECK(asked.insert(key).second);
    return candidate.size() < 20 ? std::nullopt : std::optional<Shown>(Shown{candidate, candidate.size()});
  };
  const Shrunk small = explore::shrink(list_of(64), shows, 200);
  CHECK(calls <= 200);
  CHECK(small.reruns == calls);
  asked.clear();
  calls = 0;
  CHECK_FALSE(explore::shrink(list_of(64), shows, 10).minimal);
  CHECK(calls == 10);
}

TEST_CASE("once it is over nothing more is run, and what is small by then is handed over") {
  const auto shows = [](const Deviations& candidate) -> std::optional<Shown> {
    return candidate.size() < 20 ? std::nullopt : std::optional<Shown>(Shown{candidate, candidate.size()});
  };
  std::uint64_t asked = 0;
  const Shrunk small = explore::shrink(list_of(64), shows, 2'000, {}, [&asked] { return ++asked > 12; });
  CHECK(small.reruns == 13);  // the first one shows that there is something to make small
  CHECK(small.shown);
  CHECK_FALSE(small.minimal);
  CHECK(small.deviations.size() < 64);
  CHECK(explore::shrink(list_of(64), shows, 2'000, {}, [] { return false; }).minimal);
}

TEST_CASE("a lost update shrinks to the two switches that it takes") {
  const auto lost = [](const StraightLine::Final& final) { return final.words[1] < 4; };
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Thread thread{load(1), store_next(1), load(1), store_next(1)};
    const Shrunk small = found_and_shrunk(StraightLine(threads(2, thread), MemoryModel::sc, lost), seed);
    INFO("seed " << seed);
    CHECK(small.minimal);
    CHECK(small.switches == 2);
    CHECK(small.deviations.size() <= 2);
    CHECK(small.reruns < 2'000);
  }
}

TEST_CASE("a race that needs four switches keeps four, and a deadlock one") {
  // Final count 2 of two threads that count to 4 each: each store but the last of one falls into the other.
  const auto low = [](const StraightLine::Final& final) { return final.words[1] == 2; };
  Thread counting;
  for (int i = 0; i < 4; ++i) {
    counting.push_back(load(1));
    counting.push_back(store_next(1));
  }
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    INFO("seed " << seed);
    // First load; all but one round of the other; first store; last load of the other; the rest; last store.
    CHECK(found_and_shrunk(StraightLine(threads(2, counting), MemoryModel::sc, low), seed).switches <= 5);
    const Shrunk deadlock = found_and_shrunk(
        StraightLine({{lock(1), lock(2), unlock(2), unlock(1)}, {lock(2), lock(1), unlock(1), unlock(2)}}), seed);
    CHECK(deadlock.switches == 1);
    CHECK(deadlock.deviations.size() == 1);
  }
}

TEST_CASE("of a hundred threads those that matter are left, each with one switch") {
  constexpr std::size_t writers = 100;
  std::vector<Thread> program = threads(writers, {add(1), add(2)});
  program.push_back({load(1), load(2)});
  const auto between = [](const StraightLine::Final& final) {
    return final.loaded[writers][0] != 0 && final.loaded[writers][1] == 0;
  };
  std::size_t before = 0;
  const Shrunk small = found_and_shrunk(StraightLine(program, MemoryModel::sc, between), 0, &before);
  CHECK(before > 100);
  CHECK(small.minimal);
  CHECK(small.deviations.size() <= 3);
  CHECK(small.switches <= writers + 3);  // everybody takes a turn
}

TEST_CASE("among threads that do not matter only the switches that do are left") {
  const auto lost = [](const StraightLine::Final& final) { return final.words[1] < 2; };
  std::vector<Thread> program{{load(1), store_next(1)}, {load(1), store_next(1)}};
  for (std::uint32_t t = 0; t < 4; ++t) program.push_back(Thread(8, add(t + 2)));
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    INFO("seed " << seed);
    std::size_t before = 0;
    const Shrunk small = found_and_shrunk(StraightLine(program, MemoryModel::sc, lost), seed, &before);
    CHECK(before > 10);
    CHECK(small.deviations.size() <= 2);
    CHECK(small.switches <= 2 + 4 + 1);  // the others take their turn once each
    CHECK(small.minimal);
  }
}
