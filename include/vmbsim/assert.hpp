#pragma once
/// Assertions that are on in every build type: an impossible state stops the program at once, with a sentence.
#include <cstdio>
#include <cstdlib>

namespace vmbsim {
[[noreturn, gnu::cold, gnu::noinline]] inline void impossible(const char* sentence, const char* condition) {
  std::fprintf(stderr, "vmbsim: impossible state: %s (%s)\n", sentence, condition);
  std::abort();
}
}  // namespace vmbsim

/// VMBSIM_ASSERT(used <= size, "a ring holds at most its size")
#define VMBSIM_ASSERT(condition, sentence) \
  ((condition) ? static_cast<void>(0) : ::vmbsim::impossible(sentence, #condition))
