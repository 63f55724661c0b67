#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "models/scenario/parsers.hpp"
#include "models/scenario/statistics_fields.hpp"
#include "sim/config/toml_text.hpp"

namespace vmbsim::scenario {
namespace {

constexpr double most_values = 1'000'000;

/// A number, and what stands behind it.
struct Quantity {
  double number = 0;
  std::string unit;
  bool whole = false;
};

std::optional<Quantity> quantity_of(const config::Node& node) {
  using Kind = config::Node::Kind;
  if (node.is(Kind::integer)) return Quantity{static_cast<double>(node.integer), "", true};
  if (node.is(Kind::real)) return Quantity{node.real, "", false};
  if (!node.is(Kind::text)) return std::nullopt;
  Quantity out;
  const char* end = node.text.data() + node.text.size();
  const auto number = std::from_chars(node.text.data(), end, out.number, std::chars_format::fixed);
  if (number.ec != std::errc() || number.ptr == end) return std::nullopt;
  out.unit.assign(number.ptr, end);
  return out;
}

Parse parse_quantity(std::optional<Quantity>& out, Place* place = nullptr) {
  return [&out, place](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    auto found = quantity_of(node);
    if (!found || !std::isfinite(found->number)) {
      reading.wrong(node, "right would be a number, or one with a unit, as in 12 or \"4000/s\"");
      return std::nullopt;
    }
    if (place != nullptr) *place = reading.place(node);
    out = std::move(found);
    return config::value_text(node);
  };
}

/// Not below `from`, in its unit, and not too far where steps are of 1.
Parse parse_end(std::optional<Quantity>& to, const std::optional<Quantity>& from, bool steps_of_one, Place& place) {
  return [&to, &from, steps_of_one, &place](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    auto text = parse_quantity(to, &place)(node, reading);
    if (!text || !from) return text;
    const char* wrong = from->unit != to->unit ? "is not in the unit of from; right would be the same one behind both"
                        : from->number > to->number ? "is below from"
                        : steps_of_one && to->number - from->number > most_values
                            ? "more than a million steps of 1; right would be a step"
                            : nullptr;
    if (wrong == nullptr) return text;
    reading.wrong(node, wrong);
    to.reset();
    return std::nullopt;
  };
}

/// The step comes last, and judges all three.
Parse parse_step(PlanSpec::Axis& axis, const std::optional<Quantity>& from, const std::optional<Quantity>& to) {
  return [&axis, &from, &to](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    std::optional<Quantity> step;
    auto text = parse_quantity(step)(node, reading);
    if (!text || !from || !to) return text;
    const auto refuse = [&](const std::string& what) {
      reading.wrong(node, what);
      return std::nullopt;
    };
    if (from->unit != step->unit)
      return refuse("is not in the unit of from and to; right would be the same one behind it");
    if (!(step->number > 0)) return refuse("a step of nothing; right would be above 0");
    if ((to->number - from->number) / step->number > most_values)
      return refuse("more than a million steps; right would be a larger step");
    axis.from = from->number;
    axis.to = to->number;
    axis.step = step->number;
    axis.unit = from->unit;
    axis.whole = from->whole && to->whole && step->whole;
    return text;
  };
}

}  // namespace

std::size_t PlanSpec::Axis::last() const { return static_cast<std::size_t>(std::floor((to - from) / step + 1e-9)); }

double PlanSpec::Axis::number(std::size_t index) const {
  const auto steps = static_cast<double>(maximise ? index : last() - index);
  return from + steps * step;
}

std::string PlanSpec::Axis::value(std::size_t index) const { return fmt::format("{:.12g}{}", number(index), unit); }

std::string PlanSpec::Axis::toml(std::size_t index) const {
  if (!unit.empty()) return config::toml_quoted(value(index));
  return whole ? value(index) : config::real_text(number(index));
}

void plan_fields(Visitor& v, PlanSpec& plan) {
  v.value({.key = "confidence",
           .shape = Shape::real,
           .doc = "Probability that the answer is right, at least.",
           .preset = "0.95"},
          parse_share(plan.confidence));
  v.value({.key = "first_runs",
           .shape = Shape::integer,
           .doc = "Runs at every value that is tried, more where they do not show whether it holds.",
           .preset = "5",
           .min = 2,
           .max = 10'000},
          parse_integer(plan.first_runs, 2, 10'000));
  v.value({.key = "most_runs",
           .shape = Shape::integer,
           .doc = "Runs at a value at most: one that is closer to the bound is decided by what is likelier.",
           .preset = std::to_string(std::max(plan.first_runs, 100u)),
           .min = 2,
           .max = 100'000},
          parse_integer(plan.most_runs, plan.first_runs, 100'000));
  v.list({.key = "vary", .doc = "What may vary: the first is searched, of the others every value is taken."}, false,
         [&] {
           PlanSpec::Axis& axis = plan.axes.emplace_back();
           axis_key_field(
               v, axis.keys,
               [&plan](const std::string& key) -> std::optional<std::string> {
                 if (key == "seed") return "the seed is what the runs of one value differ in";
                 for (std::size_t i = 0; i + 1 < plan.axes.size(); ++i)
                   if (std::find(plan.axes[i].keys.begin(), plan.axes[i].keys.end(), key) != plan.axes[i].keys.end())
                     return "\"" + key + "\" varies already";
                 return std::nullopt;
               },
               &axis.key_place);
           v.value({.key = "goal",
                    .shape = Shape::choice,
                    .doc = "The largest value is asked for, or the smallest.",
                    .preset = "\"maximise\"",
                    .choices = {"maximise", "minimise"}},
                   parse_choice(axis.maximise, {{"maximise", true}, {"minimise", false}}));
           std::optional<Quantity> from;
           std::optional<Quantity> to;
           v.value({.key = "from", .shape = Shape::quantity, .doc = "Smallest value.", .required = true},
                   parse_quantity(from, &axis.from_place));
           const bool left_out = !v.has("step");
           v.value({.key = "to",
                    .shape = Shape::quantity,
                    .doc = "Largest value; that of from: one value.",
                    .required = true,
                    .decided_by = {"from"}},
                   parse_end(to, from, left_out, axis.to_place));
           const bool plain = from && from->whole;
           const bool one_value = from && to && from->number == to->number;
           std::optional<std::string> preset;
           if (plain)
             preset = "1";
           else if (one_value)
             preset = from->unit.empty() ? "1.0" : config::toml_quoted("1" + from->unit);
           v.value({.key = "step",
                    .shape = Shape::quantity,
                    .doc = "From one value to the next; left out: 1, where the others are whole numbers.",
                    .preset = preset,
                    .required = from && !preset,
                    .decided_by = {"from", "to"}},
                   parse_step(axis, from, to));
         });
}

}  // namespace vmbsim::scenario
