#pragma once
/// The one door to the file system for inputs: whole files as text, with a size limit.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "vmbsim/problem.hpp"

namespace vmbsim::config {

/// Why a file could not be read, as the end of a sentence: "there is no such file".
struct FileError {
  std::string text;
};

/// The bytes of a regular file of at most `limit` bytes.
std::variant<std::string, FileError> read_file(const std::string& path, std::int64_t limit);

/// Whether `path` names something that is not a folder.
bool file_exists(const std::string& path);

/// `path` as seen from the folder of the file that names it: absolute paths stay, others are put behind that folder.
/// A `from` that is no file (an override, text without a file) means the current folder.
std::string relative_to(std::string_view from, std::string_view path);

/// The same file under its absolute path, without `.` and `..`; symbolic links are left alone.
std::string absolute_path(const std::string& path);

/// A problem with a file as a whole, or with a word of the command line.
Problem problem_with(std::string file, std::string text);

}  // namespace vmbsim::config
