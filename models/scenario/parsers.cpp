#include "models/scenario/parsers.hpp"

#include <algorithm>
#include <cmath>

#include "sim/config/suggestions.hpp"
#include "sim/config/toml_text.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::scenario {
namespace {

using config::Node;
using Text = std::optional<std::string>;

std::string wrong_type(const Node& node, const std::string& right) {
  return std::string("wrong type: ") + config::name_of(node.kind) + "; right would be " + right;
}

/// A value with a unit. A bare number is told which unit it lacks, by the unit's own parser.
template <class T>
std::optional<T> unit_value(const Node& node, Reading& reading, config::Parsed<T> (*parse)(std::string_view),
                            const char* right) {
  std::string text = node.text;
  if (node.is(Node::Kind::integer))
    text = std::to_string(node.integer);
  else if (node.is(Node::Kind::real) && std::isfinite(node.real))
    text = config::real_text(node.real);
  else if (!node.is(Node::Kind::text)) {
    reading.wrong(node, wrong_type(node, right));
    return std::nullopt;
  }
  auto parsed = parse(text);
  if (const auto* error = std::get_if<config::UnitError>(&parsed)) {
    reading.wrong(node, error->text);
    return std::nullopt;
  }
  return std::get<T>(parsed);
}

std::optional<Duration> duration_of(const Node& node, Reading& reading, Duration least, Duration most) {
  const auto value = unit_value<Duration>(node, reading, config::parse_duration, "a duration, as in \"5us\"");
  if (!value) return std::nullopt;
  if (*value < least || *value > most) {
    reading.wrong(node, "out of range; right would be " + config::to_text(least) + " to " + config::to_text(most));
    return std::nullopt;
  }
  return value;
}

std::optional<Rate> rate_of(const Node& node, Reading& reading) {
  return unit_value<Rate>(node, reading, config::parse_rate, "a rate, as in \"20000/s\"");
}

std::optional<std::string> text_of(const Node& node, Reading& reading, const char* right) {
  if (node.is(Node::Kind::text)) return node.text;
  reading.wrong(node, wrong_type(node, right));
  return std::nullopt;
}

/// The only entry of a table that chooses between several forms. Of several one that is none of them is what is wrong.
const config::Entry* chosen(const Node& node, Reading& reading, const std::vector<std::string>& forms) {
  const std::string right = "right would be one key of: " + config::listed(forms);
  const auto is_form = [&forms](const config::Entry& one) {
    return std::find(forms.begin(), forms.end(), one.key) != forms.end();
  };
  if (node.entries.size() != 1) {
    for (const config::Entry& one : node.entries) {
      if (is_form(one)) continue;
      Node key;
      key.kind = Node::Kind::text;
      key.text = one.key;
      key.at = one.at;
      reading.wrong(key, "unknown form" + config::did_you_mean(one.key, forms) + "; " + right);
      return nullptr;
    }
    reading.wrong(node, std::to_string(node.entries.size()) + " keys; " + right);
    return nullptr;
  }
  const config::Entry& entry = node.entries.front();
  if (is_form(entry)) return &entry;
  reading.wrong(node, "unknown form \"" + entry.key + "\"" + config::did_you_mean(entry.key, forms) + "; " + right);
  return nullptr;
}

/// Checks the keys of an inline table: all of `needed`, any of `allowed`, no others.
bool has_keys(const Node& node, Reading& reading, const std::vector<std::string>& needed,
              const std::vector<std::string>& allowed = {}) {
  std::vector<std::string> known = needed;
  known.insert(known.end(), allowed.begin(), allowed.end());
  if (!node.is(Node::Kind::table)) {
    reading.wrong(node, wrong_type(node, "a table with " + config::listed(known)));
    return false;
  }
  bool fine = true;
  std::vector<std::string> meant;  // by misspelt keys, and so not missing
  for (const config::Entry& entry : node.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    if (const auto nearest = config::nearest(entry.key, known)) meant.push_back(*nearest);
    reading.wrong(entry.value, "unknown key \"" + entry.key + "\"" + config::did_you_mean(entry.key, known) +
                                   "; known: " + config::listed(known));
    fine = false;
  }
  for (const std::string& key : needed) {
    if (node.find(key) || std::find(meant.begin(), meant.end(), key) != meant.end()) continue;
    reading.wrong(node, "\"" + key + "\" is missing");
    fine = false;
  }
  return fine;
}

struct Law {
  kernel::Distribution value;
  std::string text;
};

std::string in_quotes(Duration d) { return '"' + config::to_text(d) + '"'; }

std::optional<Law> exponential_of(const Node& node, Reading& reading) {
  const auto mean = duration_of(node, reading, 1ns, longest_cost);
  if (!mean) return std::nullopt;
  return Law{kernel::Distribution::exponential(*mean), "{ exponential = " + in_quotes(*mean) + " }"};
}

std::optional<Law> uniform_of(const Node& node, Reading& reading) {
  if (!node.is(Node::Kind::list) || node.items.size() != 2) {
    reading.wrong(node, "right would be two durations, as in uniform = [\"900ns\", \"1500ns\"]");
    return std::nullopt;
  }
  const auto low = duration_of(node.items[0], reading, 0ns, longest_cost);
  const auto high = duration_of(node.items[1], reading, 0ns, longest_cost);
  if (!low || !high) return std::nullopt;
  if (*low > *high) {
    reading.wrong(node, "the first duration is above the second; swap them");
    return std::nullopt;
  }
  return Law{kernel::Distribution::uniform(*low, *high),
             "{ uniform = [" + in_quotes(*low) + ", " + in_quotes(*high) + "] }"};
}

std::optional<Law> lognormal_of(const Node& node, Reading& reading) {
  if (!has_keys(node, reading, {"median", "p99"})) return std::nullopt;
  const auto median = duration_of(*node.find("median"), reading, 1ns, longest_cost);
  const auto p99 = duration_of(*node.find("p99"), reading, 1ns, longest_cost);
  if (!median || !p99) return std::nullopt;
  if (*p99 < *median) {
    reading.wrong(node, "p99 is below the median; swap them");
    return std::nullopt;
  }
  return Law{kernel::Distribution::lognormal(*median, *p99),
             "{ lognormal = { median = " + in_quotes(*median) + ", p99 = " + in_quotes(*p99) + " } }"};
}

std::optional<Law> empirical_of(const Node& node, Reading& reading) {
  if (!has_keys(node, reading, {"file", "column"}, {"unit"})) return std::nullopt;
  Duration unit = 1ns;
  std::string unit_text = "\"1ns\"";
  if (const Node* written = node.find("unit")) {
    const auto text = parse_column_unit(unit)(*written, reading);
    if (!text) return std::nullopt;
    unit_text = *text;
  }
  const Node& file = *node.find("file");
  const Node& column = *node.find("column");
  const auto column_name = text_of(column, reading, "the name of a column");
  const auto path = reading.existing_file(file, "sample");
  if (!column_name || !path) return std::nullopt;
  auto samples = reading.samples(file, column, unit);
  if (!samples) return std::nullopt;
  return Law{kernel::Distribution::empirical(std::move(*samples)),
             "{ empirical = { file = " + config::toml_quoted(*path) +
                 ", column = " + config::toml_quoted(*column_name) + ", unit = " + unit_text + " } }"};
}

std::optional<Law> law_of(const Node& node, Reading& reading) {
  if (node.is(Node::Kind::table)) {
    const config::Entry* entry = chosen(node, reading, {"exponential", "uniform", "lognormal", "empirical"});
    if (!entry) return std::nullopt;
    if (entry->key == "exponential") return exponential_of(entry->value, reading);
    if (entry->key == "uniform") return uniform_of(entry->value, reading);
    if (entry->key == "lognormal") return lognormal_of(entry->value, reading);
    return empirical_of(entry->value, reading);
  }
  const auto fixed = duration_of(node, reading, 0ns, longest_cost);
  if (!fixed) return std::nullopt;
  return Law{kernel::Distribution::fixed(*fixed), in_quotes(*fixed)};
}

std::string in_quotes(const Rate& rate) { return '"' + config::to_text(rate) + '"'; }

Text mmpp_of(const Node& node, Reading& reading, kernel::ArrivalProcess::Spec& out) {
  if (!node.is_list_of_tables()) {
    reading.wrong(node, "right would be a list of states, as in mmpp = [{ rate = \"1000/s\", stay = \"10ms\" }, ...]");
    return std::nullopt;
  }
  kernel::Mmpp process;
  std::string text = "{ mmpp = [";
  bool fine = true;
  for (const Node& state : node.items) {
    if (!has_keys(state, reading, {"rate", "stay"})) {
      fine = false;
      continue;
    }
    const auto rate = rate_of(*state.find("rate"), reading);
    const auto stay = duration_of(*state.find("stay"), reading, 1ns, longest_cost);
    if (!rate || !stay) {
      fine = false;
      continue;
    }
    text += std::string(process.states.empty() ? "" : ", ") + "{ rate = " + in_quotes(*rate) +
            ", stay = " + in_quotes(*stay) + " }";
    process.states.push_back({*rate, *stay});
  }
  if (!fine) return std::nullopt;
  if (process.changes_per_arrival() > kernel::Mmpp::most_changes_per_arrival) {
    reading.wrong(node,
                  "more than 10000 changes of state for each arrival; right would be longer stays or higher rates");
    return std::nullopt;
  }
  out = std::move(process);
  return text + "] }";
}

constexpr Bytes largest_request{std::int64_t{1} << 30};

std::optional<Bytes> request_size_of(const Node& node, Reading& reading) {
  const auto size = unit_value<Bytes>(node, reading, config::parse_bytes, "a size, as in \"4KiB\"");
  if (!size) return std::nullopt;
  if (*size < Bytes{1} || *size > largest_request) {
    reading.wrong(node, "out of range; right would be 1B to 1GiB");
    return std::nullopt;
  }
  return size;
}

}  // namespace

