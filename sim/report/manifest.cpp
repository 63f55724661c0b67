#include "sim/report/manifest.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "sim/config/suggestions.hpp"

namespace vmbsim::report {
namespace {

constexpr std::string_view identity_start = "\n[scenario]\n";

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }

// TOML 1.0, "String": a basic string escapes quotes, backslashes and control characters.
std::string escaped(std::string_view text, bool keep_lines) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (is_control(c) || (!keep_lines && c == '\n') || c == '\t') {
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string basic(std::string_view text) { return "\"" + escaped(text, false) + "\""; }

// A literal block reads as the scenario was written; what it cannot hold goes into a basic block.
std::string block(std::string_view text) {
  bool literal = text.find("'''") == std::string_view::npos;
  for (char c : text) literal = literal && !is_control(c);
  if (literal) return "'''\n" + std::string(text) + "'''";
  return "\"\"\"\n" + escaped(text, true) + "\"\"\"";
}

}  // namespace

std::string identity(const Manifest& manifest) {
  // TOML integers are signed 64-bit; a seed is unsigned, so it is text.
  return std::string(identity_start) + "name = " + basic(manifest.scenario) + "\n" +
         fmt::format("seed = \"{}\"\n", manifest.seed.value) + "text = " + block(manifest.text) + "\n";
}

std::string identity_in(const std::string& manifest_text) {
  const std::size_t start = manifest_text.find(identity_start);
  return start == std::string::npos ? std::string{} : manifest_text.substr(start);
}

std::string first_difference(const std::string& there, const std::string& here) {
  constexpr std::size_t longest = 80;
  std::size_t old = 0;
  std::size_t now = 0;
  std::string table;
  const auto next = [](const std::string& text, std::size_t& at) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(std::min(at, end), end - std::min(at, end));
    at = end + 1;
    return line;
  };
  const auto told = [](const std::string& line) {
    return line.empty() || line == "'''" || line == "\"\"\"" ? "nothing" : config::printable(line, longest);
  };
  while (old < there.size() || now < here.size()) {
    const std::string before = next(there, old);
    const std::string line = next(here, now);
    if (before != line) return fmt::format("{}{} there, {} here", table, told(before), told(line));
    // The text of the scenario begins behind what names it, and has tables of its own.
    if (line.rfind('[', 0) == 0 && line != "[scenario]") table = line + " ";
  }
  return "no line of it";
}

std::string manifest_toml(const Manifest& manifest) {
  std::string out = "schema = 1\n";
  out += "version = " + basic(manifest.version) + "\n";
  out += "commit = " + basic(manifest.commit) + "\n";
  out += "compiler = " + basic(manifest.compiler) + "\n";
  out += "flags = " + basic(manifest.flags) + "\n";
  out += "command = " + basic(manifest.command) + "\n";
  out += "\n[packages]\n";
  for (const auto& [name, version] : manifest.packages) out += basic(name) + " = " + basic(version) + "\n";
  return out + identity(manifest);
}

}  // namespace vmbsim::report
