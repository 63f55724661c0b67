// Complete and bounded searches see every schedule, and each once. Counts: closed forms, and Abdulla and others' examples
// counted by an enumeration that was written apart from this program.
#include "sim/explore/search.hpp"

#include <catch2/catch.hpp>

#include "tests/support/exploring.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using explore::MemoryModel;
using explore::Search;

namespace {

// (n m)! / (m!)^n
std::uint64_t interleavings(std::uint64_t n, std::uint64_t m) {
  std::uint64_t all = 1;
  for (std::uint64_t thread = 1; thread < n; ++thread)  // choose places for m more among those there are
    for (std::uint64_t i = 1; i <= m; ++i) all = all * (thread * m + i) / i;
  return all;
}

/// Runs by their own count of something, at each bound those that no smaller one has.
std::vector<std::uint64_t> by_bound(std::vector<Thread> threads, Search::Bound bound) {
  StraightLine program(std::move(threads));
  Search search(bound);
  std::vector<std::uint64_t> counts;
  for (std::uint64_t run = 0; search.begin(run); ++run) {
    const explore::Outcome& outcome = program.run(search);
    if (bound == Search::Bound::preemptions) CHECK(outcome.preemptions == search.spent());
    if (search.spent() == search.bound()) {
      counts.resize(search.bound() + 1);
      ++counts[search.bound()];
    }
    search.end(outcome, {});
  }
  CHECK(search.covered() == "every schedule");
  return counts;
}

using Counts = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("the complete search makes every interleaving once") {
  struct Row {
    std::size_t n, m;
  };
  for (const auto& [n, m] : {Row{2, 2}, Row{2, 3}, Row{3, 2}, Row{2, 8}, Row{4, 2}, Row{3, 4}}) {
    INFO(n << " threads, " << m << " steps");
    const Explored all = explore_all(StraightLine(threads(n, Thread(m, add(1)))), "dfs");
    CHECK(all.exhausted);
    CHECK(all.runs == interleavings(n, m));
    CHECK(all.classes.size() == all.runs);  // additions to one word: the order of each two is seen
    CHECK(std::set<std::size_t>{0} == std::set<std::size_t>{all.blocked});
  }
  CHECK(interleavings(2, 2) == 6);
  CHECK(interleavings(2, 3) == 20);
  CHECK(interleavings(3, 2) == 90);
}

TEST_CASE("what is independent has as many interleavings and one class") {
  const Explored all = explore_all(StraightLine({{add(1), add(1)}, {add(2), add(2)}}), "dfs");
  CHECK(all.runs == 6);
  CHECK(all.classes.size() == 1);
}

TEST_CASE("interleavings respect locks") {
  const Thread thread{lock(1), add(2), unlock(1)};
  CHECK(explore_all(StraightLine(threads(2, thread)), "dfs").runs == 2);
  CHECK(explore_all(StraightLine(threads(3, thread)), "dfs").runs == 6);
  CHECK(explore_all(StraightLine(threads(4, thread)), "dfs").runs == 24);
}

TEST_CASE("schedules are seen by their number of pre-emptions, few first") {
  CHECK(by_bound(threads(2, Thread(2, add(1))), Search::Bound::preemptions) == Counts{2, 2, 2});
  CHECK(by_bound(threads(2, Thread(3, add(1))), Search::Bound::preemptions) == Counts{2, 4, 8, 4, 2});
}

TEST_CASE("schedules are seen by their number of delays, few first") {
  CHECK(by_bound(threads(2, Thread(2, add(1))), Search::Bound::delays) == Counts{1, 2, 2, 1});
  CHECK(by_bound(threads(2, Thread(3, add(1))), Search::Bound::delays) == Counts{1, 3, 6, 6, 3, 1});
}

TEST_CASE("bounds that grow to the end add up to every interleaving") {
  for (const Search::Bound bound : {Search::Bound::delays, Search::Bound::preemptions}) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : by_bound(threads(3, Thread(3, add(1))), bound)) sum += count;
    CHECK(sum == interleavings(3, 3));
  }
}

