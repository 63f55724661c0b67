#include "sim/report/quantity.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <span>

namespace vmbsim::report {
namespace {

struct Unit {
  const char* name;
  double size;
};

// From the smallest unit up. A value that rounds to the next unit's 1.00 is written in that unit: 999.6 ns is 1.00 us.
std::string in_units(double value, std::span<const Unit> units, double step) {
  if (!std::isfinite(value)) return "-";
  const Unit* unit = &units.front();
  for (const Unit& larger : units.subspan(1)) {
    const bool rounds_up = step == 1000 && value / unit->size >= 999.5;
    if (value >= larger.size || rounds_up) unit = &larger;
  }
  const double scaled = value / unit->size;
  const bool whole = unit == &units.front() && scaled == std::floor(scaled);
  return (whole ? fmt::format("{:.0f}", scaled) : three_digits(scaled)) + " " + unit->name;
}

}  // namespace

std::string three_digits(double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::fabs(value);
  if (size == 0) return "0";
  if (size < 9.995) return fmt::format("{:.2f}", value);
  if (size < 99.95) return fmt::format("{:.1f}", value);
  return fmt::format("{:.0f}", value);
}

std::string duration_text(double nanoseconds) {
  static constexpr std::array units{Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}};
  return in_units(nanoseconds, units, 1000);
}

std::string bytes_text(double bytes) {
  static constexpr std::array units{Unit{"B", 1}, Unit{"KiB", 1024}, Unit{"MiB", 1048576}, Unit{"GiB", 1073741824},
                                    Unit{"TiB", 1099511627776}};
  return in_units(bytes, units, 1024);
}

std::string rate_text(double per_second) {
  static constexpr std::array units{Unit{"/s", 1}, Unit{"k/s", 1e3}, Unit{"M/s", 1e6}, Unit{"G/s", 1e9}};
  return in_units(per_second, units, 1000);
}

std::string count_text(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t from_end = 3; from_end < text.size(); from_end += 4) text.insert(text.size() - from_end, ",");
  return text;
}

std::string percent_text(double fraction) {
  return std::isfinite(fraction) ? fmt::format("{:.1f} %", fraction * 100) : "-";
}

}  // namespace vmbsim::report
