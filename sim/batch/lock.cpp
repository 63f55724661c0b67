#include "sim/batch/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "sim/config/file.hpp"

namespace vmbsim::batch {

Lock::~Lock() {
  if (file_ < 0) return;
  [[maybe_unused]] const int emptied = ::ftruncate(file_, 0);
  ::close(file_);
}

std::optional<Problem> Lock::take(const std::filesystem::path& file) {
  Problem problem = config::problem_with(file.string(), "");
  const auto because = [](int error) { return std::generic_category().message(error); };
  file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) {
    problem.text = "cannot be made: " + because(errno);
    return problem;
  }
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(file_, F_SETLK, &whole) != 0) {
    const int error = errno;
    char who[256] = {};
    const ssize_t n = ::pread(file_, who, sizeof who - 1, 0);
    if (error != EACCES && error != EAGAIN)
      problem.text = "cannot be locked: " + because(error);
    else
      problem.text = fmt::format("another vmbsim is at work here: {}", n > 0 ? who : "it does not say which");
    ::close(file_);
    file_ = -1;
    return problem;
  }
  char host[128] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string self = fmt::format("process {} on {}", ::getpid(), host);
  if (::ftruncate(file_, 0) != 0 || ::pwrite(file_, self.data(), self.size(), 0) < 0) {
    problem.text = "cannot be written: " + because(errno);
    return problem;
  }
  return std::nullopt;
}

}  // namespace vmbsim::batch
