#pragma once
/// Somebody at a terminal: a folder of their own, and the built program.
#include <string>

#include "tests/support/scratch_folder.hpp"

namespace vmbsim::testing {

struct Answer {
  int status = 0;   ///< exit status; 128 + signal when it was killed
  std::string out;  ///< stdout
  std::string err;  ///< stderr, with the folder's name taken out of paths

  /// The run's fingerprint as the table on stdout shows it.
  std::string fingerprint() const;
};

class User {
 public:
  /// Runs a shell line in the folder; `vmbsim` in it is the built program, `$VMBSIM` its path.
  Answer types(const std::string& line) const;
  void writes(const std::string& file, const std::string& text) const;
  std::string reads(const std::string& file) const;
  bool has(const std::string& file) const;
  /// Names in a folder, sorted, one a line; hidden ones, too.
  std::string lists(const std::string& folder) const;
  std::string folder() const { return scratch_.path().string(); }

 private:
  ScratchFolder scratch_;
};

/// A scenario of the project, by its path under scenarios/, in quotes for a shell.
std::string shipped(const std::string& scenario);

/// What follows the head of a scenario: M/M/1, 4,000 requests per second on a disk that serves one at a time, in 100 us on
/// average, through a channel that costs nothing.
extern const char* const single_server;

/// Eight transactions on an echo channel: the smallest whole scenario.
extern const char* const small_scenario;

}  // namespace vmbsim::testing
