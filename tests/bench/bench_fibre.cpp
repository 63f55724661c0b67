/// An execution context of the kernel against the bare context switch that it is made of.
///
///   round trip   driver ──resume──► body ──suspend──► driver            Fiber        two jump_fcontext
///   whole life   stack from the pool ──► start ──resume──► body ends ──► stack to the pool
///
///   bench_fibre [ROUNDS]      5 rounds unless told; exit status 0 only when every goal holds
///
/// Both sides run on stacks of the same StackPool, in turn, round after round. CPU time per turn, medians over the rounds.
#include <boost/context/detail/fcontext.hpp>
#include <cstdlib>

#include "sim/kernel/fiber.hpp"
#include "tests/bench/harness.hpp"

namespace vmbsim::bench {
namespace {

namespace context = boost::context::detail;
using kernel::Fiber;
using kernel::StackPool;

constexpr std::uint64_t turns = 5'000'000;
constexpr std::uint64_t lives = 2'000'000;

/// CPU time of one of `count` calls, in nanoseconds.
template <class Body>
double ns_each(std::uint64_t count, Body body) {
  const std::int64_t start = cpu_ns();
  for (std::uint64_t i = 0; i != count; ++i) body();
  return static_cast<double>(cpu_ns() - start) / static_cast<double>(count);
}

context::fcontext_t on(std::byte* stack, void (*body)(context::transfer_t)) {
  return context::make_fcontext(stack + StackPool::stack_bytes, StackPool::stack_bytes, body);
}

double fiber_turn(StackPool& stacks) {
  Fiber fiber(stacks);
  fiber.start(
      [](void* self) {
        for (;;) static_cast<Fiber*>(self)->suspend();
      },
      &fiber);
  fiber.resume();
  return ns_each(turns, [&] { fiber.resume(); });
}

double bare_turn(StackPool& stacks) {
  std::byte* const stack = stacks.take();
  context::fcontext_t inside = on(stack, [](context::transfer_t from) {
    for (;;) from = context::jump_fcontext(from.fctx, nullptr);
  });
  const double each = ns_each(turns, [&] { inside = context::jump_fcontext(inside, nullptr).fctx; });
  stacks.give_back(stack);
  return each;
}

double fiber_life(StackPool& stacks) {
  std::uint64_t ran = 0;
  const double each = ns_each(lives, [&] {
    Fiber fiber(stacks);
    fiber.start([](void* count) { ++*static_cast<std::uint64_t*>(count); }, &ran);
    fiber.resume();
  });
  return ran == lives ? each : 0;
}

double bare_life(StackPool& stacks) {
  std::uint64_t ran = 0;
  const double each = ns_each(lives, [&] {
    std::byte* const stack = stacks.take();
    context::jump_fcontext(on(stack,
                              [](context::transfer_t from) {
                                ++*static_cast<std::uint64_t*>(from.data);
                                context::jump_fcontext(from.fctx, nullptr);
                              }),
                           &ran);
    stacks.give_back(stack);
  });
  return ran == lives ? each : 0;
}

/// One line of the table and its goal.
void compare(const char* what, int rounds, double (*ours)(StackPool&), double (*bare)(StackPool&), Verdicts& verdicts) {
  StackPool stacks;
  std::vector<double> fiber, plain;
  for (int round = 0; round != rounds; ++round) {
    fiber.push_back(ours(stacks));
    plain.push_back(bare(stacks));
  }
  const double ratio = median(fiber) / median(plain);
  fmt::print("{:<12}{:>12.2f}{:>12.2f}{:>10.2f}\n", what, median(fiber), median(plain), ratio);
  verdicts.at_most(fmt::format("{}: Fiber over bare Boost.Context", what), ratio, 2);
}

}  // namespace
}  // namespace vmbsim::bench

int main(int argc, char** argv) {
  using namespace vmbsim::bench;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  if (rounds < 1) {
    fmt::print(stderr, "usage: bench_fibre [ROUNDS]\n");
    return 2;
  }
  Verdicts verdicts;
  fmt::print("{:<12}{:>12}{:>12}{:>10}\n", "ns each", "Fiber", "bare", "ratio");
  compare("round trip", rounds, fiber_turn, bare_turn, verdicts);
  compare("whole life", rounds, fiber_life, bare_life, verdicts);
  fmt::print("\n");
  verdicts.print();
  return verdicts.exit_status();
}
