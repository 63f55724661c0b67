#include "sim/config/file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace vmbsim::config {
namespace fs = std::filesystem;
namespace {

std::string in_mebibytes(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

std::variant<std::string, FileError> read_file(const std::string& path, std::int64_t limit) {
  if (path.empty() || path.find('\0') != std::string::npos) return FileError{"this is no file name"};
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (status.type() == fs::file_type::not_found) return FileError{"there is no such file"};
  if (status.type() == fs::file_type::directory) return FileError{"this is a folder, not a file"};
  if (failed) return FileError{"cannot be read: " + failed.message()};
  // A pipe is welcome (process substitution); one that never ends is cut off at the limit.
  if (status.type() != fs::file_type::regular && status.type() != fs::file_type::fifo)
    return FileError{"this is no file"};
  const FileError too_large{"larger than " + in_mebibytes(limit) + ", which is the most that is read"};
  if (status.type() == fs::file_type::regular && fs::file_size(path, failed) > static_cast<std::uintmax_t>(limit))
    return too_large;
  struct Close {
    void operator()(std::FILE* f) const { std::fclose(f); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) return FileError{std::string("cannot be read: ") + std::strerror(errno)};
  std::string text;
  char block[1 << 16];
  while (const std::size_t got = std::fread(block, 1, sizeof block, file.get())) {
    text.append(block, got);
    if (text.size() > static_cast<std::size_t>(limit)) return too_large;
  }
  if (std::ferror(file.get()) != 0) return FileError{"cannot be read to its end"};
  return text;
}

bool file_exists(const std::string& path) {
  if (path.find('\0') != std::string::npos) return false;
  std::error_code failed;
  const fs::file_type type = fs::status(path, failed).type();
  return type != fs::file_type::not_found && type != fs::file_type::none && type != fs::file_type::directory;
}

std::string relative_to(std::string_view from, std::string_view path) {
  const fs::path named(path);
  if (named.is_absolute()) return named.lexically_normal().string();
  return (fs::path(from).parent_path() / named).lexically_normal().string();
}

std::string absolute_path(const std::string& path) {
  std::error_code failed;
  const fs::path absolute = fs::absolute(path, failed);
  return failed ? path : absolute.lexically_normal().string();
}

Problem problem_with(std::string file, std::string text) {
  Problem problem;
  problem.place.file = std::move(file);
  problem.text = std::move(text);
  return problem;
}

}  // namespace vmbsim::config
