// Fibres and their stacks.
// Source: design of Boost.Context's fcontext; mmap(2) and mprotect(2) for the guard page.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <set>
#include <vector>

#include "sim/kernel/fiber.hpp"

using vmbsim::kernel::Fiber;
using vmbsim::kernel::StackPool;

namespace {

/// A body that notes its steps and suspends between them.
struct Steps {
  Fiber& fiber;
  int count;
  std::vector<int> done{};
  static void run(void* object) {
    auto& self = *static_cast<Steps*>(object);
    for (int i = 1; i <= self.count; ++i) {
      self.done.push_back(i);
      if (i != self.count) self.fiber.suspend();
    }
  }
};

/// How a child process that runs `story` ends: the signal that killed it, 0 when it came to its end.
template <class Story>
int killed_by(const Story& story) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);  // Catch's handler would try to report, on a stack that is full
    std::signal(SIGBUS, SIG_DFL);
    std::signal(SIGABRT, SIG_DFL);
    ::close(1);
    ::close(2);
    story();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) return WTERMSIG(status);
  return WEXITSTATUS(status) == 0 ? 0 : SIGABRT;  // a sanitizer reports and exits
}

/// Recursion the compiler cannot turn into a loop.
int deep(int depth, volatile char* above) {
  volatile char frame[1024];
  frame[0] = above != nullptr ? above[0] : char{1};
  return depth == 0 ? frame[0] : deep(depth - 1, frame) + frame[0];
}

}  // namespace

TEST_CASE("nothing runs before the first resume, each resume runs to the next suspend, the last to the end") {
  StackPool stacks;
  Fiber fiber(stacks);
  CHECK(fiber.finished());
  Steps steps{fiber, 3};
  fiber.start(&Steps::run, &steps);
  CHECK(!fiber.finished());
  CHECK(steps.done.empty());
  fiber.resume();
  CHECK(steps.done == std::vector<int>{1});
  fiber.resume();
  CHECK(!fiber.finished());
  fiber.resume();
  CHECK(steps.done == std::vector<int>{1, 2, 3});
  CHECK(fiber.finished());
}

TEST_CASE("a fibre can be started again and again, on the same stack") {
  StackPool stacks;
  Fiber fiber(stacks);
  std::set<const void*> places;
  for (int i = 0; i < 1000; ++i) {
    fiber.start(
        [](void* object) {
          int local = 0;
          static_cast<std::set<const void*>*>(object)->insert(__builtin_frame_address(0));
          static_cast<void>(local);
        },
        &places);
    fiber.resume();
    REQUIRE(fiber.finished());
  }
  CHECK(places.size() == 1);
}

TEST_CASE("what a body keeps in its frame survives while others run") {
  StackPool stacks;
  struct Summing {
    Fiber fiber;
    long result = 0;
    static void run(void* object) {
      auto& self = *static_cast<Summing*>(object);
      std::array<long, 100> kept{};
      double product = 1;
      for (std::size_t i = 0; i < kept.size(); ++i) {
        kept[i] = static_cast<long>(i);
        product *= 1.01;
        self.fiber.suspend();
      }
      for (const long each : kept) self.result += each;
      if (product < 2.7 || product > 2.71) self.result = -1;  // 1.01 to the power 100 is 2.7048
    }
  };
  std::vector<std::unique_ptr<Summing>> all;
  for (int i = 0; i < 50; ++i) {
    all.push_back(std::unique_ptr<Summing>(new Summing{Fiber(stacks)}));
    all.back()->fiber.start(&Summing::run, all.back().get());
  }
  for (int round = 0; round <= 100; ++round)
    for (auto& each : all) each->fiber.resume();
  for (auto& each : all) {
    CHECK(each->fiber.finished());
    CHECK(each->result == 4950);
  }
}

TEST_CASE("a stack that is given back serves the next fibre, also when its body was abandoned") {
  StackPool stacks;
  const auto place_of_next = [&stacks](bool abandoned) {
    Fiber fiber(stacks);
    struct Place {
      Fiber& fiber;
      bool abandoned;
      const void* at = nullptr;
    } place{fiber, abandoned};
    fiber.start(
        [](void* object) {
          auto& self = *static_cast<Place*>(object);
          self.at = __builtin_frame_address(0);
          if (self.abandoned) self.fiber.suspend();
        },
        &place);
    fiber.resume();
    CHECK(fiber.finished() == !abandoned);
    return place.at;
  };
  const void* first = place_of_next(false);
  CHECK(place_of_next(true) == first);
  CHECK(place_of_next(false) == first);
}

TEST_CASE("a fibre that never started takes no stack") {
  StackPool stacks;
  const Fiber idle(stacks);
  std::byte* first = stacks.take();
  stacks.give_back(first);
  CHECK(stacks.take() == first);
  stacks.give_back(first);
}

TEST_CASE("stacks do not overlap, and the whole of one can be used") {
  StackPool stacks;
  std::vector<std::byte*> all;
  for (int i = 0; i < 20; ++i) all.push_back(stacks.take());
  for (std::byte* stack : all) {
    stack[0] = std::byte{1};
    stack[StackPool::stack_bytes - 1] = std::byte{2};
  }
  std::vector<std::byte*> sorted = all;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 1; i < sorted.size(); ++i)
    CHECK(static_cast<std::size_t>(sorted[i] - sorted[i - 1]) > StackPool::stack_bytes);  // a guard page between them
  for (std::byte* stack : all) stacks.give_back(stack);
}

TEST_CASE("a body that needs more than its stack is stopped by the guard page, not left to overwrite its neighbour") {
  const auto recurse = [](int depth) {
    StackPool stacks;
    Fiber fiber(stacks);
    fiber.start([](void* given) { deep(*static_cast<int*>(given), nullptr); }, &depth);
    fiber.resume();
  };
  CHECK(killed_by([&] { recurse(50); }) == 0);  // well within
  const int signal = killed_by([&] { recurse(100'000); });
  CHECK((signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT));
  const int touched = killed_by([] {
    StackPool stacks;
    static_cast<volatile std::byte*>(stacks.take())[-1] = std::byte{1};
  });
  CHECK((touched == SIGSEGV || touched == SIGBUS || touched == SIGABRT));
}

TEST_CASE("starting a fibre whose body has not ended stops the program") {
  CHECK(killed_by([] {
          StackPool stacks;
          Fiber fiber(stacks);
          Steps steps{fiber, 2};
          fiber.start(&Steps::run, &steps);
          fiber.start(&Steps::run, &steps);
        }) == SIGABRT);
}
