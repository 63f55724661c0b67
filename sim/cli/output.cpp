#include "sim/cli/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace vmbsim::cli {

int say(const std::string& text, int status) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return status;
  if (errno == EPIPE) return status;
  std::fprintf(stderr, "vmbsim: stdout cannot be written: %s\n", std::strerror(errno));
  return broken;
}

std::string stopped_text(const std::string& command) { return "stopped; run it again to go on: " + command + "\n"; }

void print(const Problems& problems) {
  for (const Problem& problem : problems) std::fprintf(stderr, "%s\n", problem.line().c_str());
}

}  // namespace vmbsim::cli
