#include "sim/sweep/range.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "sim/config/suggestions.hpp"
#include "sim/config/toml_text.hpp"
#include "sim/config/units.hpp"
#include "sim/kernel/exact_math.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim::sweep {
namespace {

using config::Node;

/// An amount in the smallest unit of its kind.
struct Amount {
  enum class Kind : std::uint8_t { whole, decimal, time, size, rate };
  Kind kind;
  std::int64_t count;
  Duration per{};  // of a rate
};

constexpr std::int64_t decimals = 1'000'000;
constexpr double largest = 9e18;

std::optional<Amount> amount_of(const Node& node) {
  if (node.is(Node::Kind::integer)) return Amount{Amount::Kind::whole, node.integer};
  if (node.is(Node::Kind::real) && std::abs(node.real) < 1e12)
    return Amount{Amount::Kind::decimal, std::llround(node.real * static_cast<double>(decimals))};
  if (!node.is(Node::Kind::text)) return std::nullopt;
  if (const auto time = config::parse_duration(node.text); std::holds_alternative<Duration>(time))
    return Amount{Amount::Kind::time, std::get<Duration>(time).count()};
  if (const auto size = config::parse_bytes(node.text); std::holds_alternative<Bytes>(size))
    return Amount{Amount::Kind::size, std::get<Bytes>(size).count};
  if (const auto rate = config::parse_rate(node.text); std::holds_alternative<Rate>(rate))
    return Amount{Amount::Kind::rate, std::get<Rate>(rate).events, std::get<Rate>(rate).per};
  return std::nullopt;
}

std::string text_of(Amount like, std::int64_t count) {
  switch (like.kind) {
    case Amount::Kind::whole: return std::to_string(count);
    case Amount::Kind::decimal: return config::real_text(static_cast<double>(count) / static_cast<double>(decimals));
    case Amount::Kind::time: return config::toml_quoted(config::to_text(Duration{count}));
    case Amount::Kind::size: return config::toml_quoted(config::to_text(Bytes{count}));
    case Amount::Kind::rate: return config::toml_quoted(config::to_text(Rate{count, like.per}));
  }
  return {};
}

/// A whole number where `like` is one, else a decimal one.
Amount as(Amount like, Amount other) {
  if (like.kind == Amount::Kind::decimal && other.kind == Amount::Kind::whole)
    return {Amount::Kind::decimal, other.count * decimals};
  return other;
}

bool alike(const Amount& a, const Amount& b) { return a.kind == b.kind && a.per == b.per; }

struct Range {
  Amount from, to;
};

using Values = std::variant<std::vector<std::string>, RangeError>;

RangeError too_many(const Node& at) { return {&at, "brings more than " + std::to_string(longest_range) + " values"}; }

Values even_steps(const Range& range, const Node& node) {
  auto step = amount_of(node);
  if (step) step = as(range.from, *step);
  if (!step || !alike(*step, range.from) || step->count <= 0)
    return RangeError{&node, "right would be a step above 0, of the same kind as from and to"};
  const Wide many = (static_cast<Wide>(range.to.count - range.from.count)) / static_cast<Wide>(step->count) + 1;
  if (many > longest_range) return too_many(node);
  std::vector<std::string> values;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(many); ++i)
    values.push_back(text_of(range.from, range.from.count + i * step->count));
  return values;
}

Values growing(const Range& range, const Node& node) {
  const double factor = node.is(Node::Kind::integer) ? static_cast<double>(node.integer) : node.real;
  if ((!node.is(Node::Kind::integer) && !node.is(Node::Kind::real)) || !(factor > 1))
    return RangeError{&node, "right would be a number above 1"};
  std::vector<std::string> values;
  double last = 0;
  for (double x = static_cast<double>(range.from.count); x <= static_cast<double>(range.to.count); x *= factor) {
    const double rounded = std::floor(x + 0.5);
    if (rounded != last) values.push_back(text_of(range.from, static_cast<std::int64_t>(rounded)));
    last = rounded;
    if (values.size() > longest_range || x * factor > largest) break;
  }
  if (values.size() > longest_range) return too_many(node);
  return values;
}

Values log_steps(const Range& range, const Node& node) {
  if (!node.is(Node::Kind::integer) || node.integer < 2 || node.integer > static_cast<std::int64_t>(longest_range))
    return RangeError{&node, "right would be a whole number from 2 to " + std::to_string(longest_range)};
  const double low = kernel::exact_log(static_cast<double>(range.from.count));
  const double high = kernel::exact_log(static_cast<double>(range.to.count));
  std::vector<std::string> values;
  std::int64_t last = 0;
  for (std::int64_t i = 0; i < node.integer; ++i) {
    const double at = low + (high - low) * static_cast<double>(i) / static_cast<double>(node.integer - 1);
    std::int64_t count = static_cast<std::int64_t>(std::floor(kernel::exact_exp(at) + 0.5));
    if (i == 0) count = range.from.count;
    if (i == node.integer - 1) count = range.to.count;
    if (count != last) values.push_back(text_of(range.from, count));
    last = count;
  }
  return values;
}

}  // namespace

Values values_of_range(const Node& node) {
  constexpr const char* form = "right would be a range, as in { from = 1, to = 64, factor = 2 }";
  if (!node.is(Node::Kind::table)) return RangeError{&node, form};
  static const std::vector<std::string> known{"from", "to", "step", "factor", "log_steps"};
  const Node* way = nullptr;
  for (const config::Entry& entry : node.entries) {
    if (std::find(known.begin(), known.end(), entry.key) == known.end())
      return RangeError{&entry.value,
                        "\"" + entry.key + "\" is unknown" + config::did_you_mean_or(entry.key, known, "; known: ")};
    if (entry.key == "from" || entry.key == "to") continue;
    if (way != nullptr) return RangeError{&entry.value, "right would be one of step, factor and log_steps"};
    way = &entry.value;
  }
  const Node* const first = node.find("from");
  const Node* const last = node.find("to");
  if (first == nullptr || last == nullptr || way == nullptr) return RangeError{&node, form};
  auto from = amount_of(*first);
  auto to = amount_of(*last);
  if (from && to) to = as(*from, *to);
  if (from && to) from = as(*to, *from);
  if (!from || !to || !alike(*from, *to))
    return RangeError{last, "right would be two numbers, durations, sizes or rates of one unit of time"};
  if (to->count < from->count) return RangeError{last, "lies below from"};
  const Range range{*from, *to};
  if (way == node.find("step")) return even_steps(range, *way);
  if (from->count <= 0) return RangeError{first, "right would be a value above 0, for it is multiplied"};
  return way == node.find("factor") ? growing(range, *way) : log_steps(range, *way);
}

}  // namespace vmbsim::sweep
