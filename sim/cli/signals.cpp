#include "sim/cli/signals.hpp"

#include <unistd.h>

#include "sim/cli/verbs.hpp"

namespace vmbsim::cli {

namespace {

extern "C" void on_terminate(int) {
  constexpr char text[] = "vmbsim: stopped by SIGTERM; nothing was written\n";
  [[maybe_unused]] const auto told = ::write(STDERR_FILENO, text, sizeof text - 1);
  ::_exit(stopped);
}

extern "C" void on_abort(int) { ::_exit(broken); }

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void prepare_signals() {
  handle(SIGTERM, on_terminate);
  handle(SIGABRT, on_abort);
  for (const int signal : {SIGPIPE, SIGXFSZ}) handle(signal, SIG_IGN);  // the write tells
}

Unstoppable::Unstoppable() {
  sigset_t waiting;
  ::sigemptyset(&waiting);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&waiting, signal);
  ::pthread_sigmask(SIG_BLOCK, &waiting, &before_);
}

Unstoppable::~Unstoppable() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace vmbsim::cli
