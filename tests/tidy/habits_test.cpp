#include "tests/tidy/habits.hpp"

#include <catch2/catch.hpp>

using namespace vmbsim::tidy;

TEST_CASE("what is absent on purpose is absent") { CHECK(kept(broken(habits(), program_sources()))); }

TEST_CASE("nothing iterates in the order of hashes or addresses") { CHECK(kept(unordered_loops(program_sources()))); }

TEST_CASE("no file is longer than a reader's patience") {
  std::vector<SourceFile> files = program_sources();
  for (SourceFile& file : files_under("tests", {".cpp", ".hpp"})) files.push_back(std::move(file));
  CHECK(kept(too_long(files)));
}

TEST_CASE("each habit is noticed where it is forbidden, and only there") {
  struct Row {
    const char* path;
    const char* line;
    bool noticed;
  };
  for (const Row& row :
       {Row{"sim/kernel/a.cpp", "auto t = std::chrono::steady_clock::now();", true},
        Row{"sim/cli/run.cpp", "auto t = std::chrono::steady_clock::now();", false},
        Row{"sim/kernel/a.cpp", "// unlike steady_clock", false}, Row{"models/hw/a.cpp", "srand(time(nullptr));", true},
        Row{"models/hw/a.cpp", "Duration arrival_time(0);", false},
        Row{"models/hw/a.cpp", "std::uniform_int_distribution<int> d;", true},
        Row{"sim/kernel/a.cpp", "std::mt19937_64 engine;", true}, Row{"models/os/a.cpp", "if (fork() == 0) {", true},
        Row{"sim/workers/crew.cpp", "if (fork() == 0) {", false}, Row{"sim/foreign/a.cpp", "::_exit(0);", false},
        Row{"sim/kernel/a.hpp", "std::mutex lock_;", true},
        Row{"models/workload/a.cpp", "std::ifstream in(path);", true},
        Row{"sim/config/a.cpp", "std::ifstream in(path);", false},
        Row{"models/hw/a.cpp", "std::getenv(\"HOME\")", true}, Row{"models/hw/a.cpp", "exit(1);", true},
        Row{"models/hw/a.cpp", "on_exit_(now);", false}, Row{"sim/kernel/a.hpp", "struct VmbusEvent {};", true},
        Row{"sim/cli/a.hpp", "struct VmbusEvent {};", false}, Row{"include/vmbsim/a.hpp", "#include <format>", true}}) {
    INFO(row.path << ": " << row.line);
    CHECK(broken(habits(), {{row.path, {row.line}}}).empty() != row.noticed);
  }
}

TEST_CASE("a loop over hashes or addresses is noticed in its header and in its source") {
  const SourceFile header{"sim/kernel/a.hpp",
                          {"std::unordered_map<std::uint64_t, std::vector<int>> waiting_;",
                           "std::map<const Thread*, int> owners_;", "std::map<int, Thread*> by_id_;"}};
  for (const char* loop : {"for (const auto& [id, list] : waiting_)", "auto first = waiting_.begin();"})
    CHECK(joined(unordered_loops({header, {"sim/kernel/a.cpp", {"", loop}}})) ==
          "sim/kernel/a.cpp:2: waiting_ has no order that two runs share\n");
  CHECK(unordered_loops({header, {"sim/kernel/a.cpp", {"for (auto& [thread, n] : owners_)"}}}).size() == 1);
  CHECK(unordered_loops({header, {"sim/kernel/a.cpp", {"for (auto& [id, thread] : by_id_)"}}}).empty());
  CHECK(unordered_loops({header, {"sim/kernel/a.cpp", {"waiting_.find(id)", "for (int x : list)"}}}).empty());
  CHECK(unordered_loops({header, {"sim/kernel/b.cpp", {"for (int x : waiting_)"}}}).empty());
}

TEST_CASE("the first line beyond the limit is the one named") {
  CHECK(too_long({{"a.cpp", std::vector<std::string>(longest_file)}}).empty());
  CHECK(joined(too_long({{"a.cpp", std::vector<std::string>(longest_file + 1)}})) ==
        "a.cpp:701: a file has at most 700 lines\n");
}
