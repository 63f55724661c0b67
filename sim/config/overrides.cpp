#include "sim/config/overrides.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/config/suggestions.hpp"
#include "sim/config/toml_text.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::config {
namespace {

/// One key of a path, and where it begins in the assignment.
struct Step {
  std::string key;
  std::uint32_t column;
};

/// The steps before the `=`, which stands at `equals`; nothing if the path is malformed.
std::optional<std::vector<Step>> split_path(std::string_view text, std::size_t& equals) {
  std::vector<Step> steps;
  std::size_t at = 0;
  while (at < text.size()) {
    Step step{"", static_cast<std::uint32_t>(at + 1)};
    if (text[at] == '"') {
      const std::size_t close = text.find('"', at + 1);
      if (close == std::string_view::npos) return std::nullopt;
      step.key = text.substr(at + 1, close - at - 1);
      at = close + 1;
    } else {
      const std::size_t end = std::min(text.find_first_of(".=", at), text.size());
      step.key = text.substr(at, end - at);
      at = end;
    }
    while (!step.key.empty() && step.key.back() == ' ') step.key.pop_back();
    if (step.key.empty()) return std::nullopt;
    steps.push_back(std::move(step));
    if (at < text.size() && text[at] == '=') {
      equals = at;
      return steps;
    }
    if (at >= text.size() || text[at] != '.') return std::nullopt;
    ++at;
  }
  return std::nullopt;
}

void move_to(Node& node, Origin at) {
  node.at = at;
  for (Node& item : node.items) move_to(item, at);
  for (Entry& entry : node.entries) {
    entry.at = at;
    move_to(entry.value, at);
  }
}

Node value_of(std::string_view text, Origin at) {
  auto value = parse_toml_value(text);
  if (!value || value->is(Node::Kind::date)) {
    value.emplace();
    value->kind = Node::Kind::text;
    value->text = text;
  }
  move_to(*value, at);
  return std::move(*value);
}

std::string name_in(const Node& entry) {
  const Node* name = entry.find("name");
  return name && name->is(Node::Kind::text) ? name->text : "";
}

/// The entry of `list` that `key` names, or the message why there is none.
std::variant<Node*, std::string> entry_of(Node& list, const std::string& key) {
  Node* found = nullptr;
  std::vector<std::string> names;
  for (Node& item : list.items) {
    const std::string name = name_in(item);
    if (!name.empty()) names.push_back(name);
    if (name != key) continue;
    if (found) return "\"" + key + "\" is the name of several entries; say which by its index from 0";
    found = &item;
  }
  if (found) return found;
  const auto index = parse_count(key);
  if (const auto* number = std::get_if<std::int64_t>(&index))
    if (static_cast<std::uint64_t>(*number) < list.items.size()) return &list.items[static_cast<std::size_t>(*number)];
  return "there is no entry \"" + key + "\"" + did_you_mean_or(key, names, "; there are: ");
}

}  // namespace

void apply_override(Document& document, std::size_t number, std::string_view assignment, Problems& problems) {
  const std::uint32_t file = document.add_file("--set");
  const auto at = [&](std::size_t column) {
    return Origin{file, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(column)};
  };
  const auto refuse = [&](std::size_t column, std::string text) {
    problems.push_back({document.place(at(column)), std::move(text)});
  };
  std::size_t equals = 0;
  const auto steps = split_path(assignment, equals);
  if (!steps)
    return refuse(
        1, "\"" + std::string(assignment) + "\" is no override; write it as in workload.foreground.queue_depth=8");
  if (steps->size() > deepest_nesting)
    return refuse(1, "nested more than " + std::to_string(deepest_nesting) + " deep");

  Node* here = &document.root;
  for (std::size_t i = 0; i < steps->size(); ++i) {
    const Step& step = (*steps)[i];
    if (here->is(Node::Kind::list)) {
      auto entry = entry_of(*here, step.key);
      if (const auto* wrong = std::get_if<std::string>(&entry)) return refuse(step.column, *wrong);
      here = std::get<Node*>(entry);
      continue;
    }
    if (!here->is(Node::Kind::table))
      return refuse(step.column,
                    "\"" + step.key + "\": what stands before it is " + name_of(here->kind) + ", not a table");
    Node* next = here->find(step.key);
    if (!next) {
      Node empty;
      empty.at = at(step.column);
      here->entries.push_back({step.key, at(step.column), std::move(empty)});
      next = &here->entries.back().value;
    }
    here = next;
  }
  std::string_view value = assignment.substr(equals + 1);
  std::size_t column = equals + 2;
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1), ++column;
  *here = value_of(value, at(column));
}

std::vector<std::string> path_of(std::string_view assignment) {
  std::size_t equals = 0;
  std::vector<std::string> keys;
  if (auto steps = split_path(assignment, equals))
    for (Step& step : *steps) keys.push_back(std::move(step.key));
  return keys;
}

}  // namespace vmbsim::config
