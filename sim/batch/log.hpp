#pragma once
/// What a run says before it ends: a file beside the store, or, where nothing is kept, one in memory.
#include <filesystem>
#include <string>

namespace vmbsim::batch {

class Log {
 public:
  /// Empty: in memory.
  explicit Log(std::filesystem::path file);
  /// One that the run left empty is removed.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// As workers::Crew takes it.
  const std::filesystem::path& path() const { return path_; }
  /// Without the empty ones; empty: the run said nothing.
  std::string last_line() const;

 private:
  std::filesystem::path path_;
  int memory_ = -1;
};

}  // namespace vmbsim::batch
