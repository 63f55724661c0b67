#pragma once
/// Results go to stdout, diagnostics to stderr.
#include <string>

#include "sim/cli/verbs.hpp"
#include "vmbsim/problem.hpp"

namespace vmbsim::cli {

/// Writes a verb's result and returns `status`, or `broken` when it could not be written, with a line on stderr. A reader
/// that had enough and went away is no error.
int say(const std::string& text, int status);

/// What to do when a signal ended a command whose runs are kept: type it again.
std::string stopped_text(const std::string& command);

/// One line each on stderr.
void print(const Problems& problems);

}  // namespace vmbsim::cli
