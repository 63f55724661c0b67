// The schema that `vmbsim schema` prints, applied by a validator of our own for the keywords it uses. Source of their
// meaning: JSON Schema draft 4, "interactive and non interactive validation".
#include <regex.h>

#include <toml++/toml.h>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "tests/cli/user.hpp"
#include "tests/support/approved.hpp"

using namespace vmbsim::testing;
using nlohmann::json;

namespace {

json to_json(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    json out = json::object();
    for (const auto& [key, value] : *table) out[std::string(key.str())] = to_json(value);
    return out;
  }
  if (const auto* array = node.as_array()) {
    json out = json::array();
    for (const auto& value : *array) out.push_back(to_json(value));
    return out;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* real = node.as_floating_point()) return real->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  return nullptr;  // dates: no scenario has one
}

/// The schema's patterns use nothing that JSON Schema and POSIX write differently.
bool matches_pattern(const std::string& text, const std::string& pattern) {
  regex_t compiled;
  REQUIRE(::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) == 0);
  const bool found = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

class Validator {
 public:
  explicit Validator(const json& schema) : root_(schema) {}
  bool accepts(const json& value) const { return fits(value, root_); }

 private:
  static bool has_type(const json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    throw std::runtime_error("the schema has a type that this validator does not know: " + type);
  }

  bool fits(const json& value, const json& schema) const {
    static const std::set<std::string> silent{"$schema", "title", "description", "default", "definitions"};
    for (const auto& [keyword, rule] : schema.items())
      if (!silent.contains(keyword) && !holds(keyword, rule, value, schema)) return false;
    return true;
  }

  bool holds(const std::string& keyword, const json& rule, const json& value, const json& schema) const {
    const auto matches = [&](const json& each) { return fits(value, each); };
    if (keyword == "type") return has_type(value, rule);
    if (keyword == "enum") return std::find(rule.begin(), rule.end(), value) != rule.end();
    if (keyword == "$ref") return fits(value, root_.at(json::json_pointer(rule.get<std::string>().substr(1))));
    if (keyword == "allOf") return std::all_of(rule.begin(), rule.end(), matches);
    if (keyword == "anyOf") return std::any_of(rule.begin(), rule.end(), matches);
    if (keyword == "oneOf") return std::count_if(rule.begin(), rule.end(), matches) == 1;
    if (keyword == "minimum") return !value.is_number() || value >= rule;
    if (keyword == "maximum") return !value.is_number() || value <= rule;
    if (keyword == "minItems") return !value.is_array() || value.size() >= rule.get<std::size_t>();
    if (keyword == "maxItems") return !value.is_array() || value.size() <= rule.get<std::size_t>();
    if (keyword == "pattern")
      return !value.is_string() || matches_pattern(value.get<std::string>(), rule.get<std::string>());
    if (keyword == "items")
      return !value.is_array() ||
             std::all_of(value.begin(), value.end(), [&](const json& item) { return fits(item, rule); });
    if (keyword == "required")
      return !value.is_object() || std::all_of(rule.begin(), rule.end(),
                                               [&](const json& key) { return value.contains(key.get<std::string>()); });
    if (keyword == "properties") {
      for (const auto& [key, inner] : rule.items())
        if (value.is_object() && value.contains(key) && !fits(value.at(key), inner)) return false;
      return true;
    }
    if (keyword == "additionalProperties") {
      if (!value.is_object() || rule == true) return true;
      for (const auto& [key, inner] : value.items()) {
        if (schema.contains("properties") && schema.at("properties").contains(key)) continue;
        if (rule == false || !fits(inner, rule)) return false;
      }
      return true;
    }
    throw std::runtime_error("the schema has a keyword that this validator does not know: " + keyword);
  }

  const json& root_;
};

}  // namespace

TEST_CASE("the schema accepts every scenario of the project") {
  const json schema = json::parse(User().types("vmbsim schema").out);
  const Validator validator(schema);
  int seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(VMBSIM_SOURCE_DIR "/scenarios")) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".toml" || path.find("/profiles/") != std::string::npos) continue;
    CAPTURE(path);
    CHECK(validator.accepts(to_json(toml::parse_file(path))));
    ++seen;
  }
  CHECK(seen > 30);
}

TEST_CASE("the schema accepts what expand prints") {
  const User user;
  const json schema = json::parse(user.types("vmbsim schema").out);
  const char* const scenario =
      GENERATE("first/08-mixed-load.toml", "first/10-recorded.toml", "features/workload-mmpp.toml",
               "features/platform-two-hosts.toml", "studies/how-many-guests.toml");
  CAPTURE(scenario);
  CHECK(Validator(schema).accepts(to_json(toml::parse(user.types("vmbsim expand " + shipped(scenario)).out))));
}

TEST_CASE("the schema refuses what a single key can have wrong") {
  struct Row {
    const char* what;
    const char* written;
    const char* instead;
  };
  const auto row = GENERATE(
      Row{"an unknown key", "packets = 8", "packtes = 8"}, Row{"a missing unit", "packets = 8", "run_for = \"1\""},
      Row{"a number for a duration", "packets = 8", "run_for = 1"},
      Row{"an unknown unit", "packets = 8", "run_for = \"1h\""},
      Row{"text for a number", "packets = 8", "packets = \"8\""},
      Row{"a number below its range", "packets = 8", "packets = 0"}, Row{"a name that is none", "\"load\"", "\"a.b\""},
      Row{"an unknown choice", "\"echo\"", "\"ehco\""}, Row{"a table for a list", "[[channel]]", "[channel]"},
      Row{"a key that is not there", "name = \"load\"\n", ""}, Row{"another version", "schema = 1", "schema = 2"},
      Row{"an unknown distribution", "channel = \"pipe\"", "channel = \"pipe\"\nthink_time = { weibull = \"1us\" }"},
      Row{"half a range", "channel = \"pipe\"", "channel = \"pipe\"\nthink_time = { uniform = [\"1us\"] }"},
      Row{"a negative duration", "channel = \"pipe\"", "channel = \"pipe\"\nthink_time = \"-1us\""});
  static const json schema = json::parse(User().types("vmbsim schema").out);
  std::string text = small_scenario;
  REQUIRE(Validator(schema).accepts(to_json(toml::parse(text))));
  text.replace(text.find(row.written), std::string(row.written).size(), row.instead);
  CAPTURE(row.what, text);
  CHECK(!Validator(schema).accepts(to_json(toml::parse(text))));
}
