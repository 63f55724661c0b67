#include "sim/batch/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace vmbsim::batch {
namespace {

std::string span_text(std::int64_t seconds) {
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
}

/// Runs per second since the batch began; 0 while there is none.
double rate(const Standing& s) {
  return s.elapsed_ms <= 0
             ? 0
             : static_cast<double>(s.done + s.failed - s.before) * 1000 / static_cast<double>(s.elapsed_ms);
}

std::optional<std::int64_t> seconds_left(const Standing& s) {
  const double speed = rate(s);
  if (speed <= 0) return std::nullopt;
  return static_cast<std::int64_t>(static_cast<double>(s.planned - s.done - s.failed) / speed + 0.5);
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::optional<ProgressForm> progress_form(std::string_view name) {
  if (name == "auto") return ProgressForm::automatic;
  if (name == "plain") return ProgressForm::plain;
  if (name == "json") return ProgressForm::json;
  if (name == "none") return ProgressForm::none;
  return std::nullopt;
}

std::string plain_line(const Standing& s) {
  std::string line = fmt::format("{} of {} done, {} running, {} failed", s.done, s.planned, s.running, s.failed);
  if (s.done + s.failed > s.before) line += fmt::format(", {:.1f}/s", rate(s));
  if (const auto left = seconds_left(s); left && s.done + s.failed < s.planned)
    line += ", " + span_text(*left) + " left";
  return line;
}

std::string json_line(const Standing& s) {
  const auto left = seconds_left(s);
  return fmt::format(
      R"({{"planned":{},"before":{},"done":{},"failed":{},"running":{},"elapsed_s":{:.1f},"per_s":{:.1f},"left_s":{}}})",
      s.planned, s.before, s.done, s.failed, s.running, static_cast<double>(s.elapsed_ms) / 1000, rate(s),
      left ? std::to_string(*left) : "null");
}

Progress::Progress(ProgressForm form) : way_(Way::none) {
  switch (form) {
    case ProgressForm::automatic: way_ = ::isatty(STDERR_FILENO) != 0 ? Way::living : Way::plain; break;
    case ProgressForm::plain: way_ = Way::plain; break;
    case ProgressForm::json: way_ = Way::json; break;
    case ProgressForm::none: break;
  }
}

void Progress::print(const Standing& standing) {
  if (way_ == Way::json) {
    std::fprintf(stderr, "%s\n", json_line(standing).c_str());
  } else if (way_ == Way::plain) {
    std::fprintf(stderr, "vmbsim: %s\n", plain_line(standing).c_str());
  } else if (way_ == Way::living) {
    std::string line = plain_line(standing);
    line.resize(std::min(line.size(), terminal_width() - 1));
    std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
    std::fflush(stderr);
  }
}

void Progress::show(const Standing& standing) {
  // In a log a line every ten seconds, or with every tenth of the runs, but no more than one a second.
  const std::int64_t every_ms = way_ == Way::living ? 200 : way_ == Way::json ? 1000 : 10'000;
  const std::uint64_t over = standing.done + standing.failed;
  const bool tenth = way_ == Way::plain && (over - told_) * 10 >= standing.planned;
  if (standing.elapsed_ms - told_ms_ < (tenth ? 1000 : every_ms)) return;
  told_ms_ = standing.elapsed_ms;
  told_ = over;
  print(standing);
}

void Progress::finish(const Standing& standing) {
  print(standing);
  if (way_ == Way::living) std::fputc('\n', stderr);
}

}  // namespace vmbsim::batch
