#pragma once
/// Asks a child process, where the answer may cost the life of whoever looks for it.
#include <functional>
#include <string>

namespace vmbsim::foreign {

struct Answer {
  enum class End : unsigned char {
    told,    ///< `text` is what was returned
    died,    ///< by a signal, an exit or an uncaught exception
    endless  ///< it used up `most_seconds` of processor time
  };
  End end = End::died;
  std::string text;
};

/// Runs `question` in a copy of this process that has no standard streams, and waits for it.
Answer ask_child(const std::function<std::string()>& question, unsigned most_seconds = 5);

}  // namespace vmbsim::foreign
