#include "sim/report/writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "sim/report/csv.hpp"
#include "sim/report/json.hpp"

namespace vmbsim::report {
namespace {

namespace fs = std::filesystem;

/// What a system call refused, and why; `what` is null when all went well.
struct Failure {
  const char* what = nullptr;
  int error = 0;
  explicit operator bool() const { return what != nullptr; }
};

std::optional<Problem> problem(const fs::path& path, std::string text) {
  std::optional<Problem> out(std::in_place);
  out->place.file = path.string();
  out->text = std::move(text);
  return out;
}

std::optional<Problem> problem(const fs::path& path, Failure failure) {
  return problem(path, std::string(failure.what) + ": " + std::generic_category().message(failure.error));
}

// The process id keeps two writers of one folder out of each other's half-written file.
fs::path aside(const fs::path& path) {
  return path.parent_path() / ("." + path.filename().string() + "." + std::to_string(::getpid()) + ".partial");
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0;
}

Failure write_aside(const fs::path& path, const std::string& text) {
  const fs::path partial = aside(path);
  const int file = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return {"cannot be created", errno};
  int error = write_all(file, text) ? 0 : errno;
  if (::close(file) != 0 && error == 0) error = errno;
  if (error == 0) return {};
  ::unlink(partial.c_str());
  return {"cannot be written", error};
}

Failure rename_aside(const fs::path& path) {
  const fs::path partial = aside(path);
  if (std::rename(partial.c_str(), path.c_str()) == 0) return {};
  const int error = errno;
  ::unlink(partial.c_str());
  return {"cannot be replaced", error};
}

/// Takes away what was written aside and never got its name.
class Partials {
 public:
  Partials(const fs::path& folder, const std::vector<ResultFile>& files) : folder_(folder), files_(files) {}
  Partials(const Partials&) = delete;
  Partials& operator=(const Partials&) = delete;
  ~Partials() {
    for (const ResultFile& file : files_) ::unlink(aside(folder_ / file.name).c_str());
  }

 private:
  const fs::path& folder_;
  const std::vector<ResultFile>& files_;
};

std::string debug_text(const RunResult& result) {
  std::string text;
  for (const std::string& line : result.debug_output) text += line + "\n";
  return text;
}

// The first file that belongs to somebody else's result.
std::optional<Problem> foreign_file(const fs::path& folder, const std::vector<std::string>& names,
                                    const Manifest& manifest) {
  std::ifstream old(folder / "manifest.toml", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(old), {}};
  const std::string there = identity_in(text);
  const std::string here = identity(manifest);
  if (there == here) return {};
  for (const std::string& name : names) {
    std::error_code unreadable;
    const fs::path path = folder / name;
    const fs::file_type type = fs::symlink_status(path, unreadable).type();
    if (type != fs::file_type::not_found && type != fs::file_type::none)
      return problem(path, "belongs to another scenario, seed or setting" +
                               (there.empty() ? ", and no manifest.toml beside it says which"
                                              : ": " + first_difference(there, here)) +
                               "; name another folder with --out, or remove this one");
  }
  return std::nullopt;
}

}  // namespace

std::vector<ResultFile> result_files(const RunResult& result, const Manifest& manifest) {
  std::vector<ResultFile> files;
  files.push_back({"manifest.toml", manifest_toml(manifest)});
  if (!result.packets.empty()) files.push_back({"packets.csv", packets_csv(result)});
  if (!result.intervals.empty()) files.push_back({"intervals.csv", intervals_csv(result)});
  if (!result.debug_output.empty()) files.push_back({"debug.txt", debug_text(result)});
  files.push_back({"summary.csv", summary_csv(result)});
  files.push_back({"summary.json", summary_json(result)});
  return files;
}

std::optional<Problem> foreign_result(const fs::path& folder, const Manifest& manifest) {
  return foreign_file(
      folder,
      {"manifest.toml", "packets.csv", "intervals.csv", "trace.pftrace", "debug.txt", "summary.csv", "summary.json"},
      manifest);
}

std::optional<Problem> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return problem(folder, Failure{"cannot be made a folder", error.value()});
  const fs::path probe = folder / "summary.json";
  if (const Failure failure = write_aside(probe, "")) return problem(probe, failure);
  ::unlink(aside(probe).c_str());
  return std::nullopt;
}

std::optional<Problem> write_result(const fs::path& folder, const RunResult& result, const Manifest& manifest) {
  if (auto failed = make_folder(folder)) return failed;
  const std::vector<ResultFile> files = result_files(result, manifest);
  if (auto foreign = foreign_result(folder, manifest)) return foreign;

  // All are written before the first gets its name: a full disk leaves the folder as it was.
  const Partials partials(folder, files);
  for (const ResultFile& file : files)
    if (const Failure failure = write_aside(folder / file.name, file.text)) return problem(folder / file.name, failure);
  for (const ResultFile& file : files)
    if (const Failure failure = rename_aside(folder / file.name)) return problem(folder / file.name, failure);
  if (result.debug_output.empty()) ::unlink((folder / "debug.txt").c_str());  // of a driver that has been changed since
  return std::nullopt;
}

std::optional<Problem> write_whole(const fs::path& path, const std::string& text) {
  if (const Failure failure = write_aside(path, text)) return problem(path, failure);
  if (const Failure failure = rename_aside(path)) return problem(path, failure);
  return std::nullopt;
}

}  // namespace vmbsim::report
