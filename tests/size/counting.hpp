#pragma once
/// What a process takes: resident memory, and how often anybody asked the heap for memory.
#include <cstdint>
#include <fstream>
#include <string>

namespace vmbsim::testing {

/// Resident set in bytes. Source: proc(5), /proc/[pid]/statm: the second field, in pages.
inline std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

/// The most that was resident since forget_peak(). Source: proc(5), /proc/[pid]/status: VmHWM, and /proc/[pid]/clear_refs: 5.
inline std::int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      std::int64_t kib = 0;
      status >> kib;
      return kib * 1024;
    }
  return 0;
}
inline void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// Calls of operator new so far.
std::uint64_t allocations();

/// Sanitizers keep shadows of all memory, so bytes say nothing there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool memory_tells = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool memory_tells = false;
#else
inline constexpr bool memory_tells = true;
#endif
#else
inline constexpr bool memory_tells = true;
#endif

}  // namespace vmbsim::testing
