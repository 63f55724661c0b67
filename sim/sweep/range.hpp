#pragma once
/// `range = { from = 1, to = 64, factor = 2 }`: values of an axis without writing each.
#include <string>
#include <variant>
#include <vector>

#include "sim/config/document.hpp"

namespace vmbsim::sweep {

/// Values that one range may bring.
inline constexpr std::size_t longest_range = 100'000;

struct RangeError {
  const config::Node* at;
  std::string text;
};

/// The TOML text of each value, smallest first; `to` is among them where the steps meet it.
///
///   { from, to, step }        even steps
///   { from, to, factor }      each the one before times a number above 1
///   { from, to, log_steps }   so many values, both ends among them, evenly on a logarithmic scale; whole in their unit, so that
///                             neighbours may fall together
///
/// `from`, `to` and `step` are whole numbers, decimal numbers (to a millionth), durations, sizes or rates, all of one kind.
std::variant<std::vector<std::string>, RangeError> values_of_range(const config::Node& range);

}  // namespace vmbsim::sweep
