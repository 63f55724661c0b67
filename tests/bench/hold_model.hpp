#pragma once
/// The hold model, as every engine under test runs it.
///
///   N items, each with one pending event:
///     item ──event at t──► count it ──► next event of the same item at t + gap[k],  k = number of the event
///
/// The gaps are drawn before the clock is read and are the same for every engine, so two engines that order events alike
/// run the same events. Source: Jones, "An empirical comparison of priority-queue and event-set implementations", 1986.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "tests/bench/harness.hpp"

namespace vmbsim::bench {

/// How far ahead an event schedules its successor.
enum class Shape { exponential, uniform, bimodal, equal, cancelled };

/// All of mean 1 ms but bimodal (1 us or 1 s) and equal (exactly 1 ms: all events of a round at one instant).
class HoldModel {
 public:
  /// Arguments: number of items, events to measure, shape. Exits with a sentence when they make no sense.
  HoldModel(int argc, char** argv) {
    if (argc != 4) fail("usage: ITEMS EVENTS exponential|uniform|bimodal|equal|cancelled");
    items = std::strtoull(argv[1], nullptr, 10);
    measured = std::strtoull(argv[2], nullptr, 10);
    if (items == 0 || measured == 0) fail("ITEMS and EVENTS are at least 1");
    const std::string_view name = argv[3];
    shape = name == "exponential" ? Shape::exponential
            : name == "uniform"   ? Shape::uniform
            : name == "bimodal"   ? Shape::bimodal
            : name == "equal"     ? Shape::equal
            : name == "cancelled" ? Shape::cancelled
                                  : (fail("unknown shape"), Shape::equal);
    warm_up = items > measured / 10 ? items : measured / 10;
    for (std::int64_t& gap : gaps_) gap = draw();
  }

  /// In nanoseconds.
  std::int64_t next_gap() { return gaps_[used_++ & (gaps_.size() - 1)]; }

  /// Called for every event that runs. False when it was the last one.
  bool count(std::int64_t time, std::uint64_t item) {
    order_ = (order_ ^ static_cast<std::uint64_t>(time) ^ (item << 40)) * 0x9E3779B97F4A7C15u;
    if (++events_ == warm_up) started_ = cpu_ns();
    if (events_ != warm_up + measured) return true;
    ended_ = cpu_ns();
    return false;
  }

  /// One line for the driver: ns per event, a digest of the order of events, and another figure or 0.
  void report(double other = 0) const {
    std::printf("%.3f %016llx %.3f\n", static_cast<double>(ended_ - started_) / static_cast<double>(measured),
                static_cast<unsigned long long>(order_), other);
  }

  std::uint64_t items = 0;
  std::uint64_t measured = 0;  ///< events between the two looks at the clock
  std::uint64_t warm_up = 0;   ///< events before the first
  Shape shape{};

 private:
  [[noreturn]] static void fail(const char* sentence) {
    std::fprintf(stderr, "%s\n", sentence);
    std::exit(2);
  }
  std::uint64_t next_random() {  // SplitMix64
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  std::int64_t draw() {
    const double u = (static_cast<double>(next_random() >> 11) + 0.5) * 0x1p-53;
    switch (shape) {
      case Shape::exponential:
      case Shape::cancelled: return static_cast<std::int64_t>(-std::log(u) * 1e6);
      case Shape::uniform: return static_cast<std::int64_t>(u * 2e6);
      case Shape::bimodal: return u < 0.5 ? 1'000 : 1'000'000'000;
      case Shape::equal: break;
    }
    return 1'000'000;
  }

  std::vector<std::int64_t> gaps_ = std::vector<std::int64_t>(std::size_t{1} << 16);
  std::uint64_t used_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t state_ = 42;
  std::int64_t started_ = 0;
  std::int64_t ended_ = 0;
};

}  // namespace vmbsim::bench
