#include "tests/tidy/layers.hpp"

#include <algorithm>
#include <regex>

namespace vmbsim::tidy {
namespace {

// The place of the longest layer that holds `path`; the number of layers when none does.
std::size_t layer_of(const std::vector<std::string>& layers, const std::string& path) {
  std::size_t best = layers.size();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool holds = path.rfind(layers[i] + "/", 0) == 0;
    if (holds && (best == layers.size() || layers[i].size() > layers[best].size())) best = i;
  }
  return best;
}

bool starts_with(const std::string& text, const char* start) { return text.rfind(start, 0) == 0; }

}  // namespace

std::vector<std::string> layers_in(const SourceFile& root_list) {
  static const std::regex entry(R"(^add_subdirectory\((include|(?:sim|models)/[a-z]+)\))");
  std::vector<std::string> layers;
  for (const std::string& line : root_list.lines)
    if (std::smatch match; std::regex_search(line, match, entry)) layers.push_back(match[1]);
  return layers;
}

std::vector<std::string> wrong_includes(const std::vector<std::string>& layers, const std::vector<SourceFile>& files) {
  static const std::regex include(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::vector<std::string> wrong;
  for (const SourceFile& file : files) {
    const std::size_t own = layer_of(layers, file.path);
    if (own == layers.size()) {
      wrong.push_back(violation(file, 0, "its folder is no layer of CMakeLists.txt"));
      continue;
    }
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(file.lines[i], match, include)) continue;
      const std::string target = match[1];
      const auto complain = [&](const std::string& rule) {
        wrong.push_back(violation(file, i, "includes " + target + ": " + rule));
      };
      if (starts_with(target, "simgrid/") && !starts_with(file.path, "models/platform/"))
        complain("only models/platform includes SimGrid");
      if (starts_with(target, "tests/")) complain("the program does not include its tests");
      if (!starts_with(target, "sim/") && !starts_with(target, "models/")) continue;
      const std::size_t other = layer_of(layers, target);
      if (other == layers.size())
        complain("no such layer in CMakeLists.txt");
      else if (starts_with(file.path, "sim/") && !starts_with(file.path, "sim/cli/") && starts_with(target, "models/"))
        complain("sim never includes models");
      else if (other > own)
        complain(layers[own] + " stands below " + layers[other] + "; includes point downward");
    }
  }
  return wrong;
}

}  // namespace vmbsim::tidy
