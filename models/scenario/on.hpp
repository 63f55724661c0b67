#pragma once
/// The star in a [[host]]'s `on`, "node-*": it stands for the number of each of several hosts of one template.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace vmbsim::scenario {

/// "node-*" of number 2: "node-2". Without a star `on` as it is.
inline std::string on_of(std::string on, std::uint32_t number) {
  if (const std::size_t star = on.find('*'); star != std::string::npos) on.replace(star, 1, std::to_string(number));
  return on;
}

/// Whether `name` is what `on` makes of some number, or `on` itself where it has no star.
inline bool is_on(std::string_view on, std::string_view name) {
  const std::size_t star = on.find('*');
  if (star == std::string_view::npos) return on == name;
  const std::string_view after = on.substr(star + 1);
  if (name.size() <= star + after.size() || name.substr(0, star) != on.substr(0, star) || !name.ends_with(after))
    return false;
  const std::string_view number = name.substr(star, name.size() - star - after.size());
  return std::all_of(number.begin(), number.end(), [](char one) { return one >= '0' && one <= '9'; });
}

}  // namespace vmbsim::scenario
