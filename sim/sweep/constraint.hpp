#pragma once
/// What a point must fulfil: `"channel.disk.ring.to_host >= \"4KiB\" * workload.load.queue_depth"`.
///
/// Form   two sides with one of  <  <=  ==  !=  >=  >  between them; a side is a product, with `*`, of numbers, values in quotes
///        and swept keys. Text is compared by == and != alone.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/sweep/quantity.hpp"

namespace vmbsim::sweep {

struct Constraint {
  enum class Relation : std::uint8_t { below, at_most, equal, different, at_least, above };
  struct Factor {
    std::string key;  ///< empty: a value
    Quantity value;
  };
  using Side = std::vector<Factor>;
  Side left, right;
  Relation relation = Relation::equal;
  std::string text;  ///< as written
};

struct ConstraintError {
  std::string text;
};

std::variant<Constraint, ConstraintError> parse_constraint(std::string_view text);

/// Value of a key at a point, as TOML text.
using ValueOf = std::function<const std::string&(const std::string& key)>;

/// Whether it holds, or why that cannot be said: a size is not compared with a duration.
std::variant<bool, ConstraintError> holds(const Constraint& constraint, const ValueOf& value_of);

}  // namespace vmbsim::sweep
