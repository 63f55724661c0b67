#pragma once
/// SimGrid allows one engine in the life of a process, so every run here is a process of its own.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <exception>
#include <string>

namespace vmbsim::platform {

/// What `story` returns, told from a child process. "died" when it did not come to its end.
template <class Story>
std::string in_a_process(const Story& story) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::string told;
    try {
      told = story();
    } catch (const std::exception& error) { told = error.what(); }
    told += '\n';
    for (std::size_t done = 0; done < told.size();) {
      const ssize_t n = ::write(ends[1], told.data() + done, told.size() - done);
      if (n <= 0) ::_exit(2);
      done += static_cast<std::size_t>(n);
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string told;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) told.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || told.empty()) return "died";
  told.pop_back();
  return told;
}

}  // namespace vmbsim::platform
