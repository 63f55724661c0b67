#include "sim/config/toml_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>
#include <utility>

#include <toml++/toml.h>

#include "sim/config/suggestions.hpp"

namespace vmbsim::config {
namespace {

constexpr std::size_t longest_message = 200;  // a parser quotes what it saw, line ends included

/// How deep a text nests, found without building anything: the parser and the destructors of its tree recurse, so text that
/// goes deeper than `deepest_nesting` must never reach them. Follows TOML's lexical rules: comments, the four kinds of
/// strings, brackets and the dots of keys.
class NestingScan {
 public:
  explicit NestingScan(std::string_view text) : text_(text) {}

  /// The place where the limit is passed, if it is. Columns count bytes.
  std::optional<Origin> too_deep() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#')
        skip_comment();
      else if (c == '"' || c == '\'')
        skip_string(c);
      else {
        count(c);
        ++at_;
      }
      if (depth_ + open_.size() > deepest_nesting) return here();
    }
    return std::nullopt;
  }

 private:
  void count(char c) {
    switch (c) {
      case '.': ++depth_; break;
      case '[':
      case '{': open_.push_back(depth_); break;
      case ',': depth_ = open_.empty() ? 0 : open_.back(); break;
      case ']':
      case '}':
        if (open_.empty()) break;
        depth_ = open_.back();
        open_.pop_back();
        break;
      case '\n':
        ++line_;
        line_start_ = at_ + 1;
        if (open_.empty()) depth_ = 0;
        break;
      default: break;
    }
  }

  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }

  void skip_string(char quote) {
    const bool multi_line = text_.substr(at_, 3) == std::string(3, quote);
    at_ += multi_line ? 3 : 1;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        if (!multi_line) return;  // unterminated: the parser stops here, too
        ++line_;
        line_start_ = at_ + 1;
      } else if (c == '\\' && quote == '"') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
      } else if (c == quote) {
        std::size_t run = 1;
        while (run < 5 && at_ + run < text_.size() && text_[at_ + run] == quote) ++run;
        if (!multi_line) run = 1;
        if (multi_line && run < 3) continue;
        at_ += run;
        return;
      }
    }
  }

  /// Of the character before `at_`.
  Origin here() const { return {0, line_, static_cast<std::uint32_t>(at_ - line_start_)}; }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;          // dots of the current key, and those of the keys around it
  std::vector<std::size_t> open_;  // depth_ at each open bracket
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;
};

Origin origin(const toml::source_region& source, std::uint32_t file) {
  return {file, static_cast<std::uint32_t>(source.begin.line), static_cast<std::uint32_t>(source.begin.column)};
}

Node convert(const toml::node& from, std::uint32_t file) {
  Node out;
  out.at = origin(from.source(), file);
  if (const auto* table = from.as_table()) {
    out.kind = Node::Kind::table;
    for (auto&& [key, value] : *table)
      out.entries.push_back({std::string(key.str()), origin(key.source(), file), convert(value, file)});
    // The parser sorts by key; people expect the order they wrote.
    std::stable_sort(out.entries.begin(), out.entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair{a.at.line, a.at.column} < std::pair{b.at.line, b.at.column};
    });
  } else if (const auto* list = from.as_array()) {
    out.kind = Node::Kind::list;
    for (const toml::node& item : *list) out.items.push_back(convert(item, file));
  } else if (const auto* text = from.as_string()) {
    out.kind = Node::Kind::text;
    out.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    out.kind = Node::Kind::integer;
    out.integer = integer->get();
  } else if (const auto* real = from.as_floating_point()) {
    out.kind = Node::Kind::real;
    out.real = real->get();
  } else if (const auto* boolean = from.as_boolean()) {
    out.kind = Node::Kind::boolean;
    out.boolean = boolean->get();
  } else {
    out.kind = Node::Kind::date;
    std::ostringstream written;
    if (const auto* date = from.as_date())
      written << date->get();
    else if (const auto* time = from.as_time())
      written << time->get();
    else if (const auto* both = from.as_date_time())
      written << both->get();
    out.text = written.str();
  }
  return out;
}

}  // namespace

std::optional<Node> parse_toml(std::string_view text, const Document& document, std::uint32_t file,
                               Problems& problems) {
  const auto refuse = [&](Origin at, std::string what) {
    at.file = file;
    problems.push_back({document.place(at), std::move(what)});
    return std::nullopt;
  };
  if (text.size() > static_cast<std::size_t>(largest_file))
    return refuse({}, "larger than " + std::to_string(largest_file >> 20) + " MiB, which is the most that is read");
  if (const auto deep = NestingScan(text).too_deep())
    return refuse(*deep, "nested more than " + std::to_string(deepest_nesting) + " deep");
  try {
    const toml::table table = toml::parse(text, document.file({file, 0, 0}));
    Node root = convert(table, file);
    root.at = {file, 1, 1};
    return root;
  } catch (const toml::parse_error& error) {
    return refuse(origin(error.source(), file), "not TOML: " + printable(error.description(), longest_message));
  }
}

std::optional<Node> parse_toml_value(std::string_view text) {
  Document scratch;
  const std::uint32_t file = scratch.add_file("value");
  Problems ignored;
  auto parsed = parse_toml("value = " + std::string(text), scratch, file, ignored);
  if (!parsed || parsed->entries.size() != 1 || parsed->entries[0].key != "value") return std::nullopt;
  return std::move(parsed->entries[0].value);
}

std::string toml_quoted(std::string_view text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (code < 0x20 || code == 0x7F)
      ((out += "\\u00") += hex[code >> 4]) += hex[code & 15];
    else
      out += c;
  }
  return out + '"';
}

std::string key_text(std::string_view key) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (key.empty()) return toml_quoted(key);
  for (const char c : key)
    if (!bare(c)) return toml_quoted(key);
  return std::string(key);
}

std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string out(buffer.data(), end);
  return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
}

std::string value_text(const Node& value) {
  switch (value.kind) {
    case Node::Kind::text: return toml_quoted(value.text);
    case Node::Kind::integer: return std::to_string(value.integer);
    case Node::Kind::real: return real_text(value.real);
    case Node::Kind::boolean: return value.boolean ? "true" : "false";
    case Node::Kind::date: return value.text;
    case Node::Kind::list: {
      std::string out = "[";
      for (const Node& item : value.items) out += (out.size() > 1 ? ", " : "") + value_text(item);
      return out + "]";
    }
    case Node::Kind::table: {
      std::string out = "{";
      for (const Entry& entry : value.entries)
        out += (out.size() > 1 ? ", " : " ") + key_text(entry.key) + " = " + value_text(entry.value);
      return out + (value.entries.empty() ? "}" : " }");
    }
  }
  return {};
}

}  // namespace vmbsim::config
