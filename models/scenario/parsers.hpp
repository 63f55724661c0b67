#pragma once
/// From one node to one value, for each form a scenario value can take. Each parser answers with the canonical TOML text,
/// which reads back to the same value, or records a problem that says what would be right.
#include <cstdint>
#include <utility>
#include <vector>

#include "models/scenario/fields.hpp"

namespace vmbsim::scenario {

Parse parse_text(std::string& out);
/// One line of text, not empty.
Parse parse_title(std::string& out);
/// Letters, digits, `-` and `_`: names stand between dots in metrics and overrides.
Parse parse_name(std::string& out);
Parse parse_flag(bool& out);
Parse parse_duration(Duration& out, Duration least, Duration most);
Parse parse_pages(Pages& out, std::int64_t least, std::int64_t most);
Parse parse_size(Bytes& out, Bytes least, Bytes most);
/// One of the costs' forms: fixed text, or a table with one of exponential, uniform, lognormal, empirical.
Parse parse_distribution(kernel::Distribution& out);
/// `service`: a distribution, or "trace".
Parse parse_service(DeviceSpec& out);
Parse parse_arrivals(kernel::ArrivalProcess::Spec& out);
/// A size, or a list of { size, weight }.
Parse parse_request(std::vector<WorkloadSpec::RequestSize>& out);
/// 0 to 1 in steps of a thousandth.
Parse parse_fraction(std::uint32_t& permille);
/// Above 0, at most a million.
Parse parse_scale(double& out);
/// A mark of CSV text: one character, or "tab".
Parse parse_mark(char& out);
/// "ns", "us", "ms", "s", or a duration such as "100ns".
Parse parse_column_unit(Duration& out);
Parse parse_existing_file(std::string& out, const char* what);
/// A text, or a list of texts.
Parse parse_texts(std::vector<std::string>& out);
/// A list of values of any kind, each kept as TOML text.
Parse parse_values(std::vector<std::string>& out);
/// The whole number 1.
Parse parse_version();

/// A whole number within the field's range.
template <class Integer>
Parse parse_integer(Integer& out, std::int64_t least, std::int64_t most);

/// One of a few words.
template <class Enum>
Parse parse_choice(Enum& out, std::vector<std::pair<const char*, Enum>> choices);

std::optional<std::int64_t> integer_of(const config::Node& node, Reading& reading, std::int64_t least,
                                       std::int64_t most);
std::optional<std::size_t> choice_of(const config::Node& node, Reading& reading, const std::vector<std::string>& words);

template <class Integer>
Parse parse_integer(Integer& out, std::int64_t least, std::int64_t most) {
  return [&out, least, most](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    const auto value = integer_of(node, reading, least, most);
    if (!value) return std::nullopt;
    out = static_cast<Integer>(*value);
    return std::to_string(*value);
  };
}

template <class Enum>
Parse parse_choice(Enum& out, std::vector<std::pair<const char*, Enum>> choices) {
  return
      [&out, choices = std::move(choices)](const config::Node& node, Reading& reading) -> std::optional<std::string> {
        std::vector<std::string> words;
        for (const auto& choice : choices) words.emplace_back(choice.first);
        const auto index = choice_of(node, reading, words);
        if (!index) return std::nullopt;
        out = choices[*index].second;
        return '"' + words[*index] + '"';
      };
}

/// A key with a whole number.
template <class Integer>
void integer(Visitor& v, const char* key, Integer& out, std::int64_t least, std::int64_t most, const char* preset,
             const char* doc) {
  v.value({.key = key, .shape = Shape::integer, .doc = doc, .preset = preset, .min = least, .max = most},
          parse_integer(out, least, most));
}

}  // namespace vmbsim::scenario
