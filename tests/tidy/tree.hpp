#pragma once
/// The source tree as text, and the shape in which every rule complains.
#include <cstddef>
#include <string>
#include <vector>

namespace vmbsim::tidy {

struct SourceFile {
  std::string path;  ///< relative to the root of the tree
  std::vector<std::string> lines;
};

/// Splits at line ends; the text after the last one counts only if it is not empty.
std::vector<std::string> lines_of(const std::string& text);

/// The files under `folder` of the tree whose names end in one of `endings`, sorted by path.
std::vector<SourceFile> files_under(const std::string& folder, const std::vector<std::string>& endings);

/// C++ and C sources and headers of the folders that make the program: include, sim, models.
std::vector<SourceFile> program_sources();

/// One file of the tree; no lines when it is not there.
SourceFile file_at(const std::string& path);

/// The line without its `//` comment. Good enough for rules: a string that holds `//` loses its tail.
std::string without_comment(const std::string& line);

/// `file:line: rule`, the way a compiler says it. Lines count from 1.
std::string violation(const SourceFile& file, std::size_t index, const std::string& rule);

/// All complaints, one per line: empty when the rule is kept.
std::string joined(const std::vector<std::string>& violations);

/// Prints every complaint on a line of its own, unwrapped, so that an editor can jump to it. True when there is none.
bool kept(const std::vector<std::string>& violations);

}  // namespace vmbsim::tidy
