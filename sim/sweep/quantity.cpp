#include "sim/sweep/quantity.hpp"

#include <fmt/format.h>

#include <cmath>
#include <variant>

#include "sim/config/toml_text.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::sweep {
namespace {

using config::Node;
using Kind = Quantity::Kind;

Quantity of_text(const std::string& text) {
  if (const auto time = config::parse_duration(text); std::holds_alternative<Duration>(time))
    return {Kind::time, static_cast<double>(std::get<Duration>(time).count()), text};
  if (const auto size = config::parse_bytes(text); std::holds_alternative<Bytes>(size))
    return {Kind::size, static_cast<double>(std::get<Bytes>(size).count), text};
  if (const auto rate = config::parse_rate(text); std::holds_alternative<Rate>(rate)) {
    const Rate& r = std::get<Rate>(rate);
    return {Kind::rate, static_cast<double>(r.events) * 1e9 / static_cast<double>(r.per.count()), text};
  }
  return {Kind::text, 0, text};
}

}  // namespace

Quantity quantity_of(std::string_view value) {
  const auto node = config::parse_toml_value(value);
  if (!node) return of_text(std::string(value));
  switch (node->kind) {
    case Node::Kind::integer: return {Kind::number, static_cast<double>(node->integer), std::string(value)};
    case Node::Kind::real: return {Kind::number, node->real, std::string(value)};
    case Node::Kind::text: return of_text(node->text);
    default: return {Kind::text, 0, config::value_text(*node)};
  }
}

const char* name_of(Quantity::Kind kind) {
  switch (kind) {
    case Kind::number: return "a number";
    case Kind::time: return "a duration";
    case Kind::size: return "a size";
    case Kind::rate: return "a rate";
    case Kind::text: return "text";
  }
  return "";
}

std::string canonical(std::string_view value) {
  constexpr double exact = 9e15;  // beyond it a double stands for several whole numbers
  const Quantity quantity = quantity_of(value);
  if (quantity.kind == Kind::text) return "text " + quantity.text;
  if (quantity.kind == Kind::number && std::abs(quantity.number) > exact) return "number " + quantity.text;
  return fmt::format("{} {}", name_of(quantity.kind), quantity.number);
}

std::strong_ordering compare(const std::string& a, const std::string& b) {
  const Quantity left = quantity_of(a);
  const Quantity right = quantity_of(b);
  if (left.kind != right.kind) return left.kind <=> right.kind;
  if (left.kind != Kind::text && left.number < right.number) return std::strong_ordering::less;
  if (left.kind != Kind::text && left.number > right.number) return std::strong_ordering::greater;
  return a <=> b;
}

std::string plain_text(std::string_view value) {
  const auto node = config::parse_toml_value(value);
  return node && node->is(Node::Kind::text) ? node->text : std::string(value);
}

}  // namespace vmbsim::sweep