std::optional<std::int64_t> integer_of(const Node& node, Reading& reading, std::int64_t least, std::int64_t most) {
  if (!node.is(Node::Kind::integer)) {
    reading.wrong(node, wrong_type(node, "a whole number, without quotes"));
    return std::nullopt;
  }
  if (node.integer < least || node.integer > most) {
    reading.wrong(node, "out of range; right would be " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }
  return node.integer;
}

std::optional<std::size_t> choice_of(const Node& node, Reading& reading, const std::vector<std::string>& words) {
  const std::string right = "right would be one of: " + config::listed(words);
  if (!node.is(Node::Kind::text)) {
    reading.wrong(node, std::string("wrong type: ") + config::name_of(node.kind) + "; " + right);
    return std::nullopt;
  }
  const auto found = std::find(words.begin(), words.end(), node.text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  reading.wrong(node, "unknown" + config::did_you_mean(node.text, words) + "; " + right);
  return std::nullopt;
}

Parse parse_version() {
  return [](const Node& node, Reading& reading) -> Text {
    if (node.is(Node::Kind::integer) && node.integer == 1) return "1";
    reading.wrong(node, "this vmbsim reads version 1; right would be schema = 1");
    return std::nullopt;
  };
}

Parse parse_text(std::string& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    const auto text = text_of(node, reading, "text in quotes");
    if (!text) return std::nullopt;
    out = *text;
    return config::toml_quoted(*text);
  };
}

Parse parse_title(std::string& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    constexpr std::size_t longest = 200;
    const auto text = text_of(node, reading, "text in quotes");
    if (!text) return std::nullopt;
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (text->empty() || text->size() > longest || std::any_of(text->begin(), text->end(), control)) {
      reading.wrong(node, "not a title; right would be one line of at most " + std::to_string(longest) + " bytes");
      return std::nullopt;
    }
    out = *text;
    return config::toml_quoted(*text);
  };
}

