#include "sim/workers/crew.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <utility>

#include "sim/foreign/child.hpp"
#include "sim/foreign/watch.hpp"
#include "vmbsim/assert.hpp"

namespace vmbsim::workers {

namespace {

[[noreturn]] void work_as_child(const Crew::Work& work, BlackBox& box, int to, pid_t parent, unsigned patience_s,
                                const std::filesystem::path& log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  foreign::settle_child(log.empty() ? -1 : ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  for (const int asked : {SIGINT, SIGTERM, SIGHUP}) ::signal(asked, SIG_IGN);  // often sent to all; the parent decides
  if (patience_s != 0) foreign::leave_patience_to_parent(patience_s);
  int status = 0;
  try {
    foreign::tell(to, work(box));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    status = 1;
  }
  std::fflush(stdout);
  ::_exit(status);
}

/// Processor time of a process so far; 0 when it is over.
std::int64_t processor_time_ns(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::int64_t nanoseconds_of(const timeval& time) {
  return (std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec) * 1000;
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Memory that a process holds now; 0 when it is over.
std::int64_t resident_bytes(pid_t process) {
  char text[128] = {};
  const int file = ::open(("/proc/" + std::to_string(process) + "/statm").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t n = ::read(file, text, sizeof text - 1);
  ::close(file);
  long long size = 0, resident = 0;
  if (n <= 0 || std::sscanf(text, "%lld %lld", &size, &resident) != 2) return 0;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

Crew::~Crew() { dismiss(); }

void Crew::start(std::uint64_t id, const Work& work, const std::filesystem::path& log) {
  VMBSIM_ASSERT(!full(), "a worker has a place");
  int ends[2];
  VMBSIM_ASSERT(::pipe2(ends, O_CLOEXEC) == 0, "the system gives a pipe for a worker");
  auto box = std::make_unique<BlackBox>();
  const pid_t parent = ::getpid();
  std::fflush(stdout);  // else the child would say it once more
  const pid_t child = ::fork();
  VMBSIM_ASSERT(child >= 0, "the system gives a process for a worker");
  if (child == 0) {
    // Another worker's pipe must not stay open here: its end would never be seen.
    for (const Worker& other : workers_) ::close(other.from);
    ::close(ends[0]);
    work_as_child(work, *box, ends[1], parent, limits_.patience_s, log);
  }
  ::close(ends[1]);
  if (workers_.empty()) looked_ns_ = now_ns();
  workers_.push_back(
      {.id = id, .process = child, .from = ends[0], .box = std::move(box), .text = {}, .started_ns = now_ns()});
}

std::optional<Crew::Ended::How> Crew::stuck(Worker& worker, std::int64_t now) const {
  constexpr std::int64_t longest_look_ns = 500'000'000;  // this process may have been stopped
  constexpr std::int64_t last_word_s = 1;
  const std::int64_t used = processor_time_ns(worker.process);
  const std::int64_t busy = used - std::exchange(worker.used_ns, used);
  if (const std::uint64_t ticks = worker.box->ticks(); ticks != worker.ticks) {
    if (worker.ticks != 0) worker.quiet_ns = std::max(worker.quiet_ns, worker.busy_ns + worker.asleep_ns + busy);
    worker.ticks = ticks;
    worker.busy_ns = worker.asleep_ns = 0;
    worker.told_stuck.reset();
    return std::nullopt;
  }
  worker.busy_ns += busy;
  if (foreign::is_asleep(worker.process))
    worker.asleep_ns += std::max<std::int64_t>(std::min(now - looked_ns_, longest_look_ns) - busy, 0);
  // Between two runs a strategy thinks, and at first the program is made.
  const std::int64_t patience_s = worker.box->running() ? limits_.patience_s : std::int64_t{10} * limits_.patience_s;
  const std::int64_t lost_ns = worker.busy_ns + worker.asleep_ns;
  if (lost_ns <= patience_s * 1'000'000'000) return std::nullopt;
  if (!worker.told_stuck)
    worker.told_stuck = worker.asleep_ns > worker.busy_ns ? Ended::How::asleep : Ended::How::endless;
  if (lost_ns > (patience_s + last_word_s) * 1'000'000'000) return worker.told_stuck;
  using Kind = foreign::Mishap::Kind;
  foreign::send_stuck(worker.process, worker.told_stuck == Ended::How::asleep ? Kind::asleep : Kind::endless);
  return std::nullopt;
}

std::optional<Crew::Ended::How> Crew::beyond(Worker& worker, std::int64_t now) const {
  if (limits_.time_ms > 0 && now - worker.started_ns > limits_.time_ms * 1'000'000) return Ended::How::over_time;
  if (limits_.memory_bytes > 0 && resident_bytes(worker.process) > limits_.memory_bytes) return Ended::How::over_memory;
  return limits_.patience_s > 0 ? stuck(worker, now) : std::nullopt;
}

Crew::Ended Crew::finish(std::size_t at, std::optional<Ended::How> killed) {
  Worker worker = std::move(workers_[at]);
  workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(at));
  if (killed) ::kill(worker.process, SIGKILL);
  ::close(worker.from);
  int status = 0;
  rusage used{};
  while (::wait4(worker.process, &status, 0, &used) < 0 && errno == EINTR) {}
  Ended ended;
  ended.id = worker.id;
  ended.box = std::move(worker.box);
  ended.quiet_ns = worker.quiet_ns;
  ended.wall_ns = now_ns() - worker.started_ns;
  ended.processor_ns = nanoseconds_of(used.ru_utime) + nanoseconds_of(used.ru_stime);
  ended.peak_bytes = std::int64_t{used.ru_maxrss} * 1024;
  if (!killed && limits_.memory_bytes > 0 && ended.peak_bytes > limits_.memory_bytes) killed = Ended::How::over_memory;
  if (killed) {
    ended.how = *killed;
  } else if (foreign::take_whole(worker.text)) {
    ended.how = Ended::How::told;
    ended.text = std::move(worker.text);
  } else if (WIFSIGNALED(status) && WTERMSIG(status) == foreign::stuck_signal && worker.told_stuck) {
    ended.how = *worker.told_stuck;
  } else if (WIFSIGNALED(status)) {
    ended.how = Ended::How::died;
    ended.signal = WTERMSIG(status);
  }
  return ended;
}

std::optional<Crew::Ended> Crew::look() {
  constexpr std::int64_t look_every_ns = 50'000'000;
  const std::int64_t now = now_ns();
  if (now - looked_ns_ < look_every_ns) return std::nullopt;
  for (std::size_t i = 0; i < workers_.size(); ++i)
    if (const auto how = beyond(workers_[i], now)) return finish(i, how);
  looked_ns_ = now;
  return std::nullopt;
}

std::optional<Crew::Ended> Crew::wait(int milliseconds) {
  constexpr int look_every_ms = 50;
  std::vector<pollfd> ends;
  for (const Worker& worker : workers_) ends.push_back({.fd = worker.from, .events = POLLIN, .revents = 0});
  int ready = 0;
  for (int left = milliseconds; left > 0 && ready == 0; left -= look_every_ms) {
    ready = ::poll(ends.data(), ends.size(), std::min(left, look_every_ms));
    if (auto ended = look()) return ended;
  }
  if (ready <= 0) return std::nullopt;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i].revents == 0) continue;
    char buffer[65536];
    const ssize_t n = ::read(workers_[i].from, buffer, sizeof buffer);
    if (n > 0) workers_[i].text.append(buffer, static_cast<std::size_t>(n));
    if (n == 0) return finish(i, std::nullopt);
  }
  return std::nullopt;
}

void Crew::ask_to_stop() {
  for (const Worker& worker : workers_) worker.box->ask_to_stop();
}

void Crew::dismiss() {
  for (const Worker& worker : workers_) {
    ::kill(worker.process, SIGKILL);
    ::close(worker.from);
    while (::waitpid(worker.process, nullptr, 0) < 0 && errno == EINTR) {}
  }
  workers_.clear();
}

std::uint64_t Crew::steps() const {
  std::uint64_t sum = 0;
  for (const Worker& worker : workers_) sum += worker.box->steps();
  return sum;
}

std::uint64_t Crew::runs() const {
  std::uint64_t sum = 0;
  for (const Worker& worker : workers_) sum += worker.box->runs();
  return sum;
}

unsigned processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::clamp(CPU_COUNT(&set), 1, 256));
}

Crew::Ended in_child(const Crew::Work& work, unsigned patience_s, BlackBox* waiting,
                     const std::function<bool()>& stop_asked) {
  Crew crew(1, {.patience_s = patience_s});
  crew.start(0, work);
  for (;;) {
    if (auto ended = crew.wait(200)) return std::move(*ended);
    if (waiting != nullptr) waiting->tick();
    if (stop_asked && stop_asked()) crew.ask_to_stop();
  }
}

}  // namespace vmbsim::workers
