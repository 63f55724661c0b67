// What is drawn is drawn with the probabilities that theory gives.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

#include "tests/support/exploring.hpp"
#include "tests/support/goodness_of_fit.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using explore::MemoryModel;

namespace {

/// N setters {a++; b++} and a checker that reads a, then b: fails when it sees all of a and none of b.
StraightLine reorder_all(std::size_t n) {
  std::vector<Thread> program = threads(n, {add(1), add(2)});
  program.push_back({load(1), load(2)});
  return StraightLine(std::move(program), MemoryModel::sc, [n](const StraightLine::Final& final) {
    return final.loaded[n][0] == n && final.loaded[n][1] == 0;
  });
}

/// Two threads count to k without interlocking: fails when the count is 2.
StraightLine racy(std::size_t k) {
  Thread thread;
  for (std::size_t i = 0; i < k; ++i) {
    thread.push_back(load(1));
    thread.push_back(store_next(1));
  }
  return StraightLine(threads(2, thread), MemoryModel::sc,
                      [](const StraightLine::Final& final) { return final.words[1] == 2; });
}

/// Runs up to the first find; 10,001 when there is none in as many.
std::uint64_t runs_to_find(StraightLine program, const char* name, Seed seed) {
  const auto strategy = explore::make_strategy(name, seed);
  for (std::uint64_t run = 0; run < 10'000; ++run)
    if (explore_runs(program, *strategy, 1, run).found != 0) return run + 1;
  return 10'001;
}

// Chi-square with one degree of freedom exceeds this with probability 0.001.
constexpr double limit_1_freedom = 10.828;

double chi_square_of(std::uint64_t hits, std::uint64_t runs, double p) {
  const double expected = static_cast<double>(runs) * p;
  const double distance = static_cast<double>(hits) - expected;
  return distance * distance / expected + distance * distance / (static_cast<double>(runs) - expected);
}

}  // namespace

TEST_CASE("the random walk has its exact probabilities") {
  CHECK(chi_square_of(explore_all(reorder_all(2), "random", 100'000).found, 100'000, 2.0 / 81) < limit_1_freedom);
  CHECK(chi_square_of(explore_all(racy(2), "random", 100'000).found, 100'000, 11.0 / 32) < limit_1_freedom);
}

TEST_CASE("the uniform walk makes every interleaving equally often") {
  // The first four runs learn; what comes then is even.
  CHECK(chi_square_of(explore_all(reorder_all(2), "urw", 100'000).found, 100'000, 2.0 / 45) < limit_1_freedom);
  CHECK(chi_square_of(explore_all(racy(2), "urw", 100'000).found, 100'000, 16.0 / 35) < limit_1_freedom);
  std::vector<std::uint64_t> counts;
  for (const auto& [key, runs] : explore_all(StraightLine(threads(3, Thread(2, add(1)))), "urw", 50'000).classes)
    counts.push_back(runs);
  CHECK(counts.size() == 90);
  CHECK(chi_square(counts) < chi_square_limit(90));
}

TEST_CASE("PCT finds a bug of depth d among n threads and k steps with a probability of 1 / (n k^(d-1)) at least") {
  struct Row {
    const char* name;
    StraightLine program;
    double n, k;
    int depth;
  };
  const auto ordered = [](const StraightLine::Final& final) { return final.loaded[1][0] == 0; };
  const auto lost = [](const StraightLine::Final& final) { return final.words[1] == 1; };
  const auto between = [](const StraightLine::Final& final) {
    return final.loaded[1][0] == 1 && final.loaded[1][1] == 0;
  };
  const Row rows[] = {
      // Depth 1: one order. Depth 2: a lost update. Depth 3: in between two steps twice.
      {"pct1", StraightLine({{add(2), store(1, 1)}, {load(1), add(3)}}, MemoryModel::sc, ordered), 2, 4, 1},
      {"pct2", StraightLine({{load(1), store_next(1)}, {load(1), store_next(1)}}, MemoryModel::sc, lost), 2, 4, 2},
      {"pct3", StraightLine({{store(1, 1), store(2, 1)}, {load(1), load(2)}}, MemoryModel::sc, between), 2, 4, 3},
  };
  for (const Row& row : rows) {
    INFO(row.name);
    constexpr std::uint64_t runs = 20'000;
    const double hits = static_cast<double>(explore_all(row.program, row.name, runs).found);
    const double least = 1 / (row.n * std::pow(row.k, row.depth - 1));
    CHECK(hits / runs > least - limit_of_z * std::sqrt(least / runs));
  }
}

TEST_CASE("priorities alone reach what needs one order and nothing more") {
  CHECK(explore_all(racy(2), "pct1", 5'000).found == 0);
  CHECK(explore_all(racy(2), "pct2", 5'000).found != 0);
}

TEST_CASE("PCT lets others run behind its last place: a spin ends") {
  // Thread 1 looks forty times; the runs that teach k end early, by a limit.
  Thread spin;
  for (int i = 0; i < 40; ++i) spin.push_back(load(1));
  const auto never_seen = [](const StraightLine::Final& final) { return final.loaded[1].back() == 0; };
  StraightLine brief({{store(1, 1)}, spin}, MemoryModel::sc, never_seen);
  brief.limit(3);
  const auto pct = explore::make_strategy("pct1", Seed{1});
  explore_runs(brief, *pct, 4);
  StraightLine whole({{store(1, 1)}, spin}, MemoryModel::sc, never_seen);
  CHECK(explore_runs(whole, *pct, 1'000, 4).found == 0);
}

TEST_CASE("partial order sampling does not wait for threads that matter to nobody") {
  // The chance of an order between two steps does not fall with the number of independent steps before one of them.
  const auto hits = [](const char* strategy) {
    Thread late;
    for (int i = 0; i < 20; ++i) late.push_back(add(2));
    late.push_back(store(1, 1));
    const StraightLine program({{load(1)}, late}, MemoryModel::sc,
                               [](const StraightLine::Final& final) { return final.loaded[0][0] == 1; });
    return explore_all(program, strategy, 10'000).found;
  };
  CHECK(hits("pos") > 10 * hits("random"));
  CHECK(explore_all(racy(2), "pos", 1'000).found > 0);
}

TEST_CASE("reads-from fuzzing needs no more runs for twenty setters than for two") {
  // Source: Chistikov, Majumdar, Niksic, CAV'16: what counts is the number of orders that a bug needs, here two.
  for (const std::size_t setters : {2, 5, 10, 20}) {
    INFO(setters << " setters");
    std::uint64_t soon = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
      soon += runs_to_find(reorder_all(setters), "rff", Seed{seed}) <= 20;
    CHECK(soon >= 18);
  }
  CHECK(runs_to_find(reorder_all(20), "random", Seed{1}) > 10'000);
}

TEST_CASE("reads-from fuzzing does not wait for ever for an order that cannot come about") {
  // That the second thread waits for the first is nothing that its steps tell.
  const auto lost = [](const StraightLine::Final& final) { return final.words[1] == 1; };
  const StraightLine program(
      {{store(3, 1), store(2, 1), load(1), store_next(1)}, {await(2, 1), load(3), load(1), store_next(1)}},
      MemoryModel::sc, lost);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) CHECK(runs_to_find(program, "rff", Seed{seed}) <= 50);
}

TEST_CASE("the first run of reads-from fuzzing holds stores in their buffers as long as can be") {
  const StraightLine store_buffering(
      {{store(1, 1), load(2)}, {store(2, 1), load(1)}}, MemoryModel::tso,
      [](const StraightLine::Final& final) { return final.loaded[0][0] == 0 && final.loaded[1][0] == 0; });
  for (std::uint64_t seed = 1; seed <= 20; ++seed) CHECK(runs_to_find(store_buffering, "rff", Seed{seed}) == 1);
}

TEST_CASE("in the first run of reads-from fuzzing the processor that waits for its stores has them seen first") {
  // The second one's add needs its buffer empty; the first one's store is not seen yet when it looks.
  for (const bool turned : {false, true}) {
    const Thread ends{store(1, 1), load(2)}, waits{store(2, 1), add(3), load(1)};
    const std::size_t first = turned ? 1 : 0;
    const StraightLine program(turned ? std::vector{waits, ends} : std::vector{ends, waits}, MemoryModel::tso,
                               [first](const StraightLine::Final& final) {
                                 return final.loaded[first].back() == 0 && final.loaded[1 - first].back() == 0;
                               });
    for (std::uint64_t seed = 1; seed <= 20; ++seed) CHECK(runs_to_find(program, "rff", Seed{seed}) == 1);
  }
}

TEST_CASE(
    "in the first run of reads-from fuzzing the youngest of a processor's stores that may overtake is seen first") {
  const StraightLine program({{store(1, 1), store(2, 1)}, {await(2, 1), load(1)}}, MemoryModel::pso,
                             [](const StraightLine::Final& final) { return final.loaded[1].back() == 0; });
  for (std::uint64_t seed = 1; seed <= 20; ++seed) CHECK(runs_to_find(program, "rff", Seed{seed}) == 1);
}

TEST_CASE("in the first run of reads-from fuzzing everybody looks before anybody changes what he looked at") {
  const StraightLine counters(
      threads(3, {load(1), load(2), store_next(2), store_next(1)}), MemoryModel::sc,
      [](const StraightLine::Final& final) { return final.words[1] == 1 && final.words[2] == 1; });
  for (std::uint64_t seed = 1; seed <= 20; ++seed) CHECK(runs_to_find(counters, "rff", Seed{seed}) == 1);
}

TEST_CASE("the second run of reads-from fuzzing is one that no serial order of the actors equals") {
  // Source: Lu, Tucek, Qin, Zhou, "AVIO: detecting atomicity violations via access interleaving invariants", ASPLOS'06.
  for (const std::uint32_t words : {2, 5, 8}) {
    INFO(words << " words are changed one after the other, and one of two looks is too early or too late");
    // Who looks is busy with its own word while the words are changed: in step with each other they are as good as in series.
    Thread changes, looks(words, add(words + 1));
    for (std::uint32_t word = 1; word <= words; ++word) {
      changes.push_back(add(word));
      looks.push_back(load(word));
    }
    const StraightLine program({changes, looks}, MemoryModel::sc, [](const StraightLine::Final& final) {
      const std::vector<std::uint64_t>& seen = final.loaded[1];
      return std::count(seen.begin(), seen.end(), seen.front()) != static_cast<std::ptrdiff_t>(seen.size());
    });
    for (std::uint64_t seed = 1; seed <= 20; ++seed) CHECK(runs_to_find(program, "rff", Seed{seed}) == 2);
  }
}

TEST_CASE("reads-from fuzzing reaches what only one of several equal threads does") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) CHECK(runs_to_find(racy(2), "rff", Seed{seed}) <= 200);
}

TEST_CASE("delays are injected as often where a run comes once as where it comes all the time") {
  const auto inject = explore::make_strategy("inject", Seed{3});
  const auto departs = [&](std::uint32_t object) {
    return inject->choose({.point = kernel::ChoicePoint::cpu, .alternatives = 6, .object = object}) != 0 ? 1u : 0u;
  };
  constexpr std::uint32_t runs = 2000;
  std::uint32_t once = 0, at_first = 0, later = 0;
  for (std::uint64_t run = 0; run < runs; ++run) {
    inject->begin(run);
    once += departs(1);
    at_first += departs(2);
    for (int i = 0; i < 20; ++i) departs(2);
    later += departs(2);
  }
  // Of 2000 tries with probability 1/2 and 1/8, six deviations of the mean.
  CHECK(once > 865);
  CHECK(once < 1135);
  CHECK(at_first > 865);
  CHECK(at_first < 1135);
  CHECK(later > 160);
  CHECK(later < 340);
}

TEST_CASE("injected faults leave every second run alone, so that they hide no order") {
  const auto inject = explore::make_strategy("inject", Seed{3});
  std::uint32_t failed[2] = {};
  for (std::uint64_t run = 0; run < 100; ++run) {
    inject->begin(run);
    for (std::uint32_t object = 0; object < 4; ++object)
      failed[run % 2] +=
          inject->choose({.point = kernel::ChoicePoint::fault, .alternatives = 2, .object = object}) != 0 ? 1 : 0;
  }
  CHECK(failed[0] > 50);
  CHECK(failed[1] == 0);
}

TEST_CASE("every strategy finds a lost update, and none a bug that is not there") {
  const auto lost = [](const StraightLine::Final& final) { return final.words[1] != 2; };
  for (const explore::NamedStrategy& one : explore::strategies()) {
    INFO(one.name);
    const bool reaches = one.name != std::string("faults") && one.name != std::string("pct1");
    const StraightLine racing({{load(1), store_next(1)}, {load(1), store_next(1)}}, MemoryModel::sc, lost);
    CHECK((explore_all(racing, one.name, 500).found != 0) == reaches);
    const StraightLine counting({{add(1)}, {add(1)}}, MemoryModel::sc, lost);
    CHECK(explore_all(counting, one.name, 500).found == 0);
  }
}

TEST_CASE("input and faults are drawn too") {
  for (const explore::NamedStrategy& one : explore::strategies()) {
    INFO(one.name);
    const StraightLine program({{add(1), fails()}, {add(1)}}, MemoryModel::sc,
                               [](const StraightLine::Final& final) { return final.loaded[0][0] == 1; });
    CHECK(explore_all(program, one.name, 200).found != 0);
  }
}

TEST_CASE("a strategy of independent runs makes the same run from the same seed and number, in any order") {
  for (const explore::NamedStrategy& named : explore::strategies()) {
    StraightLine program = racy(3);
    const auto one = named.make(Seed{5});
    if (named.proves) continue;
    INFO(named.name);
    explore_runs(program, *one, 10);
    const std::string state = one->save();
    const Explored forward = explore_runs(program, *one, 50, 10);
    if (!one->independent_runs()) continue;
    const auto other = named.make(Seed{5});
    other->restore(state);
    CHECK(explore_runs(program, *other, 25, 35).schedules ==
          std::vector<explore::Deviations>(forward.schedules.begin() + 25, forward.schedules.end()));
    const auto another_seed = named.make(Seed{6});
    another_seed->restore(state);
    CHECK(explore_runs(program, *another_seed, 50, 10).schedules != forward.schedules);
  }
}

TEST_CASE("a strategy goes on in another process with the runs it would have made") {
  for (const explore::NamedStrategy& named : explore::strategies()) {
    INFO(named.name);
    StraightLine program(
        {{load(1), store_next(1), fails()}, {lock(2), add(1), unlock(2)}, {lock(2), input(2), unlock(2)}});
    const auto whole = named.make(Seed{9});
    const Explored expected = explore_runs(program, *whole, 40);
    for (std::uint64_t at = 1; at < expected.schedules.size(); ++at) {
      const auto first = named.make(Seed{9});
      std::vector<explore::Deviations> schedules = explore_runs(program, *first, at).schedules;
      const auto second = named.make(Seed{9});
      second->restore(first->save());
      const Explored rest = explore_runs(program, *second, 40 - at, at);
      schedules.insert(schedules.end(), rest.schedules.begin(), rest.schedules.end());
      INFO("stopped after run " << at);
      REQUIRE(schedules == expected.schedules);
    }
  }
}

TEST_CASE("a state that is cut short neither hangs nor crashes a strategy") {
  for (const explore::NamedStrategy& named : explore::strategies()) {
    INFO(named.name);
    StraightLine program = racy(2);
    const auto full = named.make(Seed{3});
    explore_runs(program, *full, 10);
    const std::string state = full->save();
    for (std::size_t length = 0; length + 1 < state.size(); ++length) {
      const auto cut = named.make(Seed{3});
      cut->restore(state.substr(0, length));
      cut->begin(10);
      program.run(*cut);
    }
  }
}
