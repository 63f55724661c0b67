#pragma once
/// TOML text to nodes and back.
#include <optional>
#include <string>
#include <string_view>

#include "sim/config/document.hpp"

namespace vmbsim::config {

/// The text as a table. A syntax error is one problem and leaves nothing. `file` is an index of `document`.
std::optional<Node> parse_toml(std::string_view text, const Document& document, std::uint32_t file, Problems& problems);

/// The text of one value as TOML would have it behind `key = `; nothing if it is no such thing.
std::optional<Node> parse_toml_value(std::string_view text);

/// `text` in quotes, so that it reads back.
std::string toml_quoted(std::string_view text);
/// A key, in quotes where TOML wants them.
std::string key_text(std::string_view key);
/// A value on one line: tables and lists inline.
std::string value_text(const Node& value);
/// A number that reads back to the same bits.
std::string real_text(double value);

}  // namespace vmbsim::config
