// A search in parts sees what the whole search sees, and as often.
#include <catch2/catch.hpp>

#include "tests/support/exploring.hpp"
#include "tests/support/random_programs.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

void add_up(std::map<std::string, std::uint64_t>& sum, const Explored& part) {
  for (const auto& [key, runs] : part.classes) sum[key] += runs;
}

/// Splits after `before` runs, and its parts again after one run each; the classes of all with their runs.
std::map<std::string, std::uint64_t> in_parts(const StraightLine& whole, const std::string& name, std::uint64_t before,
                                              std::size_t parts) {
  StraightLine program = whole;
  std::map<std::string, std::uint64_t> sum;
  const auto first = explore::make_strategy(name, Seed{1});
  add_up(sum, explore_runs(program, *first, before));
  const std::vector<std::string> states = explore::split(name, first->save(), parts);
  CHECK(states.size() <= parts);
  for (const std::string& state : states) {
    const auto part = explore::make_strategy(name, Seed{1});
    part->restore(state);
    add_up(sum, explore_runs(program, *part, 1));
    for (const std::string& smaller : explore::split(name, part->save(), 2)) {
      const auto last = explore::make_strategy(name, Seed{1});
      last->restore(smaller);
      add_up(sum, explore_runs(program, *last));
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("parts of a search add up to the serial search") {
  for (const char* name : {"dfs", "dpor", "odpor"})
    for (std::uint64_t number = 0; number < 60; ++number) {
      const std::vector<Thread> program =
          random_program(number, {.most_steps = 4, .locks = number % 3 == 0, .input = number % 4 == 0});
      INFO(name << ", program " << number << "\n" << text_of(program));
      const StraightLine line(program);
      const Explored serial = explore_all(line, name, 20'000);
      if (!serial.exhausted) continue;
      // Where somebody waits for ever, odpor may begin again and make runs twice.
      const bool again = serial.found != 0 && name == std::string("odpor");
      for (const std::uint64_t before : {1u, 2u, 7u})
        for (const std::size_t parts : {1u, 2u, 5u, 16u}) {
          const auto sum = in_parts(line, name, before, parts);
          if (again)
            CHECK(sum.size() == serial.classes.size());
          else
            CHECK(sum == serial.classes);
        }
    }
}

TEST_CASE("a wide search splits into as many parts as there are workers") {
  StraightLine program(threads(4, Thread(3, add(1))));
  for (const char* name : {"dfs", "dpor", "odpor"}) {
    const auto first = explore::make_strategy(name, Seed{1});
    explore_runs(program, *first, 1);
    CHECK(explore::split(name, first->save(), 8).size() == 8);
  }
}

TEST_CASE("what is not split comes back as it was") {
  CHECK(explore::split("random", "", 4) == std::vector<std::string>{""});
  CHECK(explore::split("dfs", explore::make_strategy("dfs", Seed{1})->save(), 4).size() == 1);
  CHECK(explore::split("delay", "1 2 3", 4) == std::vector<std::string>{"1 2 3"});
}
