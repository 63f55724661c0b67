#pragma once
/// Bad input as values: where, what, and what would be right. Problems are collected, never thrown one by one.
#include <cstdint>
#include <string>
#include <vector>

namespace vmbsim {

/// A place in an input text. Lines and columns count from 1; 0 means "the file as a whole".
struct Place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// One thing that is wrong with an input.
struct Problem {
  Place place;
  std::string text;  ///< what is wrong, and what would be right
  /// `file:line:column: text`, or `file: text`; one line whatever the input holds: a control character is told as \xNN.
  std::string line() const {
    std::string whole = place.file;
    if (place.line != 0) whole += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
    whole += ": " + text;
    constexpr char digits[] = "0123456789abcdef";
    std::string printable;
    for (const char c : whole) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7f)
        printable += c;
      else
        printable.append({'\\', 'x', digits[byte >> 4], digits[byte & 15]});
    }
    return printable;
  }
};

using Problems = std::vector<Problem>;

}  // namespace vmbsim
