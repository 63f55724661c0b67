#pragma once
/// A rate as an exact ratio: so many events in so much time.
#include <cstdint>

#include "vmbsim/time.hpp"

namespace vmbsim {

/// `events` per `per`. Both positive. 20000/s is {20000, 1s}.
struct Rate {
  std::int64_t events{};
  Duration per{std::chrono::seconds{1}};
  /// Mean gap between events, rounded to the nearest nanosecond.
  constexpr Duration mean_gap() const { return Duration{(per.count() + events / 2) / events}; }
};

}  // namespace vmbsim
