#pragma once
/// Rows of cells as lines of text.
#include <string>
#include <vector>

namespace vmbsim::report {

using Row = std::vector<std::string>;

/// A line for each row, cells below each other: the first column left aligned, the others right. Rows may be of different
/// lengths; the first cell of each is there.
std::vector<std::string> aligned(const std::vector<Row>& rows);

}  // namespace vmbsim::report
