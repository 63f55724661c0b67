#pragma once
/// Which folder may include which: read from the one list that says so, in the root CMakeLists.txt.
#include <string>
#include <vector>

#include "tests/tidy/tree.hpp"

namespace vmbsim::tidy {

/// The folders of the list, lowest first.
std::vector<std::string> layers_in(const SourceFile& root_list);

/// Includes that point upward, from `sim` into `models`, or into SimGrid from anywhere but models/platform.
std::vector<std::string> wrong_includes(const std::vector<std::string>& layers, const std::vector<SourceFile>& files);

}  // namespace vmbsim::tidy
