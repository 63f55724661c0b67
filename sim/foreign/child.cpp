#include "sim/foreign/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <string_view>

namespace vmbsim::foreign {

namespace {

constexpr char whole = '\n';  // the answer's last byte, which tells it from one that was cut short

/// What the child says. One that only sleeps is killed after a while.
std::string read_all(int from, pid_t child, unsigned seconds) {
  constexpr int look_every_ms = 50;
  std::string text;
  char buffer[4096];
  pollfd end{.fd = from, .events = POLLIN, .revents = 0};
  for (std::int64_t asleep_ms = 0;;) {
    const int ready = ::poll(&end, 1, look_every_ms);
    if (ready == 0 && is_asleep(child)) asleep_ms += look_every_ms;
    if (asleep_ms > std::int64_t{seconds} * 1000) {
      ::kill(child, SIGKILL);
      return {};
    }
    if (ready <= 0) continue;
    const ssize_t n = ::read(from, buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EINTR)) return text;
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  }
}

[[noreturn]] void answer(const std::function<std::string()>& question, Limits limits, int to) {
  settle_child();
  ::signal(SIGXCPU, SIG_DFL);
  const rlimit time{limits.seconds, limits.seconds + 1};
  ::setrlimit(RLIMIT_CPU, &time);
#ifndef VMBSIM_SANITIZED
  const rlimit memory{limits.bytes, limits.bytes};
  if (limits.bytes != 0) ::setrlimit(RLIMIT_DATA, &memory);
#endif
  try {
    tell(to, question());
  } catch (const std::exception&) {}
  ::_exit(0);
}

}  // namespace

void settle_child(int output) {
  const int nowhere = ::open("/dev/null", O_RDWR);
  ::dup2(nowhere, 0);
  for (const int standard : {1, 2}) ::dup2(output < 0 ? nowhere : output, standard);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int fatal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) ::signal(fatal, SIG_DFL);
}

void tell(int to, const std::string& answer) {
  const std::string text = answer + whole;
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(to, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    done += static_cast<std::size_t>(n);
  }
}

bool take_whole(std::string& text) {
  if (text.empty() || text.back() != whole) return false;
  text.pop_back();
  return true;
}

bool is_asleep(pid_t process) {
  char text[256] = {};
  const int file = ::open(("/proc/" + std::to_string(process) + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t n = ::read(file, text, sizeof text - 1);
  ::close(file);
  // "1234 (the program's name) S ...", and the name may hold anything
  const std::string_view line(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  return line.substr(std::min(line.rfind(')'), line.size())).starts_with(") S");
}

Answer ask_child(const std::function<std::string()>& question, Limits limits) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) answer(question, limits, ends[1]);
  ::close(ends[1]);
  Answer answer;
  if (child > 0) answer.text = read_all(ends[0], child, limits.seconds);
  ::close(ends[0]);
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (take_whole(answer.text)) {
    answer.end = Answer::End::told;
  } else if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)) {
    answer.end = Answer::End::endless;
  }
  return answer;
}

}  // namespace vmbsim::foreign
