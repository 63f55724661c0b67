#pragma once
/// Commands in a document and the output it promises; files that it shows.
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

/// A block of a language, as in ```toml base.toml: the language, then perhaps a name. One without a name is a file that nothing
/// else on the page needs.
struct Snippet {
  std::size_t line = 0;  ///< of its first line, counted from 1
  std::string name;
  std::string text;
};

std::vector<Snippet> snippets_in(const std::vector<std::string>& document, const std::string& language);

/// Whether the output is the promised one.
bool keeps(const std::vector<std::string>& promised, const std::vector<std::string>& printed);

}  // namespace vmbsim::tidy
