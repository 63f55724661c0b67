#pragma once
/// The text of a platform file, for the places of problems: SimGrid tells the line at best.
#include <string>
#include <string_view>

#include "vmbsim/problem.hpp"

namespace vmbsim::platform {

/// Adds a problem. (Braces inside push_back make gcc 12 warn of uninitialized strings that are not.)
void complain(Problems& problems, Place place, std::string text);

class PlatformText {
 public:
  PlatformText(std::string file, std::string text);

  const std::string& file() const { return file_; }
  /// Where `"value"` stands in quotes for the first time; the file as a whole when it does not.
  Place place_of_value(std::string_view value) const;
  /// Refuses what SimGrid would simulate and vmbsim would ignore: hosts that change, resources that fail, other files.
  void check(Problems& problems) const;
  /// Whether a link changes its bandwidth or latency over time.
  bool varies() const;
  /// The text of an exception of SimGrid as a problem with its place.
  Problem problem_of(std::string message) const;

 private:
  Place place_at(std::size_t offset) const;

  std::string file_;
  std::string text_;  // comments blanked out
};

}  // namespace vmbsim::platform
