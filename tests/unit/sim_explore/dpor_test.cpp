// Partial-order reduction sees every class of schedules, and each once. The classes of programs with plain steps are their
// distinct (rf, co); the complete search, which knows nothing of independence, says which there are.
#include "sim/explore/dpor.hpp"

#include <catch2/catch.hpp>

#include "tests/support/exploring.hpp"
#include "tests/support/random_programs.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using explore::MemoryModel;

namespace {

/// Classes of the one that the other does not have.
std::vector<std::string> missing(const Explored& one, const Explored& other) {
  std::vector<std::string> keys;
  for (const auto& [key, runs] : one.classes)
    if (other.classes.count(key) == 0) keys.push_back(key);
  return keys;
}

struct Strictness {
  bool once = true;     ///< each class in one run
  bool optimal = true;  ///< by odpor too, and it gives up none, unless somebody can wait for ever
};

void sees_all(const StraightLine& program, const Strictness& strict) {
  const Explored every = explore_all(program, "dfs", 100'000);
  if (!every.exhausted) return;
  for (const char* name : {"dpor", "odpor"}) {
    INFO(name);
    const Explored reduced = explore_all(program, name, 100'000);
    CHECK(reduced.exhausted);
    CHECK(missing(every, reduced) == std::vector<std::string>{});
    CHECK(missing(reduced, every) == std::vector<std::string>{});
    CHECK((reduced.found != 0) == (every.found != 0));
    const bool optimal = name == std::string("odpor");
    if (strict.once && (!optimal || (strict.optimal && every.found == 0))) CHECK(reduced.runs == every.classes.size());
    if (optimal && strict.optimal && every.found == 0) CHECK(reduced.blocked == 0);
  }
}

}  // namespace

TEST_CASE("as many classes as theory counts") {
  struct Row {
    const char* name;
    std::vector<Thread> program;
    std::uint64_t classes;
  };
  // Source of ainc, read; write and lock: GenMC's expected files.
  const Row rows[] = {
      {"2x2 dependent", threads(2, Thread(2, add(1))), 6},
      {"2x3 dependent", threads(2, Thread(3, add(1))), 20},
      {"3x2 dependent", threads(3, Thread(2, add(1))), 90},
      {"2x2 independent", {{add(1), add(1)}, {add(2), add(2)}}, 1},
      {"ainc 2", threads(2, {add(1)}), 2},
      {"ainc 3", threads(3, {add(1)}), 6},
      {"ainc 5", threads(5, {add(1)}), 120},
      {"read; write 2", threads(2, {load(1), store_next(1)}), 4},
      {"read; write 3", threads(3, {load(1), store_next(1)}), 36},
      {"lock 2", threads(2, {lock(1), add(2), unlock(1)}), 2},
      {"lock 3", threads(3, {lock(1), add(2), unlock(1)}), 6},
      {"lock 4", threads(4, {lock(1), add(2), unlock(1)}), 24},
      {"lock 2 twice", threads(2, {lock(1), add(2), unlock(1), lock(1), add(2), unlock(1)}), 6},
  };
  for (const Row& row : rows)
    for (const char* name : {"dpor", "odpor"}) {
      INFO(row.name << " with " << name);
      const Explored all = explore_all(StraightLine(row.program), name);
      CHECK(all.exhausted);
      CHECK(all.runs == row.classes);
      CHECK(all.blocked == 0);
    }
}

TEST_CASE("a program without a question is one run") {
  for (const char* name : {"dfs", "delay", "preemption", "faults", "dpor", "odpor"}) {
    const Explored all = explore_all(StraightLine(threads(1, {})), name, 5);
    CHECK(all.runs == 1);
    CHECK(all.exhausted);
  }
}

TEST_CASE("a hundred independent threads are one run") {
  std::vector<Thread> program;
  for (std::uint32_t t = 0; t < 100; ++t) program.push_back({add(t + 1), load(t + 1)});
  const Explored all = explore_all(StraightLine(program), "odpor");
  CHECK(all.runs == 1);
  CHECK(all.exhausted);
}

TEST_CASE("random programs of loads, stores and interlocked operations have one run per class") {
  for (std::uint64_t number = 0; number < 300; ++number) {
    const std::vector<Thread> program = random_program(number, {});
    INFO("program " << number << "\n" << text_of(program));
    sees_all(StraightLine(program), {});
  }
}

TEST_CASE("random programs with locks have one run per class, deadlocks included") {
  for (std::uint64_t number = 0; number < 200; ++number) {
    const std::vector<Thread> program = random_program(number, {.most_steps = 5, .locks = true});
    INFO("program " << number << "\n" << text_of(program));
    sees_all(StraightLine(program), {});
  }
}

TEST_CASE("random programs that wait for each other lose no class") {
  for (std::uint64_t number = 0; number < 150; ++number) {
    const std::vector<Thread> program =
        random_program(number, {.most_threads = 4, .most_steps = 4, .locks = number % 2 == 0, .waits = true});
    INFO("program " << number << "\n" << text_of(program));
    StraightLine line(program);
    for (const std::uint32_t semaphore : {5u, 6u})
      if (text_of(program).find(' ' + std::to_string(semaphore) + '=') != std::string::npos)
        line.set(semaphore, number % 3);
    sees_all(line, {.optimal = false});
  }
}

TEST_CASE("threads that share processors, and stand still while one of them is at a raised level, lose no class") {
  for (std::uint64_t number = 0; number < 150; ++number) {
    const std::vector<Thread> program = random_program(
        number,
        {.most_threads = 4, .most_steps = 4, .locks = number % 3 == 0, .waits = number % 2 == 0, .levels = true});
    const auto processors = static_cast<std::uint32_t>(1 + number % 2);
    INFO(processors << " processors, program " << number << "\n" << text_of(program));
    StraightLine line(program);
    line.share(processors);
    // The order of steps on one processor counts, be it seen or not.
    sees_all(line, {.once = false, .optimal = false});
  }
}

TEST_CASE("random programs with input see each value with each class") {
  for (std::uint64_t number = 0; number < 150; ++number) {
    const std::vector<Thread> program = random_program(number, {.locks = true, .input = true});
    INFO("program " << number << "\n" << text_of(program));
    sees_all(StraightLine(program), {.optimal = false});
  }
}

TEST_CASE("random programs under weak memory models lose no class") {
  for (const MemoryModel model : {MemoryModel::tso, MemoryModel::pso})
    for (std::uint64_t number = 0; number < 80; ++number) {
      const std::vector<Thread> program =
          random_program(number, {.most_steps = 3, .locks = number % 3 == 0, .waits = number % 5 == 0, .fences = true});
      INFO(name_of(model) << ", program " << number << "\n" << text_of(program));
      StraightLine line(program, model);
      // A load of what the own buffer holds counts as a step on the word, so that classes may come twice.
      sees_all(line, {.once = false, .optimal = false});
    }
}

TEST_CASE("litmus tests have one run per class of their memory model") {
  struct Row {
    const char* name;
    std::vector<Thread> program;
    std::uint64_t classes[3];
  };
  // Source: bounded enumeration apart from this program; SB, MP, LB and IRIW under SC also GenMC's expected files.
  const Row rows[] = {
      {"SB", {{store(1, 1), load(2)}, {store(2, 1), load(1)}}, {3, 4, 4}},
      {"SB, fences", {{store(1, 1), fence(), load(2)}, {store(2, 1), fence(), load(1)}}, {3, 3, 3}},
      {"SB, one fence", {{store(1, 1), fence(), load(2)}, {store(2, 1), load(1)}}, {3, 4, 4}},
      {"MP", {{store(1, 1), store(2, 1)}, {load(2), load(1)}}, {3, 3, 4}},
      {"MP, fence", {{store(1, 1), fence(), store(2, 1)}, {load(2), load(1)}}, {3, 3, 3}},
      {"LB", {{load(1), store(2, 1)}, {load(2), store(1, 1)}}, {3, 3, 3}},
      {"CoRR", {{store(1, 1)}, {store(1, 2)}, {load(1), load(1)}}, {12, 12, 12}},
      {"IRIW", {{store(1, 1)}, {store(2, 1)}, {load(1), load(2)}, {load(2), load(1)}}, {15, 15, 15}},
  };
  for (const Row& row : rows)
    for (const MemoryModel model : {MemoryModel::sc, MemoryModel::tso, MemoryModel::pso})
      for (const char* name : {"dpor", "odpor"}) {
        INFO(row.name << " under " << explore::name_of(model) << " with " << name);
        const Explored all = explore_all(StraightLine(row.program, model), name);
        CHECK(all.exhausted);
        CHECK(all.runs == row.classes[static_cast<std::size_t>(model)]);
        CHECK(all.classes.size() == all.runs);
        CHECK(all.blocked == 0);
      }
}
