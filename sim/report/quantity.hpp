#pragma once
/// Figures as people read them: three significant digits, a unit, no locale.
#include <cstdint>
#include <string>

#include "vmbsim/bytes.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::report {

/// `value` with three significant digits: "0", "1.25", "12.5", "125", "12500". Not a number is "-".
std::string three_digits(double value);

/// Nanoseconds in the largest unit that leaves at least 1: "700 ns", "1.25 us", "96.5 ms", "12.0 s".
std::string duration_text(double nanoseconds);
/// "64 B", "1.25 KiB", "12.0 MiB", "3.00 GiB".
std::string bytes_text(double bytes);
/// A number of things per second: "950 /s", "20.0 k/s", "1.25 M/s".
std::string rate_text(double per_second);
/// "1,234,567": exact.
std::string count_text(std::uint64_t count);
/// A share of one as "12.5 %", one decimal.
std::string percent_text(double fraction);

}  // namespace vmbsim::report
