#include "sim/batch/log.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <system_error>
#include <utility>

namespace vmbsim::batch {

Log::Log(std::filesystem::path file) : path_(std::move(file)) {
  if (!path_.empty()) return;
  memory_ = ::memfd_create("log", MFD_CLOEXEC);
  if (memory_ >= 0) path_ = "/proc/self/fd/" + std::to_string(memory_);  // a child of a fork has it, too
}

Log::~Log() {
  if (memory_ >= 0) {
    ::close(memory_);
    return;
  }
  std::error_code none;
  if (std::filesystem::file_size(path_, none) == 0) std::filesystem::remove(path_, none);
}

std::string Log::last_line() const {
  std::ifstream in(path_);
  std::string line, last;
  while (std::getline(in, line))
    if (!line.empty()) last = line;
  return last;
}

}  // namespace vmbsim::batch
