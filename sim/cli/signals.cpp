#include "sim/cli/signals.hpp"

#include <unistd.h>

#include <iterator>

#include "sim/cli/verbs.hpp"

namespace vmbsim::cli {

namespace {

extern "C" void on_terminate(int) {
  constexpr char text[] = "vmbsim: stopped by SIGTERM; nothing was written\n";
  [[maybe_unused]] const auto told = ::write(STDERR_FILENO, text, sizeof text - 1);
  ::_exit(stopped);
}

extern "C" void on_abort(int) { ::_exit(broken); }

volatile std::sig_atomic_t stop_requested = 0;
extern "C" void on_stop_request(int) { stop_requested = 1; }
constexpr int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

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

StopRequest::StopRequest() {
  stop_requested = 0;
  struct sigaction action {};
  action.sa_handler = on_stop_request;
  for (std::size_t i = 0; i < std::size(stop_signals); ++i) ::sigaction(stop_signals[i], &action, &before_[i]);
}

StopRequest::~StopRequest() {
  for (std::size_t i = 0; i < std::size(stop_signals); ++i) ::sigaction(stop_signals[i], &before_[i], nullptr);
}

bool StopRequest::made() { return stop_requested != 0; }

}  // namespace vmbsim::cli
