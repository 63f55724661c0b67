#include "sim/report/columns.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmbsim::report {

std::vector<std::string> aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::vector<std::string> lines;
  for (const Row& row : rows) {
    std::string out = fmt::format("{:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < row.size(); ++i) out += fmt::format("  {:>{}}", row[i], widths[i]);
    out.erase(out.find_last_not_of(' ') + 1);
    lines.push_back(std::move(out));
  }
  return lines;
}

}  // namespace vmbsim::report
