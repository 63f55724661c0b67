#include "tests/tidy/tree.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "tests/support/approved.hpp"

namespace vmbsim::tidy {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

SourceFile file_at(const std::string& path) {
  return {path, lines_of(testing::text_of(fs::path(VMBSIM_SOURCE_DIR) / path))};
}

std::vector<SourceFile> files_under(const std::string& folder, const std::vector<std::string>& endings) {
  std::vector<SourceFile> files;
  const fs::path root = VMBSIM_SOURCE_DIR;
  if (!fs::exists(root / folder)) return files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
    const std::string name = entry.path().filename().string();
    const bool wanted = std::any_of(endings.begin(), endings.end(), [&](const std::string& ending) {
      return name.size() >= ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
    });
    if (wanted && entry.is_regular_file()) files.push_back(file_at(entry.path().lexically_relative(root).string()));
  }
  std::sort(files.begin(), files.end(), [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<SourceFile> program_sources() {
  std::vector<SourceFile> all;
  for (const char* folder : {"include", "sim", "models"})
    for (SourceFile& file : files_under(folder, {".hpp", ".cpp", ".h", ".c"})) all.push_back(std::move(file));
  return all;
}

std::string without_comment(const std::string& line) { return line.substr(0, line.find("//")); }

std::string violation(const SourceFile& file, std::size_t index, const std::string& rule) {
  return file.path + ":" + std::to_string(index + 1) + ": " + rule;
}

std::string joined(const std::vector<std::string>& violations) {
  std::string text;
  for (const std::string& line : violations) text += line + "\n";
  return text;
}

bool kept(const std::vector<std::string>& violations) {
  std::cout << joined(violations);
  return violations.empty();
}

}  // namespace vmbsim::tidy
