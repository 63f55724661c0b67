#pragma once
/// A configuration text as a tree in which every key and every value knows its place.
///
///   Problems problems;
///   Document document = load_document("disk.toml", problems);
///   apply_override(document, 1, "workload.foreground.queue_depth=8", problems);   // overrides.hpp
///
/// Includes  `include = ["a.toml", "b.toml"]` at the top of a file: the included files are the base, in the order given, and
///           the file's own keys win over them. Tables are merged key by key; arrays of tables are appended, the included
///           entries first; any other value is replaced. The key `include` itself does not survive.
/// Limits    A file holds at most 1 MiB, tables and arrays are nested at most 64 deep, one document is made of at most 64
///           files: text beyond that is a problem, not a crash.
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmbsim/problem.hpp"

namespace vmbsim::config {

inline constexpr std::int64_t largest_file = 1 << 20;
inline constexpr std::size_t deepest_nesting = 64;
inline constexpr std::size_t most_files = 64;

/// A place inside a Document: which of its files, line and column from 1.
struct Origin {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct Entry;

/// One value. Which member holds it follows from `kind`.
struct Node {
  enum class Kind : std::uint8_t { table, list, text, integer, real, boolean, date };
  Kind kind = Kind::table;
  Origin at;
  std::string text;  ///< text; for a date as written
  std::int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::vector<Node> items;     ///< of a list
  std::vector<Entry> entries;  ///< of a table, in order of appearance; keys are unique

  bool is(Kind k) const { return kind == k; }
  /// A list of at least one table and nothing else.
  bool is_list_of_tables() const;
  /// The entry of that key, or nullptr.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
};

/// A key and its value.
struct Entry {
  std::string key;
  Origin at;  ///< of the key
  Node value;
};

/// `a table`, `text`, `a whole number`: for messages.
const char* name_of(Node::Kind kind);

class Document {
 public:
  Node root;

  /// A new file of this document; the index is what Origin::file means.
  std::uint32_t add_file(std::string name);
  const std::string& file(Origin at) const { return files_[at.file]; }
  Place place(Origin at) const { return {files_[at.file], at.line, at.column}; }
  std::size_t files() const { return files_.size(); }

 private:
  std::deque<std::string> files_;
};

/// Reads `path` and what it includes. After a problem the document holds what could be read.
Document load_document(const std::string& path, Problems& problems);

/// The same for a text that is in memory. Touches no file: an `include` is a problem.
Document parse_document(std::string_view text, std::string file, Problems& problems);

}  // namespace vmbsim::config
