#pragma once
/// Words for messages that help: the nearest known one, the right form of a noun, and foreign text made fit to print.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmbsim::config {

/// The candidate with the smallest edit distance to `word` (insert, delete, replace, or swap of two neighbours, each 1),
/// if that is at most a third of the longer word's length, rounded up. Ties go to the earlier candidate.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// ` (did you mean "x"?)`, or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// The same, and where nothing is near, `otherwise` and all candidates: `; known: a, b, c`.
std::string did_you_mean_or(std::string_view word, const std::vector<std::string>& candidates,
                            const std::string& otherwise);

/// `text` on one line: control characters and broken UTF-8 as `\x0A`; cut after `longest` characters, with `...`.
std::string printable(std::string_view text, std::size_t longest);

/// The word that goes with a count: `one` with 1, `many` with any other.
const char* word_for(std::uint64_t count, const char* one, const char* many);

/// The count and its word: `1 page`, `2 pages`.
std::string counted(std::uint64_t count, const char* one, const char* many);

/// `a, b, c`
std::string listed(const std::vector<std::string>& words);

}  // namespace vmbsim::config
