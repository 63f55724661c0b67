#pragma once
/// A rate as an exact ratio: so many events in so much time.
#include <cstdint>
#include <limits>

#include "vmbsim/time.hpp"

namespace vmbsim {

/// `events` per `per`. Both positive, unless said otherwise where it is used. 20000/s is {20000, 1s}.
struct Rate {
  std::int64_t events{};
  Duration per{std::chrono::seconds{1}};
  /// Mean gap between events, rounded to the nearest nanosecond; not for a rate of 0 events.
  constexpr Duration mean_gap() const { return Duration{(per.count() + events / 2) / events}; }
  /// Mean gap between events in nanoseconds, not rounded to whole ones: for samplers. Infinite at 0 events.
  constexpr double mean_gap_ns() const {
    return events == 0 ? std::numeric_limits<double>::infinity()
                       : static_cast<double>(per.count()) / static_cast<double>(events);
  }
};

}  // namespace vmbsim
