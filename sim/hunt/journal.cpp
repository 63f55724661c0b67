#include "sim/hunt/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

namespace vmbsim::hunt {

namespace fs = std::filesystem;

namespace {

constexpr const char* name = "hunt.journal";
constexpr const char* in_use = "is being written by another hunt";

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

/// Where the two differ: "seed 7 there, 8 here".
std::string differences(const Identity& was, const Identity& is) {
  std::string text;
  const auto value_in = [](const Identity& identity, const std::string& key) {
    for (const auto& [known, value] : identity)
      if (known == key) return value.empty() ? std::string("none") : value;
    return std::string("none");
  };
  const auto compare = [&](const std::string& key) {
    const std::string before = value_in(was, key);
    const std::string now = value_in(is, key);
    if (before != now) text += (text.empty() ? "" : "; ") + key + " " + before + " there, " + now + " here";
  };
  for (const auto& [key, value] : is) compare(key);
  for (const auto& [key, value] : was)
    if (std::none_of(is.begin(), is.end(), [&key = key](const auto& one) { return one.first == key; })) compare(key);
  return text;
}

/// Workers of a hunt that was killed hold its lock until they are gone, too.
bool lock(int file) {
  int tries_left = 40;
  while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (--tries_left == 0) return false;
    ::usleep(50'000);
  }
  return true;
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
      Identity found;
      for (std::size_t left = reader.count(line->size()); left != 0; --left) {
        std::string named = reader.word();
        found.emplace_back(std::move(named), reader.word());
      }
      if (!reader.done()) return problem(path, "is no line of a hunt's journal", number);
      if (const std::string different = differences(found, identity_); !different.empty())
        return problem(path, "belongs to another hunt: " + different);
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
  if (!lock(file_)) return problem(path, in_use);
  std::size_t good = 0;
  if (auto bad = read(path, good)) {
    if (bad->place.line == 0)
      bad->text += "; name another folder, or begin anew with --restart, which keeps this one aside";
    return bad;
  }
  if (::ftruncate(file_, static_cast<off_t>(good)) != 0) return problem(path, "cannot be written: " + because(errno));
  if (good == 0) {
    Line head;
    head.add("hunt").add(identity_.size());
    for (const auto& [named, value] : identity_) head.add(named).add(value);
    if (!write(head.text())) return problem(path, "cannot be written: " + because(errno));
  }
  return std::nullopt;
}

std::variant<fs::path, Problem> Journal::put_aside(const fs::path& given) {
  std::error_code error;
  fs::path folder = fs::absolute(given, error).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  const fs::path path = folder / name;
  const fs::path here = fs::current_path(error);
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return fs::path();
  if (file < 0) return *problem(given / name, "cannot be opened: " + because(errno));
  if (std::mismatch(folder.begin(), folder.end(), here.begin(), here.end()).first == folder.end()) {
    ::close(file);
    return *problem(given, "cannot be put aside from within");
  }
  const bool locked = lock(file);
  fs::path aside;
  for (int number = 1; aside.empty() || fs::exists(fs::symlink_status(aside, error)); ++number) {
    aside = folder;
    aside += "." + std::to_string(number);
  }
  error.clear();  // that there is no such name was hoped for
  if (locked) fs::rename(folder, aside, error);
  ::close(file);
  if (!locked) return *problem(given / name, in_use);
  if (error) return *problem(given, "cannot be renamed: " + because(error.value()));
  // As it was named: beside what the user knows.
  const fs::path beside = given.has_filename() ? given : given.parent_path();
  return beside.parent_path() / aside.filename();
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
