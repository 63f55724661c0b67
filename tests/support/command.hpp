#pragma once
/// Runs a shell command as a user would, and keeps what it printed on stdout.
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace vmbsim::testing {

struct Outcome {
  int status = 0;  ///< exit status; 128 + signal when it was killed
  std::string output;
};

inline Outcome run_command(const std::string& command) {
  Outcome outcome;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {127, ""};
  std::array<char, 4096> chunk{};
  for (std::size_t n; (n = std::fread(chunk.data(), 1, chunk.size(), pipe)) > 0;)
    outcome.output.append(chunk.data(), n);
  const int status = ::pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

/// One argument, whatever characters it holds.
inline std::string quoted(const std::string& argument) {
  std::string out = "'";
  for (char c : argument) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace vmbsim::testing
