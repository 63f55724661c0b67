#pragma once
/// What signals do to vmbsim. A run that is stopped leaves nothing behind; a result is written whole or not at all.
#include <csignal>

namespace vmbsim::cli {

/// SIGTERM ends vmbsim with status 143, a failed assertion with status 3. A reader that closes the pipe on stdout and a file
/// that may not grow do not end it.
void prepare_signals();

/// While one lives, signals that ask vmbsim to stop wait.
class Unstoppable {
 public:
  Unstoppable();
  Unstoppable(const Unstoppable&) = delete;
  Unstoppable& operator=(const Unstoppable&) = delete;
  ~Unstoppable();

 private:
  sigset_t before_;
};

/// While one lives, SIGTERM, SIGINT and SIGHUP are remembered instead of ending vmbsim: for work that keeps what it has.
class StopRequest {
 public:
  StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;
  ~StopRequest();
  static bool made();

 private:
  struct sigaction before_[3];
};

}  // namespace vmbsim::cli
