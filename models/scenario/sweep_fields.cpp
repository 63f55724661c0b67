#include <utility>
#include <variant>

#include "models/scenario/fields.hpp"
#include "models/scenario/parsers.hpp"
#include "sim/config/toml_text.hpp"
#include "sim/sweep/range.hpp"

namespace vmbsim::scenario {
namespace {

using config::Node;

Parse parse_range(std::vector<std::string>& out) {
  return [&out](const Node& node, Reading& reading) -> std::optional<std::string> {
    auto values = sweep::values_of_range(node);
    if (const auto* wrong = std::get_if<sweep::RangeError>(&values)) {
      reading.wrong(*wrong->at, wrong->text);
      return std::nullopt;
    }
    out = std::get<std::vector<std::string>>(std::move(values));
    return config::value_text(node);
  };
}

/// What is wrong with a path that is to take one value after the other.
std::optional<std::string> wrong_with_swept(const std::string& key) {
  const std::string top = key.substr(0, key.find('.'));
  if (!is_beside_the_run(top) && top != "name") return std::nullopt;
  return "\"" + key +
         "\" changes nothing in a run, so that all would be one; right would be a key of what is simulated, " +
         "as in vm.web.count";
}

/// Values, and where each stands.
Parse parse_placed_values(sweep::Axis& axis) {
  return [&axis](const Node& node, Reading& reading) -> std::optional<std::string> {
    auto text = parse_values(axis.values)(node, reading);
    if (!text) return std::nullopt;
    for (const Node& item : node.items) axis.places.push_back(reading.place(item));
    return text;
  };
}

/// Keys as paths in quotes, and any values.
Parse parse_settings(std::vector<sweep::Setting>& out) {
  return [&out](const Node& node, Reading& reading) -> std::optional<std::string> {
    if (!node.is(Node::Kind::table) || node.entries.empty()) {
      reading.wrong(node, "right would be settings, as in { \"workload.load.queue_depth\" = 8 }");
      return std::nullopt;
    }
    out.clear();
    for (const config::Entry& entry : node.entries) {
      if (const auto wrong = wrong_with_swept(entry.key)) {
        reading.wrong(entry.value, *wrong);
        return std::nullopt;
      }
      out.push_back({entry.key, config::value_text(entry.value)});
    }
    return config::value_text(node);
  };
}

Parse parse_conditions(std::vector<sweep::Condition>& out) {
  return [&out](const Node& node, Reading& reading) -> std::optional<std::string> {
    std::vector<std::string> texts;
    auto canonical = parse_texts(texts)(node, reading);
    if (!canonical) return std::nullopt;
    out.clear();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Node& at = node.is(Node::Kind::list) ? node.items[i] : node;
      auto constraint = sweep::parse_constraint(texts[i]);
      if (const auto* wrong = std::get_if<sweep::ConstraintError>(&constraint)) {
        reading.wrong(at, wrong->text);
        return std::nullopt;
      }
      out.push_back({std::get<sweep::Constraint>(std::move(constraint)), reading.place(at)});
    }
    return canonical;
  };
}

}  // namespace

bool is_beside_the_run(std::string_view top) {
  return top == "sweep" || top == "objective" || top == "plan" || top == "report" || top == "hunt";
}

void axis_key_field(Visitor& v, std::vector<std::string>& keys, WrongWithKey wrong_with, Place* place) {
  v.value({.key = "key",
           .shape = Shape::texts,
           .doc = "Paths that take the values, as in channel.disk.ring.to_host or vm.web.count.",
           .required = true},
          [&keys, wrong_with, place](const Node& node, Reading& reading) -> std::optional<std::string> {
            if (place != nullptr) *place = reading.place(node);
            auto text = parse_texts(keys)(node, reading);
            std::optional<std::string> wrong;
            if (text && keys.empty()) wrong = "no key; right would be a path, as in \"vm.web.count\"";
            for (const std::string& key : keys) {
              if (text && !wrong) wrong = wrong_with_swept(key);
              if (text && wrong_with && !wrong) wrong = wrong_with(key);
            }
            if (!wrong) return text;
            reading.wrong(node, *wrong);
            return std::nullopt;
          });
}

void sweep_fields(Visitor& v, sweep::Sweep& sweep) {
  using Combine = sweep::Sweep::Combine;
  v.value({.key = "combine",
           .shape = Shape::choice,
           .doc = "Every value with every other, or side by side.",
           .preset = "\"product\"",
           .choices = {"product", "zip"}},
          parse_choice(sweep.combine, {{"product", Combine::product}, {"zip", Combine::zip}}));
  v.value({.key = "repeat",
           .shape = Shape::integer,
           .doc = "Runs per point, each with a seed of its own.",
           .preset = "1",
           .min = 1,
           .max = 1'000'000},
          parse_integer(sweep.repeat, 1, 1'000'000));
  v.value({.key = "common_random_numbers",
           .shape = Shape::boolean,
           .doc = "Repetition r has the scenario's seed plus r at every point; else each point draws seeds of its own.",
           .preset = "true"},
          parse_flag(sweep.common_random_numbers));
  constexpr std::int64_t most = 10'000'000;
  v.value({.key = "most_runs",
           .shape = Shape::integer,
           .doc = "A sweep of more runs is refused.",
           .preset = "100000",
           .min = 1,
           .max = most},
          parse_integer(sweep.most_runs, 1, most));
  v.value(
      {.key = "where",
       .shape = Shape::texts,
       .doc = "Comparisons of swept keys that every point fulfils, as in \"channel.disk.subchannels < guest.cpus\"."},
      parse_conditions(sweep.where));
  v.list({.key = "variant", .doc = "Settings that go together under a name: one more dimension of the sweep."}, false,
         [&] {
           sweep::Variant& variant = sweep.variants.emplace_back();
           variant.place = v.place();
           v.value({.key = "name", .shape = Shape::name, .doc = "Unique among the variants.", .required = true},
                   parse_name(variant.name));
           v.value(
               {.key = "set", .shape = Shape::settings, .doc = "Paths in quotes and their values.", .required = true},
               parse_settings(variant.settings));
         });
  v.list({.key = "axis", .doc = "One dimension of the sweep."}, false, [&] {
    sweep::Axis& axis = sweep.axes.emplace_back();
    axis.place = v.place();
    axis_key_field(v, axis.keys);
    const bool range = v.has("range");
    v.value({.key = "values",
             .shape = Shape::values,
             .doc = "What they take.",
             .required = !range,
             .relevant = !range,
             .only_for = "an axis without a range",
             .decided_by = {"range"}},
            parse_placed_values(axis));
    v.value(
        {.key = "range",
         .shape = Shape::range,
         .doc =
             "In place of values: from, to, and one of step, factor (a multiplier) and log_steps (how many values)."},
        parse_range(axis.values));
  });
}

}  // namespace vmbsim::scenario
