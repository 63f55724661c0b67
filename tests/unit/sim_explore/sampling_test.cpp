// What is drawn is drawn with the probabilities that theory gives.
#include <catch2/catch.hpp>

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

TEST_CASE("a strategy that draws makes the same run from the same seed and number, in any order") {
  for (const char* name : {"random"}) {
    INFO(name);
    StraightLine program = racy(3);
    const auto one = explore::make_strategy(name, Seed{5});
    const auto other = explore::make_strategy(name, Seed{5});
    const auto another_seed = explore::make_strategy(name, Seed{6});
    const Explored forward = explore_runs(program, *one, 50);
    CHECK(explore_runs(program, *other, 25, 25).schedules ==
          std::vector<explore::Deviations>(forward.schedules.begin() + 25, forward.schedules.end()));
    CHECK(explore_runs(program, *another_seed, 50).schedules != forward.schedules);
  }
}
