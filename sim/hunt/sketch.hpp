#pragma once
/// How often equivalence classes of runs were met, from a fixed sample of the classes.
///
/// The sample is the classes with the smallest numbers, which are hashes: whatever was dropped has a larger number than all that
/// are kept, so the counts of the kept ones are exact, and merging is commutative and associative.
/// Source: Bar-Yossef et al., "Counting distinct elements in a data stream", RANDOM'02; Good, "The population frequencies of
/// species and the estimation of population parameters", Biometrika 40, 1953.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace vmbsim::hunt {

class Sketch {
 public:
  static constexpr std::size_t capacity = 256;

  void add(std::uint64_t trace_class, std::uint64_t times = 1) {
    if (classes_.size() == capacity && trace_class > classes_.rbegin()->first) return;
    classes_[trace_class] += times;
    if (classes_.size() > capacity) classes_.erase(std::prev(classes_.end()));
  }
  void merge(const Sketch& other) {
    for (const auto& [number, times] : other.classes_) add(number, times);
  }
  /// Estimated probability, in millionths, that the next run is of a class that was never met. Nothing before the first run.
  std::optional<std::uint32_t> unseen_ppm() const {
    std::uint64_t once = 0;
    std::uint64_t runs = 0;
    for (const auto& [number, times] : classes_) {
      runs += times;
      once += times == 1;
    }
    if (runs == 0) return std::nullopt;
    return static_cast<std::uint32_t>(once * 1'000'000 / runs);
  }
  const std::map<std::uint64_t, std::uint64_t>& classes() const { return classes_; }

 private:
  std::map<std::uint64_t, std::uint64_t> classes_;  // number -> times
};

}  // namespace vmbsim::hunt