Parse parse_name(std::string& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    const auto text = text_of(node, reading, "a name in quotes");
    if (!text) return std::nullopt;
    const auto fits = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (text->empty() || text->size() > 64 || !std::all_of(text->begin(), text->end(), fits)) {
      reading.wrong(node, "not a name; right would be up to 64 letters, digits, '-' and '_'");
      return std::nullopt;
    }
    out = *text;
    return config::toml_quoted(*text);
  };
}

Parse parse_flag(bool& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    if (!node.is(Node::Kind::boolean)) {
      reading.wrong(node, wrong_type(node, "true or false, without quotes"));
      return std::nullopt;
    }
    out = node.boolean;
    return out ? "true" : "false";
  };
}

Parse parse_duration(Duration& out, Duration least, Duration most) {
  return [&out, least, most](const Node& node, Reading& reading) -> Text {
    const auto value = duration_of(node, reading, least, most);
    if (!value) return std::nullopt;
    out = *value;
    return in_quotes(*value);
  };
}

Parse parse_pages(Pages& out, std::int64_t least, std::int64_t most) {
  return [&out, least, most](const Node& node, Reading& reading) -> Text {
    const auto value = unit_value<Pages>(node, reading, config::parse_pages, "a size, as in \"32 pages\"");
    if (!value) return std::nullopt;
    if (value->count < least || value->count > most) {
      reading.wrong(node,
                    "out of range; right would be " + std::to_string(least) + " to " + std::to_string(most) + " pages");
      return std::nullopt;
    }
    out = *value;
    return '"' + config::to_text(*value) + '"';
  };
}

