#pragma once
/// Asks a child process, where the answer may cost the life of whoever looks for it.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace vmbsim::foreign {

struct Answer {
  enum class End : unsigned char {
    told,    ///< `text` is what was returned
    died,    ///< by a signal, an exit or an uncaught exception
    endless  ///< it used up its processor time, or slept as long
  };
  End end = End::died;
  std::string text;
};

/// What the child may use.
struct Limits {
  unsigned seconds = 5;  ///< of processor time; as many asleep
  std::uint64_t bytes =
      0;  ///< of data; 0: as much as this process. A sanitizer's shadow memory is data, too, so not with one.
};

/// What every child does, whoever forked it.
/// Its standard streams lead nowhere, or where `output` leads; a fatal signal ends it and leaves no core file.
void settle_child(int output = -1);
/// Writes an answer to a pipe so that whoever reads it knows that it is whole.
void tell(int to, const std::string& answer);
/// Takes that mark off what was read; false when the answer was cut short.
bool take_whole(std::string& text);

/// Whether a process waits for what is neither a processor nor a disk nor a debugger.
bool is_asleep(pid_t process);

/// Runs `question` in a copy of this process that has no standard streams, and waits for it.
Answer ask_child(const std::function<std::string()>& question, Limits limits = {});

}  // namespace vmbsim::foreign
