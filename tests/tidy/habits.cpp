#include "tests/tidy/habits.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace vmbsim::tidy {
namespace {

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

std::regex icase(const char* pattern) { return std::regex(pattern, std::regex::ECMAScript | std::regex::icase); }

// "sim/kernel/calendar" for both calendar.hpp and calendar.cpp.
std::string stem(const std::string& path) { return path.substr(0, path.rfind('.')); }

}  // namespace

const std::vector<Habit>& habits() {
  static const std::vector<Habit> all{
      {"",
       {"sim/cli/", "sim/batch/", "sim/hunt/", "sim/workers/"},
       std::regex(R"(\b(system_clock|steady_clock|high_resolution_clock|gettimeofday|clock_gettime|timespec_get)\b)"
                  R"(|\bstd::time\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\)|\bclock\s*\(\s*\))"),
       "no wall clock below sim/cli: only the kernel knows what time it is"},
      {"",
       {},
       std::regex(R"(\bstd::\w+_distribution\b)"),
       "no std::*_distribution: its numbers differ between standard libraries"},
      {"",
       {},
       std::regex(R"(\bstd::(random_device|mt19937(_64)?|default_random_engine|minstd_rand0?)\b|\bs?rand\s*\()"),
       "chance comes from sim/kernel/random.hpp alone"},
      // SimGrid leaves the process when a platform file is wrong, and a library may do anything: a child tries them first.
      {"",
       {"sim/foreign/", "sim/workers/"},
       std::regex(R"(\b(v?fork|posix_spawnp?|std::system|popen)\s*\()"),
       "only sim/workers and sim/foreign start processes"},
      {"",
       {"sim/hunt/", "sim/workers/"},  // memory that it shares with its workers
       std::regex(R"(\bstd::(j?thread|async|mutex|condition_variable|atomic)\b)"),
       "no threads: a run is one sequence of events"},
      {"models/",
       {},
       std::regex(R"(\b(fopen|freopen)\s*\(|\bstd::[io]?fstream\b|#\s*include\s*<fstream>)"),
       "models never open a file: sim/config reads, models/scenario gets text"},
      {"models/", {}, std::regex(R"(\bgetenv\b)"), "models never read the environment"},
      {"",
       {"sim/cli/", "sim/foreign/", "sim/hunt/", "sim/workers/"},
       std::regex(R"(\b(std::)?(_?exit|quick_exit)\s*\()"),
       "only sim/cli ends the process, and whoever started one its child"},
      {"sim/", {"sim/cli/"}, icase("vmbus|kmcl"), "sim never says VMBus: it knows time, order, chance and choice"},
      {"", {}, std::regex(R"(#\s*include\s*<format>|\bstd::format\b|\bstd::expected\b)"), "gcc 12 has no such thing"},
  };
  return all;
}

std::vector<std::string> broken(const std::vector<Habit>& habits, const std::vector<SourceFile>& files) {
  std::vector<std::string> violations;
  for (const SourceFile& file : files)
    for (const Habit& habit : habits) {
      const auto holds = [&](const std::string& prefix) { return starts_with(file.path, prefix); };
      if (!holds(habit.folder) || std::any_of(habit.except.begin(), habit.except.end(), holds)) continue;
      for (std::size_t i = 0; i < file.lines.size(); ++i)
        if (std::regex_search(without_comment(file.lines[i]), habit.pattern))
          violations.push_back(violation(file, i, habit.rule));
    }
  return violations;
}

std::vector<std::string> unordered_loops(const std::vector<SourceFile>& files) {
  static const std::regex declaration(
      R"((?:unordered_(?:multi)?(?:map|set)\s*<|std::(?:multi)?(?:map|set)\s*<[\w: ]+\*))"
      R"(.*>\s*&?\s*(\w+)\s*(?:;|=|\{|,|\)))");
  std::map<std::string, std::set<std::string>> names;  // by stem
  for (const SourceFile& file : files)
    for (const std::string& line : file.lines)
      if (std::smatch match; std::regex_search(line, match, declaration)) names[stem(file.path)].insert(match[1]);

  std::vector<std::string> violations;
  for (const SourceFile& file : files)
    for (const std::string& name : names[stem(file.path)]) {
      const std::regex loop("\\bfor\\s*\\(.*:\\s*(this->|\\w+\\.)?" + name + "\\s*\\)|\\b" + name +
                            "\\s*\\.\\s*c?begin\\s*\\(");
      for (std::size_t i = 0; i < file.lines.size(); ++i)
        if (std::regex_search(without_comment(file.lines[i]), loop))
          violations.push_back(violation(file, i, name + " has no order that two runs share"));
    }
  return violations;
}

std::vector<std::string> too_long(const std::vector<SourceFile>& files) {
  std::vector<std::string> violations;
  for (const SourceFile& file : files)
    if (file.lines.size() > longest_file)
      violations.push_back(
          violation(file, longest_file, "a file has at most " + std::to_string(longest_file) + " lines"));
  return violations;
}

}  // namespace vmbsim::tidy