Parse parse_size(Bytes& out, Bytes least, Bytes most) {
  return [&out, least, most](const Node& node, Reading& reading) -> Text {
    const auto value = unit_value<Bytes>(node, reading, config::parse_bytes, "a size, as in \"16GiB\"");
    if (!value) return std::nullopt;
    if (*value < least || *value > most) {
      reading.wrong(node, "out of range; right would be " + config::to_text(least) + " to " + config::to_text(most));
      return std::nullopt;
    }
    out = *value;
    return '"' + config::to_text(*value) + '"';
  };
}

Parse parse_distribution(kernel::Distribution& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    auto law = law_of(node, reading);
    if (!law) return std::nullopt;
    out = std::move(law->value);
    return std::move(law->text);
  };
}

Parse parse_service(DeviceSpec& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    if (node.is(Node::Kind::text) && node.text == "trace") {
      out.service_from_trace = true;
      return "\"trace\"";
    }
    return parse_distribution(out.service)(node, reading);
  };
}

Parse parse_arrivals(kernel::ArrivalProcess::Spec& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    if (!node.is(Node::Kind::table)) {
      reading.wrong(node, wrong_type(node, "a process, as in { poisson = \"20000/s\" }"));
      return std::nullopt;
    }
    const config::Entry* entry = chosen(node, reading, {"poisson", "periodic", "renewal", "mmpp"});
    if (!entry) return std::nullopt;
    if (entry->key == "mmpp") return mmpp_of(entry->value, reading, out);
    if (entry->key == "renewal") {
      auto law = law_of(entry->value, reading);
      if (!law) return std::nullopt;
      if (law->value.mean() <= 0ns) {
        reading.wrong(entry->value, "gaps of 0 on average never let time pass; right would be a mean above 0");
        return std::nullopt;
      }
      out = kernel::Renewal{std::move(law->value)};
      return "{ renewal = " + law->text + " }";
    }
    const auto rate = rate_of(entry->value, reading);
    if (!rate) return std::nullopt;
    if (entry->key == "poisson")
      out = kernel::Poisson{*rate};
    else
      out = kernel::Periodic{*rate};
    return "{ " + entry->key + " = " + in_quotes(*rate) + " }";
  };
}

Parse parse_request(std::vector<WorkloadSpec::RequestSize>& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    if (!node.is(Node::Kind::list)) {
      const auto size = request_size_of(node, reading);
      if (!size) return std::nullopt;
      out = {{*size, 1}};
      return '"' + config::to_text(*size) + '"';
    }
    if (!node.is_list_of_tables()) {
      reading.wrong(node, "right would be a size, or a mix as in [{ size = \"4KiB\", weight = 3 }, ...]");
      return std::nullopt;
    }
    std::string text = "[";
    bool fine = true;
    out.clear();
    for (const Node& item : node.items) {
      if (!has_keys(item, reading, {"size", "weight"})) {
        fine = false;
        continue;
      }
      const auto size = request_size_of(*item.find("size"), reading);
      const auto weight = integer_of(*item.find("weight"), reading, 1, 1'000'000);
      if (!size || !weight) {
        fine = false;
        continue;
      }
      text += std::string(out.empty() ? "" : ", ") + "{ size = \"" + config::to_text(*size) +
              "\", weight = " + std::to_string(*weight) + " }";
      out.push_back({*size, static_cast<std::uint32_t>(*weight)});
    }
    if (!fine) return std::nullopt;
    return text + "]";
  };
}

