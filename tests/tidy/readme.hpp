#pragma once
/// Commands in a document, and the output it promises.
///
/// A block that follows the line `<!-- checked -->` is one: `$ command` lines, each with the output below it. A line `...`
/// stands for any number of lines, and figures of wall time may differ.
#include <string>
#include <vector>

namespace vmbsim::tidy {

struct Promise {
  std::size_t line = 0;  ///< of the command, counted from 1
  std::string command;
  std::vector<std::string> output;
};

std::vector<Promise> promises_in(const std::vector<std::string>& document);

/// Whether the output is the promised one.
bool keeps(const std::vector<std::string>& promised, const std::vector<std::string>& printed);

}  // namespace vmbsim::tidy
