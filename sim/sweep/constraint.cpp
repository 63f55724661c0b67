#include "sim/sweep/constraint.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace vmbsim::sweep {
namespace {

using Kind = Quantity::Kind;
using Relation = Constraint::Relation;

constexpr std::array<std::pair<std::string_view, Relation>, 6> relations{{{"<=", Relation::at_most},
                                                                          {">=", Relation::at_least},
                                                                          {"==", Relation::equal},
                                                                          {"!=", Relation::different},
                                                                          {"<", Relation::below},
                                                                          {">", Relation::above}}};

/// Cuts one word at a time off a text.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) { skip_spaces(); }
  bool empty() const { return rest_.empty(); }

  bool take(std::string_view word) {
    if (rest_.substr(0, word.size()) != word) return false;
    rest_.remove_prefix(word.size());
    skip_spaces();
    return true;
  }

  /// A value in quotes, a number, or a key, in which parts in quotes may stand.
  std::optional<Constraint::Factor> factor() {
    if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\'')) {
      const std::size_t close = rest_.find(rest_.front(), 1);
      if (close == std::string_view::npos) return std::nullopt;
      const std::string text(rest_.substr(1, close - 1));
      advance(close + 1);
      Quantity value = quantity_of(text);
      return Constraint::Factor{"", std::move(value)};
    }
    std::size_t end = 0;
    bool quoted = false;
    while (end < rest_.size() && (quoted || std::string_view(" \t*<>=!").find(rest_[end]) == std::string_view::npos))
      quoted ^= rest_[end++] == '"';
    const std::string word(rest_.substr(0, end));
    if (word.empty() || quoted) return std::nullopt;
    advance(end);
    Quantity value = quantity_of(word);
    if (value.kind == Kind::number) return Constraint::Factor{"", std::move(value)};
    return Constraint::Factor{word, {}};
  }

 private:
  void advance(std::size_t many) {
    rest_.remove_prefix(many);
    skip_spaces();
  }
  void skip_spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

std::optional<Constraint::Side> side(Words& words) {
  Constraint::Side factors;
  do {
    auto factor = words.factor();
    if (!factor) return std::nullopt;
    factors.push_back(std::move(*factor));
  } while (words.take("*"));
  return factors;
}

/// What a side comes to.
std::variant<Quantity, ConstraintError> value_of_side(const Constraint::Side& factors, const ValueOf& value_of) {
  Quantity product{Kind::number, 1, ""};
  for (const Constraint::Factor& factor : factors) {
    const Quantity value = factor.key.empty() ? factor.value : quantity_of(value_of(factor.key));
    if (factors.size() == 1) return value;
    if (value.kind == Kind::text)
      return ConstraintError{"\"" + value.text + "\" is no number, and cannot be multiplied"};
    if (value.kind != Kind::number && product.kind != Kind::number)
      return ConstraintError{std::string(name_of(product.kind)) + " times " + name_of(value.kind) +
                             " is nothing to compare"};
    if (value.kind != Kind::number) product.kind = value.kind;
    product.number *= value.number;
  }
  return product;
}

bool compared(Relation relation, double a, double b) {
  switch (relation) {
    case Relation::below: return a < b;
    case Relation::at_most: return a <= b;
    case Relation::equal: return a == b;
    case Relation::different: return a != b;
    case Relation::at_least: return a >= b;
    case Relation::above: return a > b;
  }
  return false;
}

}  // namespace

std::variant<Constraint, ConstraintError> parse_constraint(std::string_view text) {
  const ConstraintError malformed{"right would be a comparison, as in \"channel.disk.ring.to_host >= '64KiB'\""};
  Words words(text);
  Constraint constraint;
  constraint.text = text;
  auto left = side(words);
  if (!left) return malformed;
  bool related = false;
  for (const auto& [word, relation] : relations)
    if (!related && words.take(word)) {
      constraint.relation = relation;
      related = true;
    }
  if (!related) return malformed;
  auto right = side(words);
  if (!right || !words.empty()) return malformed;
  constraint.left = std::move(*left);
  constraint.right = std::move(*right);
  return constraint;
}

std::variant<bool, ConstraintError> holds(const Constraint& constraint, const ValueOf& value_of) {
  const auto left = value_of_side(constraint.left, value_of);
  if (const auto* wrong = std::get_if<ConstraintError>(&left)) return *wrong;
  const auto right = value_of_side(constraint.right, value_of);
  if (const auto* wrong = std::get_if<ConstraintError>(&right)) return *wrong;
  const auto& a = std::get<Quantity>(left);
  const auto& b = std::get<Quantity>(right);
  if (a.kind != b.kind)
    return ConstraintError{std::string(name_of(a.kind)) + " is not compared with " + name_of(b.kind)};
  if (a.kind != Kind::text) return compared(constraint.relation, a.number, b.number);
  if (constraint.relation != Relation::equal && constraint.relation != Relation::different)
    return ConstraintError{"text is compared by == and != alone"};
  return (a.text == b.text) == (constraint.relation == Relation::equal);
}

}  // namespace vmbsim::sweep