Parse parse_fraction(std::uint32_t& permille) {
  return [&permille](const Node& node, Reading& reading) -> Text {
    double value = node.real;
    if (node.is(Node::Kind::integer))
      value = static_cast<double>(node.integer);
    else if (!node.is(Node::Kind::real)) {
      reading.wrong(node, wrong_type(node, "a number from 0 to 1, as in 0.7"));
      return std::nullopt;
    }
    if (!(value >= 0 && value <= 1)) {
      reading.wrong(node, "out of range; right would be 0 to 1");
      return std::nullopt;
    }
    const double thousandths = std::round(value * 1000);
    if (std::fabs(value * 1000 - thousandths) > 1e-6) {
      reading.wrong(node, "finer than a thousandth; right would be " + config::real_text(thousandths / 1000));
      return std::nullopt;
    }
    permille = static_cast<std::uint32_t>(thousandths);
    return config::real_text(thousandths / 1000);
  };
}

Parse parse_scale(double& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    double value = node.real;
    if (node.is(Node::Kind::integer))
      value = static_cast<double>(node.integer);
    else if (!node.is(Node::Kind::real)) {
      reading.wrong(node, wrong_type(node, "a number, as in 0.5"));
      return std::nullopt;
    }
    if (!(value >= 1e-6 && value <= 1e6)) {
      reading.wrong(node, "out of range; right would be 0.000001 to 1000000");
      return std::nullopt;
    }
    out = value;
    return config::real_text(value);
  };
}

Parse parse_mark(char& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    const auto text = text_of(node, reading, "one character, or \"tab\"");
    if (!text) return std::nullopt;
    const std::string mark = *text == "tab" ? "\t" : *text;
    if (mark.size() != 1 || mark == "\n" || mark == "\r" || mark == "\"" || mark == std::string(1, '\0')) {
      reading.wrong(node, "right would be one character other than a quote, or \"tab\"");
      return std::nullopt;
    }
    out = mark[0];
    return out == '\t' ? "\"tab\"" : config::toml_quoted(mark);
  };
}

Parse parse_column_unit(Duration& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    const auto text = text_of(node, reading, "a unit, as in \"us\"");
    if (!text) return std::nullopt;
    const bool counted = !text->empty() && (*text)[0] >= '0' && (*text)[0] <= '9';
    const auto parsed = config::parse_duration(counted ? *text : "1" + *text);
    const auto* unit = std::get_if<Duration>(&parsed);
    if (!unit || *unit <= 0ns || *unit > longest_cost) {
      reading.wrong(node, "not a unit of time; right would be one of: ns, us, ms, s, or a step such as \"100ns\"");
      return std::nullopt;
    }
    out = *unit;
    return in_quotes(*unit);
  };
}

Parse parse_existing_file(std::string& out, const char* what) {
  return [&out, what](const Node& node, Reading& reading) -> Text {
    if (!text_of(node, reading, "a file name in quotes")) return std::nullopt;
    const auto path = reading.existing_file(node, what);
    if (!path) return std::nullopt;
    out = *path;
    return config::toml_quoted(*path);
  };
}

Parse parse_texts(std::vector<std::string>& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    out.clear();
    std::string text = "[";
    const std::vector<Node> single{node};
    for (const Node& item : node.is(Node::Kind::list) ? node.items : single) {
      const auto one = text_of(item, reading, "text, or a list of texts");
      if (!one) return std::nullopt;
      text += (out.empty() ? "" : ", ") + config::toml_quoted(*one);
      out.push_back(*one);
    }
    return text + "]";
  };
}

Parse parse_values(std::vector<std::string>& out) {
  return [&out](const Node& node, Reading& reading) -> Text {
    if (!node.is(Node::Kind::list) || node.items.empty()) {
      reading.wrong(node, "right would be a list of values, as in [1, 8, 32]");
      return std::nullopt;
    }
    out.clear();
    for (const Node& item : node.items) out.push_back(config::value_text(item));
    return config::value_text(node);
  };
}

}  // namespace vmbsim::scenario
