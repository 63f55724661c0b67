// Scheduling steps per second of bare harnesses under a random walk, with fingerprint, class and coverage of every run.
//
//   bench_hunt [SECONDS]      per program; 1 where it is not said
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdlib>

#include "models/harness/harness.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim;

namespace {

/// Every alternative is as likely as any other. A xorshift generator is enough here, and costs next to nothing.
class Walk final : public kernel::ChoiceSource {
 public:
  std::uint32_t choose(const kernel::Choice& choice) override {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::uint32_t>(((state_ >> 32) * choice.alternatives) >> 32);
  }

 private:
  std::uint64_t state_ = 0x2545f4914f6cdd1d;
};

template <int contexts, int operations>
void adds() {
  auto& word = hunt::make<hunt::Shared<int>>("word");
  for (int i = 0; i < contexts; ++i)
    hunt::thread("adder", [&word] {
      for (int k = 0; k < operations; ++k) word.fetch_add(1);
    });
}

template <int contexts, int rounds>
void locks() {
  auto& mutex = hunt::make<hunt::Mutex>("mutex");
  for (int i = 0; i < contexts; ++i)
    hunt::thread("locker", [&mutex] {
      for (int k = 0; k < rounds; ++k) {
        mutex.lock();
        mutex.unlock();
      }
    });
}

template <void (*set_up)()>
void enter(const vmbsim_hunt* table) {
  hunt::detail::now = table;
  set_up();
}

/// Of this process: others may have the machine, too.
double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec) + static_cast<double>(used.ru_utime.tv_usec) / 1e6;
}

void measure(const char* name, harness::Machine::Entry entry, double seconds) {
  harness::Harness program(name, entry, {});
  Walk walk;
  for (int warm = 0; warm < 100; ++warm) program.run(walk);
  std::uint64_t runs = 0, steps = 0;
  const double begin = processor_seconds();
  double passed = 0;
  while (passed < seconds) {
    for (int i = 0; i < 16; ++i, ++runs) steps += program.run(walk).steps;
    passed = processor_seconds() - begin;
  }
  fmt::print("{:<16}{:>14.0f}{:>14.2f}\n", name, static_cast<double>(runs) / passed,
             static_cast<double>(steps) / passed / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 1;
  fmt::print("{:<16}{:>14}{:>14}\n", "program", "schedules/s", "M steps/s");
  measure("adds 2 x 3", &enter<&adds<2, 3>>, seconds);
  measure("adds 3 x 10", &enter<&adds<3, 10>>, seconds);
  measure("adds 5 x 20", &enter<&adds<5, 20>>, seconds);
  measure("mutex 3 x 10", &enter<&locks<3, 10>>, seconds);
  measure("mutex 5 x 2000", &enter<&locks<5, 2000>>, seconds);
}
