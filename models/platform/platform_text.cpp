#include "models/platform/platform_text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace vmbsim::platform {

void complain(Problems& problems, Place place, std::string text) {
  problems.emplace_back();
  problems.back().place = std::move(place);
  problems.back().text = std::move(text);
}

PlatformText::PlatformText(std::string file, std::string text) : file_(std::move(file)), text_(std::move(text)) {
  for (std::size_t open = 0; (open = text_.find("<!--", open)) != std::string::npos;) {
    const std::size_t close = std::min(text_.find("-->", open), text_.size());
    for (; open < close; ++open)
      if (text_[open] != '\n') text_[open] = ' ';
  }
}

Place PlatformText::place_at(std::size_t offset) const {
  const auto begin = text_.begin();
  const auto here = begin + static_cast<std::ptrdiff_t>(offset);
  const std::size_t line_start = offset == 0 ? std::string::npos : text_.rfind('\n', offset - 1);
  const std::size_t column = line_start == std::string::npos ? offset + 1 : offset - line_start;
  return {file_, static_cast<std::uint32_t>(1 + std::count(begin, here, '\n')), static_cast<std::uint32_t>(column)};
}

Place PlatformText::place_of_value(std::string_view value) const {
  for (char quote : {'"', '\''}) {
    const std::size_t found = text_.find(quote + std::string(value) + quote);
    if (found != std::string::npos) return place_at(found);
  }
  return {file_, 0, 0};
}

void PlatformText::check(Problems& problems) const {
  struct Refused {
    const char* word;
    const char* why;
  };
  // Source: SimGrid 3.32 documentation, Describing the platform, XML reference.
  static constexpr Refused refused[] = {
      {"state_file", "resources that switch off during a run are not simulated; leave state_file out"},
      {"speed_file", "the speed of a host is one for the whole run; leave speed_file out"},
      {"availability_file", "the speed of a host is one for the whole run; leave availability_file out"},
      {"HOST_AVAIL", "resources that switch off during a run are not simulated; leave this trace out"},
      {"LINK_AVAIL", "resources that switch off during a run are not simulated; leave this trace out"},
      {"\"SPEED\"", "the speed of a host is one for the whole run; leave this trace out"},
      {"<include", "a platform is one file; put the included text here"},
      {"<actor", "a platform describes hardware only; leave actors out"},
      {"<process", "a platform describes hardware only; leave processes out"}};
  for (const Refused& item : refused) {
    const std::size_t found = text_.find(item.word);
    if (found != std::string::npos) complain(problems, place_at(found), item.why);
  }
}

bool PlatformText::varies() const {
  for (const char* word : {"bandwidth_file", "latency_file", "trace_connect"})
    if (text_.find(word) != std::string::npos) return true;
  return false;
}

Problem PlatformText::problem_of(std::string message) const {
  message = message.substr(0, message.find('\n'));
  // "Parse error at FILE:LINE: TEXT"
  std::size_t line = 0;
  const std::string prefix = "Parse error at " + file_ + ":";
  if (message.starts_with(prefix)) {
    const char* digits = message.data() + prefix.size();
    const auto [rest, error] = std::from_chars(digits, message.data() + message.size(), line);
    if (error == std::errc{}) message.erase(0, static_cast<std::size_t>(rest - message.data()));
    message.erase(0, std::min(message.find_first_not_of(": "), message.size()));
  }
  std::size_t begin = 0;
  for (std::size_t skipped = 1; skipped < line && begin < text_.size(); ++skipped)
    begin = std::min(text_.find('\n', begin), text_.size() - 1) + 1;
  const std::size_t end = line == 0 ? text_.size() : std::min(text_.find('\n', begin), text_.size());

  // The last word of the message that stands in the line (or, without a line, in quotes in the file) is what it is about.
  Problem problem{{file_, static_cast<std::uint32_t>(line), line == 0 ? 0U : 1U},
                  "SimGrid refuses this platform: " + message};
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  };
  std::size_t stop = message.size();
  while (stop > 0) {
    while (stop > 0 && !is_word(message[stop - 1])) --stop;
    std::size_t start = stop;
    while (start > 0 && is_word(message[start - 1])) --start;
    const std::string word = message.substr(start, stop - start);
    stop = start;
    if (word.size() < 2) continue;
    if (line == 0) {
      const Place place = place_of_value(word);
      if (place.line != 0) {
        problem.place = place;
        break;
      }
    } else if (const std::size_t found = text_.find(word, begin); found < end) {
      problem.place = place_at(found);
      break;
    }
  }
  return problem;
}

}  // namespace vmbsim::platform
