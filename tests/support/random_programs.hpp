#pragma once
/// Small straight-line programs, drawn.
#include "sim/kernel/random.hpp"
#include "tests/support/straight_line.hpp"

namespace vmbsim::testing {

struct RandomProgram {
  std::size_t most_threads = 3;
  std::size_t most_steps = 4;  ///< of one thread
  bool locks = false;          ///< nested as it comes: some programs deadlock
  bool waits = false;          ///< spin-waits and semaphores, which nobody may ever satisfy
  bool input = false;
  bool fences = false;
  bool levels = false;  ///< stretches in which the others of the processor stand still
};

inline std::vector<Thread> random_program(std::uint64_t number, const RandomProgram& wanted) {
  kernel::Stream draw(Seed{number}, "random program", "steps");
  const auto below = [&](std::uint64_t bound) { return draw.below(bound); };
  // Words 1 and 2 are for loads and stores, 3 and 4 are locks, 5 and 6 semaphores.
  std::vector<Thread> program(2 + below(wanted.most_threads - 1));
  for (Thread& thread : program) {
    std::vector<std::uint32_t> held;
    bool raised = false;
    const std::size_t steps = 1 + below(wanted.most_steps);
    while (thread.size() < steps) {
      const auto word = static_cast<std::uint32_t>(1 + below(2));
      const std::uint64_t what = below(12);
      if (what < 3) {
        thread.push_back(load(word));
      } else if (what < 6) {
        thread.push_back(store(word, 1 + below(2)));
      } else if (what == 6) {
        thread.push_back(add(word));
      } else if (what <= 8 && wanted.locks) {
        const auto mutex = static_cast<std::uint32_t>(3 + below(2));
        if (std::find(held.begin(), held.end(), mutex) == held.end()) {
          thread.push_back(lock(mutex));
          held.push_back(mutex);
        } else {
          thread.push_back(unlock(mutex));
          held.erase(std::find(held.begin(), held.end(), mutex));
        }
      } else if (what == 9 && wanted.waits) {
        thread.push_back(await(word, below(3)));
      } else if (what >= 10 && wanted.waits) {
        const auto semaphore = static_cast<std::uint32_t>(5 + below(2));
        thread.push_back(what == 10 ? take(semaphore) : add(semaphore));
      } else if (what == 11 && wanted.input) {
        thread.push_back(input(2));
      } else if (what == 10 && wanted.levels) {
        thread.push_back(raised ? lower() : raise());
        raised = !raised;
      } else if (what == 11 && wanted.fences) {
        thread.push_back(fence());
      }
    }
    if (raised) thread.push_back(lower());
    // Most locks are given back, not all.
    for (; !held.empty(); held.pop_back())
      if (below(8) != 0) thread.push_back(unlock(held.back()));
  }
  return program;
}

inline std::string text_of(const std::vector<Thread>& program) {
  static constexpr const char* names[] = {"load",  "store", "store_next", "add",   "lock",  "unlock", "fence",
                                          "await", "take",  "input",      "raise", "lower", "fails"};
  std::string text;
  for (const Thread& thread : program) {
    for (const Op& op : thread)
      text += std::string(names[static_cast<std::size_t>(op.kind)]) + ' ' + std::to_string(op.object) + '=' +
              std::to_string(op.value) + "; ";
    text += "\n";
  }
  return text;
}

}  // namespace vmbsim::testing
