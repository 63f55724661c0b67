#pragma once
/// What is absent on purpose: patterns that may not stand in the program, where, and why.
#include <regex>
#include <string>
#include <vector>

#include "tests/tidy/tree.hpp"

namespace vmbsim::tidy {

struct Habit {
  std::string folder;               ///< where the rule holds: a prefix of the path
  std::vector<std::string> except;  ///< prefixes where it does not
  std::regex pattern;               ///< what may not stand outside a comment
  std::string rule;
};

const std::vector<Habit>& habits();
std::vector<std::string> broken(const std::vector<Habit>& habits, const std::vector<SourceFile>& files);

/// Loops over containers that a file or its header declares unordered, or ordered by addresses: no two runs share that order.
/// Looking something up in one is fine.
std::vector<std::string> unordered_loops(const std::vector<SourceFile>& files);

/// Files that outgrew what a reader holds in the head.
inline constexpr std::size_t longest_file = 700;
std::vector<std::string> too_long(const std::vector<SourceFile>& files);

}  // namespace vmbsim::tidy
