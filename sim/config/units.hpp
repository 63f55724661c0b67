#pragma once
/// Text with a unit to exact integers, and back. No number passes through floating point: "1.5us" is 1500 ns, "0.3ns" is
/// refused because it is finer than a nanosecond, and what does not fit in 64 bits is refused, never wrapped.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "vmbsim/bytes.hpp"
#include "vmbsim/rate.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::config {

/// What is wrong with a text, and what would be right: `missing unit; write it as in "5us" (units: ns, us, ms, s)`.
struct UnitError {
  std::string text;
};

template <class T>
using Parsed = std::variant<T, UnitError>;

/// A whole number of bytes per second.
struct Bandwidth {
  std::int64_t bytes_per_s{};
  friend constexpr auto operator<=>(const Bandwidth&, const Bandwidth&) = default;
};

// A number is decimal digits with at most one point; a space may stand before the unit. None may be negative.
Parsed<Duration> parse_duration(std::string_view text);    ///< ns, us (or µs), ms, s
Parsed<Bytes> parse_bytes(std::string_view text);          ///< B, KiB, MiB, GiB, pages (of 4 KiB)
Parsed<Pages> parse_pages(std::string_view text);          ///< as bytes, but whole pages
Parsed<Rate> parse_rate(std::string_view text);            ///< /us, /ms, /s, /min, /h, each also with k or M in front
Parsed<Bandwidth> parse_bandwidth(std::string_view text);  ///< B/s, KiB/s, MiB/s, GiB/s, kB/s, MB/s, GB/s
Parsed<std::int64_t> parse_count(std::string_view text);   ///< a whole number without a unit

// The shortest exact text in the largest unit that leaves a whole number; reads back to the same value.
std::string to_text(Duration value);     ///< "1500ns", "20ms", "0ns"
std::string to_text(Bytes value);        ///< "4KiB", "600B"
std::string to_text(Pages value);        ///< "32 pages"
std::string to_text(const Rate& value);  ///< "20000/s", "0.5/s" where events over `per` has an exact text

}  // namespace vmbsim::config