TEST_CASE("a bounded search says what it has covered so far") {
  StraightLine program(threads(2, Thread(3, add(1))));
  Search search(Search::Bound::delays);
  CHECK(search.covered().empty());
  explore_runs(program, search, 1);
  CHECK(search.covered() == "every schedule with at most 0 delays");
  explore_runs(program, search, 4);
  CHECK(search.covered() == "every schedule with at most 1 delays");
}

TEST_CASE("input and faults use up no bound: all of them are seen with each schedule") {
  const StraightLine program({{input(3), add(1)}, {add(1), fails()}});
  CHECK(explore_all(program, "dfs").runs == 2 * 3 * 2);
  StraightLine again = program;
  Search search(Search::Bound::delays);
  const Explored none = explore_runs(again, search, 6);
  CHECK(search.bound() == 1);
  CHECK(none.registers.size() == 6);
}

TEST_CASE("faults are tried one by one in the plain schedule, then two by two") {
  StraightLine program({{fails(), add(1), fails(), fails()}, {add(1), fails()}});
  Search search(Search::Bound::faults);
  std::vector<std::size_t> faults;
  for (std::uint64_t run = 0; search.begin(run); ++run) {
    Recording recording(search);
    const explore::Outcome& outcome = program.run(recording);
    if (search.spent() == search.bound()) faults.push_back(recording.deviations.size());
    for (const explore::Deviation& one : recording.deviations) CHECK(one.point == kernel::ChoicePoint::fault);
    search.end(outcome, recording.deviations);
  }
  CHECK(faults == std::vector<std::size_t>{0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2});
}

TEST_CASE("a run that is cut leaves nothing proven") {
  StraightLine program(threads(2, Thread(3, add(1))));
  program.limit(3);
  Search search(Search::Bound::none);
  CHECK(explore_runs(program, search).exhausted);
  CHECK(search.covered().empty());
}

TEST_CASE("litmus tests have the outcomes and the schedules of their memory model") {
  // x and y are words 1 and 2. Source: Sewell et al., "x86-TSO"; the counts of schedules: multinomials by hand.
  struct Row {
    const char* name;
    std::vector<Thread> program;
    std::uint64_t sc_runs;
    std::size_t outcomes[3];
    std::size_t classes[3];
    std::uint64_t tso_runs;
  };
  const Row rows[] = {
      {"SB", {{store(1, 1), load(2)}, {store(2, 1), load(1)}}, 6, {3, 4, 4}, {3, 4, 4}, 80},
      {"SB, fences", {{store(1, 1), fence(), load(2)}, {store(2, 1), fence(), load(1)}}, 20, {3, 3, 3}, {3, 3, 3}, 70},
      {"SB, one fence", {{store(1, 1), fence(), load(2)}, {store(2, 1), load(1)}}, 10, {3, 4, 4}, {3, 4, 4}, 70},
      {"MP", {{store(1, 1), store(2, 1)}, {load(2), load(1)}}, 6, {3, 3, 4}, {3, 3, 4}, 30},
      {"MP, fence", {{store(1, 1), fence(), store(2, 1)}, {load(2), load(1)}}, 10, {3, 3, 3}, {3, 3, 3}, 21},
      {"LB", {{load(1), store(2, 1)}, {load(2), store(1, 1)}}, 6, {3, 3, 3}, {3, 3, 3}, 20},
      {"CoRR", {{store(1, 1)}, {store(1, 2)}, {load(1), load(1)}}, 12, {7, 7, 7}, {12, 12, 12}, 90},
      {"IRIW",
       {{store(1, 1)}, {store(2, 1)}, {load(1), load(2)}, {load(2), load(1)}},
       180,
       {15, 15, 15},
       {15, 15, 15},
       2520},
  };
  for (const Row& row : rows)
    for (const MemoryModel model : {MemoryModel::sc, MemoryModel::tso, MemoryModel::pso}) {
      INFO(row.name << " under " << name_of(model));
      const Explored all = explore_all(StraightLine(row.program, model), "dfs");
      const auto column = static_cast<std::size_t>(model);
      CHECK(all.registers.size() == row.outcomes[column]);
      CHECK(all.classes.size() == row.classes[column]);
      if (model == MemoryModel::sc) CHECK(all.runs == row.sc_runs);
      if (model == MemoryModel::tso) CHECK(all.runs == row.tso_runs);
    }
}
