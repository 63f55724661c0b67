#include "sim/foreign/child.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>

namespace vmbsim::foreign {

namespace {

constexpr char whole = '\n';  // the answer's last byte, which tells it from one that was cut short

void write_all(int to, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(to, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

std::string read_all(int from) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(from, buffer, sizeof buffer)) != 0;) {
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR) break;
  }
  return text;
}

[[noreturn]] void answer(const std::function<std::string()>& question, Limits limits, int to) {
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (const int standard : {0, 1, 2}) ::dup2(nowhere, standard);
  const rlimit time{limits.seconds, limits.seconds + 1};
  ::setrlimit(RLIMIT_CPU, &time);
#ifndef VMBSIM_SANITIZED
  const rlimit memory{limits.bytes, limits.bytes};
  if (limits.bytes != 0) ::setrlimit(RLIMIT_DATA, &memory);
#endif
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int fatal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGXCPU}) ::signal(fatal, SIG_DFL);
  try {
    write_all(to, question() + whole);
  } catch (const std::exception&) {}
  ::_exit(0);
}

}  // namespace

Answer ask_child(const std::function<std::string()>& question, Limits limits) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) answer(question, limits, ends[1]);
  ::close(ends[1]);
  Answer answer;
  if (child > 0) answer.text = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (!answer.text.empty() && answer.text.back() == whole) {
    answer.text.pop_back();
    answer.end = Answer::End::told;
  } else if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)) {
    answer.end = Answer::End::endless;
  }
  return answer;
}

}  // namespace vmbsim::foreign
