#include "sim/foreign/watch.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include "vmbsim/assert.hpp"

namespace vmbsim::foreign {

namespace {
constexpr std::size_t signal_stack_bytes = 64 * 1024;
Watch* active = nullptr;  // signals belong to the process, and so does their handler
int parents_patience_s = 0;
}  // namespace

const int stuck_signal = SIGVTALRM;  // a tick that somebody sent

void send_stuck(pid_t process, Mishap::Kind how) {
  sigval value{};
  value.sival_int = static_cast<int>(how);
  ::sigqueue(process, stuck_signal, value);
}

void leave_patience_to_parent(unsigned seconds) { parents_patience_s = static_cast<int>(std::min(seconds, 1u << 20)); }

/// What the system calls, with C's linkage and nothing of ours behind it.
struct Handlers {
  static void on_fault(int signal, siginfo_t* info, void* machine) {
    if (active != nullptr) active->on_fault(signal, reinterpret_cast<std::uintptr_t>(info->si_addr), code_of(machine));
    ::signal(signal, SIG_DFL);  // not theirs: the usual course
    ::raise(signal);
  }
  static void on_tick(int, siginfo_t* info, void* machine) {
    if (active == nullptr) return;
    if (info->si_code == SI_QUEUE)
      active->on_stuck(static_cast<Mishap::Kind>(info->si_value.sival_int), code_of(machine));
    else
      active->on_tick(code_of(machine));
  }
  static void on_exit(int status) {
    if (active != nullptr) active->stop({.kind = Mishap::Kind::exit, .status = status});
  }
  static std::uintptr_t code_of(const void* machine) {
#if defined(__x86_64__)
    return static_cast<std::uintptr_t>(static_cast<const ucontext_t*>(machine)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
    return static_cast<std::uintptr_t>(static_cast<const ucontext_t*>(machine)->uc_mcontext.pc);
#endif
  }
};

Watch::Watch(Config config) : config_(std::move(config)) {
  VMBSIM_ASSERT(active == nullptr, "one watch at a time");
  constexpr int last_word_s = 3;  // a parent is to come first
  if (parents_patience_s != 0) config_.patience = std::max(config_.patience, parents_patience_s + last_word_s);
  // A fault may be that a stack is used up, so handlers have one of their own.
  signal_stack_ = ::mmap(nullptr, signal_stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  VMBSIM_ASSERT(signal_stack_ != MAP_FAILED, "there is memory for one more stack");
  stack_t stack{};
  stack.ss_sp = signal_stack_;
  stack.ss_size = signal_stack_bytes;
  ::sigaltstack(&stack, &stack_before_);
  const auto handle = [this](int signal, void (*handler)(int, siginfo_t*, void*), int flags) {
    struct sigaction action {};
    action.sa_sigaction = handler;
    action.sa_flags =
        SA_SIGINFO | SA_ONSTACK | SA_NODEFER | flags;  // left without returning, so nothing may stay blocked
    ::sigaction(signal, &action, &before_.emplace_back(Replaced{signal, {}}).action);
  };
  before_.reserve(8);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) handle(fault, &Handlers::on_fault, 0);
  handle(SIGVTALRM, &Handlers::on_tick, SA_RESTART);
  active = this;
  const itimerval every_second{{1, 0}, {1, 0}};
  ::setitimer(ITIMER_VIRTUAL, &every_second, nullptr);
}

Watch::~Watch() {
  const itimerval never{};
  ::setitimer(ITIMER_VIRTUAL, &never, nullptr);
  active = nullptr;
  for (const Replaced& replaced : before_) ::sigaction(replaced.signal, &replaced.action, nullptr);
  ::sigaltstack(&stack_before_, nullptr);
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(signal_stack_,
                                signal_stack_bytes);  // handlers that did not return left red zones behind
#endif
  ::munmap(signal_stack_, signal_stack_bytes);
}

bool Watch::is_foreign(std::uintptr_t code) const {
  for (const CodeSpan& span : config_.code)
    if (code >= span.begin && code < span.end) return true;
  return false;
}

void Watch::stop(const Mishap& mishap) {
  const std::optional<Mishap> before = mishap_;
  if (!mishap_) mishap_ = mishap;  // the first one explains the others
  config_.stop(config_.object, mishap);
  mishap_ = before;  // still here: no foreign code ran
  late_ = mishap;
}

void Watch::on_fault(int signal, std::uintptr_t address, std::uintptr_t code) {
  const bool aborted = signal == SIGABRT;
  stop({.kind = aborted ? Mishap::Kind::abort : Mishap::Kind::fault,
        .signal = signal,
        .address = aborted ? 0 : address,
        .code = code});
}

void Watch::on_tick(std::uintptr_t code) {
  const std::uint64_t now = config_.progress(config_.object);
  quiet_ = now == seen_ ? quiet_ + 1 : 0;
  seen_ = now;
  // In a library's code nothing of ours is half done; anywhere else a little more patience finds it there.
  if (quiet_ >= 2 * config_.patience || (quiet_ >= config_.patience && is_foreign(code)))
    stop({.kind = Mishap::Kind::endless, .code = code});
}

void Watch::on_stuck(Mishap::Kind how, std::uintptr_t code) {
  constexpr int often = 10;
  const std::uint64_t now = config_.progress(config_.object);
  told_ = now == told_at_ ? told_ + 1 : 1;
  told_at_ = now;
  // The step may have been made while the signal was on its way; and as above.
  const bool endless = told_ > often || (told_ > 1 && is_foreign(code));
  if (how == Mishap::Kind::asleep || endless) stop({.kind = how, .code = code});
}

}  // namespace vmbsim::foreign

// A library looks for functions in the program first. So its exit comes here, and so does everybody else's.
namespace {
[[noreturn]] void leave(const char* function, int status) {
  vmbsim::foreign::Handlers::on_exit(status);
  reinterpret_cast<void (*)(int)>(::dlsym(RTLD_NEXT, function))(status);
  __builtin_unreachable();
}
}  // namespace

extern "C" {
void exit(int status) noexcept { leave("exit", status); }
void _exit(int status) { leave("_exit", status); }
void _Exit(int status) noexcept { leave("_Exit", status); }
void quick_exit(int status) noexcept { leave("quick_exit", status); }
}
