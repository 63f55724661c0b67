#pragma once
/// Scenario texts for the tests: the smallest one that is fine, and ways to change it.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/scenario/schema.hpp"

namespace vmbsim::scenario::test {

inline const std::string smallest = R"(schema  = 1
name    = "smallest"
run_for = "10ms"

[[channel]]
name   = "disk"
driver = "storage"
device = { service = "80us" }

[[workload]]
name    = "load"
channel = "disk"
)";

/// `smallest` with keys put at its top, where they belong to no table, and tables at its end.
inline std::string with(const std::string& top, const std::string& end = "") {
  return top + "\n" + smallest + "\n" + end;
}

/// The texts of all problems of `smallest` after these overrides, each on its own line, without their places.
inline std::string problems_after(const std::vector<std::string>& overrides) {
  std::string out;
  for (const Problem& p : load_text(smallest, {.overrides = overrides}).problems) out += p.text + "\n";
  return out;
}

inline std::string texts_of(const Problems& problems) {
  std::string out;
  for (const Problem& p : problems) out += p.text + "\n";
  return out;
}

inline Scenario loaded(const std::vector<std::string>& overrides) {
  const Loaded result = load_text(smallest, {.overrides = overrides});
  if (!result.scenario) throw std::runtime_error(texts_of(result.problems));
  return *result.scenario;
}

/// A folder that is gone when the test is over.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("vmbsim-scenario-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace vmbsim::scenario::test
