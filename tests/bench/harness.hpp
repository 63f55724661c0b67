#pragma once
/// What every benchmark program here shares: CPU time, rounds, medians, tables of verdicts.
///
///   driver ──popen──► child A: "<figure> <figure> ..."     one line on stdout
///          ──popen──► child B                              round after round, so that noise hits all alike
///          ◄── medians over the rounds, ratios within one run, PASS or MISS per goal, exit status
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace vmbsim::bench {

/// CPU time of this process so far, user and system, in nanoseconds.
inline std::int64_t cpu_ns() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& t) { return (std::int64_t{t.tv_sec} * 1'000'000 + t.tv_usec) * 1000; };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

/// The middle value; of an even number the lower of the two. Not of nothing.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Runs a program to its end and reads the words of its first line; nothing when it failed.
inline std::optional<std::vector<std::string>> run_child(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string text;
  for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  if (pclose(pipe) != 0) return std::nullopt;
  std::istringstream line(text.substr(0, text.find('\n')));
  std::vector<std::string> words;
  for (std::string word; line >> word;) words.push_back(word);
  return words;
}

/// Goals and whether they hold. A ratio is always "ours over theirs" or "theirs over ours" within one run.
class Verdicts {
 public:
  void at_most(const std::string& goal, double actual, double bound) {
    add(goal, actual, "<=", bound, actual <= bound);
  }
  void at_least(const std::string& goal, double actual, double bound) {
    add(goal, actual, ">=", bound, actual >= bound);
  }
  void is_true(const std::string& goal, bool holds) {
    lines_.push_back(fmt::format("{}  {}", holds ? "PASS" : "MISS", goal));
    missed_ += !holds;
  }
  void print() const {
    for (const std::string& line : lines_) fmt::print("{}\n", line);
    if (missed_ == 0)
      fmt::print("every goal holds\n");
    else
      fmt::print("{} of {} goals missed\n", missed_, lines_.size());
  }
  int exit_status() const { return missed_ == 0 ? 0 : 1; }

 private:
  void add(const std::string& goal, double actual, const char* relation, double bound, bool holds) {
    lines_.push_back(
        fmt::format("{}  {:<64} {:>8.2f}   goal {} {:g}", holds ? "PASS" : "MISS", goal, actual, relation, bound));
    missed_ += !holds;
  }
  std::vector<std::string> lines_;
  int missed_ = 0;
};

}  // namespace vmbsim::bench
