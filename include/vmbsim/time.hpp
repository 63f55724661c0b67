#pragma once
/// Simulated time: integer nanoseconds in two strong types.
///
///   SimTime t = start + 5us;          // std::chrono literals work, a bare number does not
///   Duration d = t - start;           // d.count() is nanoseconds
#include <chrono>
#include <cstdint>
#include <limits>

namespace vmbsim {

using namespace std::chrono_literals;  // NOLINT: the literals are part of the vocabulary

/// Signed span of simulated time. Integer nanoseconds, never floating point.
using Duration = std::chrono::duration<std::int64_t, std::nano>;

/// The simulated clock. It has no now(): only the kernel knows what time it is.
struct SimClock {
  using duration = Duration;
  using rep = Duration::rep;
  using period = Duration::period;
  using time_point = std::chrono::time_point<SimClock>;
  static constexpr bool is_steady = true;
};

/// A point in simulated time, counted from the start of the run. Range: 0 to about 292 years.
using SimTime = SimClock::time_point;

inline constexpr SimTime start_of_time{};
inline constexpr SimTime end_of_time{Duration{std::numeric_limits<std::int64_t>::max()}};

/// Nothing happens after it: a run without an end stops there, far enough from `end_of_time` (266 days) that what an event
/// adds to the time of day does not overflow.
inline constexpr SimTime last_moment{std::chrono::seconds{9'200'000'000}};

/// Nanoseconds since the start of the run, for text and files.
constexpr std::int64_t nanoseconds(SimTime t) { return t.time_since_epoch().count(); }

/// `t + d`, held at the end of time instead of overflowing. `d` must not be negative.
constexpr SimTime saturating_add(SimTime t, Duration d) { return d > end_of_time - t ? end_of_time : t + d; }

}  // namespace vmbsim
