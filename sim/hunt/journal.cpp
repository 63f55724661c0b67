#include "sim/hunt/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

namespace vmbsim::hunt {

namespace fs = std::filesystem;

namespace {

constexpr const char* name = "hunt.journal";

std::string sealed(const std::string& text) { return text + " #" + hexadecimal(checksum(text)) + "\n"; }

/// The text of a line without its checksum; nothing when that is wrong.
std::optional<std::string> opened(std::string_view line) {
  const std::size_t mark = line.rfind(" #");
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string text(line.substr(0, mark));
  if (line.substr(mark + 2) != hexadecimal(checksum(text))) return std::nullopt;
  return text;
}

std::optional<Problem> problem(const fs::path& path, std::string text, std::uint32_t line = 0) {
  std::optional<Problem> out(std::in_place);
  out->place = {path.string(), line, line == 0 ? 0u : 1u};
  out->text = std::move(text);
  return out;
}

std::string because(int error) { return std::generic_category().message(error); }

}  // namespace

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

std::optional<Problem> Journal::read(const fs::path& path, std::size_t& good_bytes) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  good_bytes = 0;
  std::uint32_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    ++number;
    const std::size_t end = text.find('\n', begin);
    const bool last = end == std::string::npos || end + 1 == text.size();
    const auto line = opened(std::string_view(text).substr(begin, end - begin));
    if (!line || end == std::string::npos) {
      if (last) break;  // whoever wrote it was killed meanwhile
      return problem(path, "the checksum of the line is wrong: the file was changed or damaged", number);
    }
    Reader reader(*line);
    const std::string what = reader.word();
    if (what == "hunt") {
      const std::string found = reader.word();
      if (found != identity_)
        return problem(path, "belongs to another hunt: " + found + "; this one is: " + identity_ +
                                 "; name another folder, or remove this one");
    } else {
      const std::uint64_t slice = reader.number();
      const std::uint64_t first = reader.number();
      const std::uint64_t place = reader.number();
      const std::uint64_t runs = reader.number();
      const std::string strategy = reader.word();
      const std::string told = reader.word();
      Reader inner(told);
      auto result = SliceResult::read(inner);
      if (number == 1 || what != "slice" || !reader.done() || !result)
        return problem(path, "is no line of a hunt's journal", number);
      results_.insert_or_assign(SliceKey(slice, first, place, runs, strategy), std::move(*result));
    }
    begin = good_bytes = end + 1;
  }
  return std::nullopt;
}

std::optional<Problem> Journal::open(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return problem(folder, "cannot be made a folder: " + because(error.value()));
  const fs::path path = folder / name;
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) return problem(path, "cannot be opened: " + because(errno));
  // Workers of a hunt that was killed hold its lock until they are gone, too.
  int tries_left = 40;
  while (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    if (--tries_left == 0) return problem(path, "is being written by another hunt");
    ::usleep(50'000);
  }
  std::size_t good = 0;
  if (auto bad = read(path, good)) return bad;
  if (::ftruncate(file_, static_cast<off_t>(good)) != 0) return problem(path, "cannot be written: " + because(errno));
  if (good == 0 && !write(Line().add("hunt").add(identity_).text()))
    return problem(path, "cannot be written: " + because(errno));
  return std::nullopt;
}

std::optional<Problem> Journal::take(const fs::path& folder) {
  const fs::path path = folder / name;
  if (!fs::exists(path)) return problem(path, "there is no hunt's journal");
  const std::map<SliceKey, SliceResult> before = results_;
  std::size_t good = 0;
  if (auto bad = read(path, good)) return bad;
  for (const auto& [key, result] : results_)
    if (!before.contains(key) && !write(key, result)) return problem(folder, "cannot be merged: " + because(errno));
  return std::nullopt;
}

const SliceResult* Journal::find(const Slice& slice) const {
  const auto at = results_.find(SliceKey(slice));
  return at == results_.end() ? nullptr : &at->second;
}

bool Journal::write(const std::string& line) {
  if (file_ < 0) return true;
  const std::string text = sealed(line);
  const ssize_t written = ::write(file_, text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) return true;
  if (written >= 0) errno = ENOSPC;
  return false;
}

bool Journal::write(const SliceKey& key, const SliceResult& result) {
  return write(Line()
                   .add("slice")
                   .add(key.number)
                   .add(key.first)
                   .add(key.place)
                   .add(key.runs)
                   .add(key.strategy)
                   .add(result.text())
                   .text());
}

bool Journal::add(const Slice& slice, const SliceResult& result) {
  const SliceKey key(slice);
  results_.insert_or_assign(key, result);
  return write(key, result);
}

}  // namespace vmbsim::hunt
