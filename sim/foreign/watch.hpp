#pragma once
/// Keeps code that is not ours from taking the process with it.
///
///   Watch watch({.stop = &stop_context, .object = &world, .progress = &count, .code = {{begin, end}}});
///   ...                                   // foreign code runs
///   if (watch.mishap()) ...               // what ended it
///
/// A mishap is a fault of the processor, abort(), exit(), an endless loop or a sleep. On one the watch calls `stop`, inside the signal
/// handler or the call of exit: it leaves the foreign code's stack for good, so it does not return. Returning means that no
/// foreign code was running, and the mishap takes its usual course.
///
/// Endless   more than `patience` seconds of processor time without progress. It is the only measure of real time in a run: one
///           that ends by itself never depends on it.
/// Stuck     whoever looks after this process may know sooner, and sees a sleep, which takes no processor time: send_stuck().
/// Later     where foreign code has called code of ours when it is to be stopped, `stop` returns and may see to it that it is
///           stopped when it goes on, by a call of stopped_late() after the fact.
/// One at a time in a process; a second one is an assertion.
#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <optional>
#include <vector>

namespace vmbsim::foreign {

struct Mishap {
  enum class Kind : std::uint8_t { fault, abort, exit, endless, asleep };
  Kind kind{};
  int signal = 0;              ///< fault: SIGSEGV, SIGBUS, SIGFPE, SIGILL
  int status = 0;              ///< exit: what it was called with
  std::uintptr_t address = 0;  ///< fault: what was touched
  std::uintptr_t code = 0;     ///< the instruction; 0 for exit
};

/// Addresses of instructions: [begin, end).
struct CodeSpan {
  std::uintptr_t begin;
  std::uintptr_t end;
};

/// Tells a process that it makes no progress, for it computes (endless) or sleeps (asleep). Its watch ends what foreign code runs:
/// a sleep at once; a computation once it has made no progress since it was told before, in the foreign code where it can be. So it
/// is told again and again. Without a watch the process ends, by stuck_signal.
void send_stuck(pid_t process, Mishap::Kind how);
extern const int stuck_signal;

/// Whoever looks after this process tells it when it is stuck, and has this much patience: from now on a watch of it has more.
void leave_patience_to_parent(unsigned seconds);

class Watch {
 public:
  struct Config {
    /// Leaves the stack of the foreign code that runs. Async-signal-safe but for that. Returns only when none runs, or code of
    /// ours that it has called and that is not to be left in the middle.
    void (*stop)(void* object, const Mishap& mishap);
    /// A number that changes as long as there is progress; reading it is safe at any time.
    std::uint64_t (*progress)(void* object);
    void* object;
    std::vector<CodeSpan> code;  ///< the foreign code: a loop is best left there
    int patience = 10;           ///< seconds of processor time, 1 or more; see leave_patience_to_parent()
  };
  explicit Watch(Config config);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  const std::optional<Mishap>& mishap() const { return mishap_; }
  /// What `stop` returned from last has ended foreign code by now.
  void stopped_late() {
    if (!mishap_) mishap_ = late_;
  }

 private:
  friend struct Handlers;
  void on_fault(int signal, std::uintptr_t address, std::uintptr_t code);
  void on_tick(std::uintptr_t code);
  void on_stuck(Mishap::Kind how, std::uintptr_t code);
  void stop(const Mishap& mishap);
  bool is_foreign(std::uintptr_t code) const;

  Config config_;
  std::optional<Mishap> mishap_;
  std::optional<Mishap> late_;  // that `stop` returned from last
  std::uint64_t seen_ = 0;      // progress at the last tick
  int quiet_ = 0;               // ticks without progress
  std::uint64_t told_at_ = 0;   // progress when it was told to be stuck last
  int told_ = 0;                // how often, without progress
  void* signal_stack_;
  stack_t stack_before_{};
  struct Replaced {
    int signal;
    struct sigaction action;
  };
  std::vector<Replaced> before_;
};

}  // namespace vmbsim::foreign
