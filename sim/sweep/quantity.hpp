#pragma once
/// A scenario value as a number that can be compared and ordered: "64KiB" is more than "60KiB", "2ms" more than "15us".
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace vmbsim::sweep {

struct Quantity {
  enum class Kind : std::uint8_t { number, time, size, rate, text };
  Kind kind = Kind::text;
  double number = 0;  ///< nanoseconds, bytes, events per second, or as it stands
  std::string text;   ///< without the quotes; the whole value where it is no number
};

/// Of a value's TOML text, or of one that a shell took the quotes from.
Quantity quantity_of(std::string_view value);

/// `a number`, `a duration`: for messages.
const char* name_of(Quantity::Kind kind);

/// One text for all spellings of a value: "64KiB" and "16 pages", with or without quotes.
std::string canonical(std::string_view value);

/// By number where both are of one kind, else by text: an order that no two different values share.
std::strong_ordering compare(const std::string& a, const std::string& b);

/// `value` without the quotes that TOML wants around text.
std::string plain_text(std::string_view value);

}  // namespace vmbsim::sweep
