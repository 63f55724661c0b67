#include "sim/sweep/sweep.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "sim/config/file.hpp"
#include "sim/config/suggestions.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim::sweep {
namespace {

constexpr std::uint64_t most_combinations = 20'000'000;
constexpr const char* variant_key = "variant";

Problem problem(const Place& place, const std::string& text) {
  Problem wrong = config::problem_with(place.file, "[sweep]: " + text);
  wrong.place = place;
  return wrong;
}

const std::string* setting(const Variant& variant, const std::string& key) {
  for (const Setting& one : variant.settings)
    if (one.key == key) return &one.value;
  return nullptr;
}

/// A value of every point.
bool always_there(const Sweep& sweep, const std::string& key) {
  for (const Axis& axis : sweep.axes)
    if (std::find(axis.keys.begin(), axis.keys.end(), key) != axis.keys.end()) return true;
  return !sweep.variants.empty() && std::all_of(sweep.variants.begin(), sweep.variants.end(),
                                                [&](const Variant& v) { return setting(v, key) != nullptr; });
}

bool same_value(const std::string& a, const std::string& b) { return canonical(a) == canonical(b); }

Place place_of_value(const Axis& axis, std::size_t value) {
  return value < axis.places.size() ? axis.places[value] : axis.place;
}

Place first_place(const Sweep& sweep) {
  if (!sweep.axes.empty()) return sweep.axes.front().place;
  if (!sweep.variants.empty()) return sweep.variants.front().place;
  return {};
}

std::vector<std::string> values_of(const Sweep& sweep, const std::string& key) {
  std::vector<std::string> values;
  if (key == variant_key)
    for (const Variant& variant : sweep.variants) values.push_back(variant.name);
  for (const Variant& variant : sweep.variants)
    if (const std::string* value = setting(variant, key)) values.push_back(*value);
  for (const Axis& axis : sweep.axes)
    if (std::find(axis.keys.begin(), axis.keys.end(), key) != axis.keys.end())
      values.insert(values.end(), axis.values.begin(), axis.values.end());
  return values;
}

/// What is wrong with a word without `=`: it may be a key that lacks its value, or a value that lacks its key.
std::string no_choice(const Sweep& sweep, const std::string& text) {
  const std::vector<std::string> known = parameters(sweep);
  if (known.empty()) return "\"" + text + "\" chooses nothing: the scenario has no sweep";
  std::string right;
  for (const std::string& key : known)
    for (const std::string& value : values_of(sweep, key))
      if (right.empty() && (key == text || same_value(value, text))) right = key + "=" + plain_text(value);
  if (right.empty()) right = known.front() + "=" + plain_text(values_of(sweep, known.front()).front());
  return fmt::format("\"{}\" is no choice; write it as in {}; swept are: {}", text, right, config::listed(known));
}

}  // namespace

std::vector<std::string> Point::overrides() const {
  std::vector<std::string> all;
  for (const Setting& one : settings) all.push_back(one.key + "=" + one.value);
  return all;
}

std::vector<std::string> parameters(const Sweep& sweep) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  if (!sweep.variants.empty()) add(variant_key);
  for (const Variant& variant : sweep.variants)
    for (const Setting& one : variant.settings) add(one.key);
  for (const Axis& axis : sweep.axes)
    for (const std::string& key : axis.keys) add(key);
  return names;
}

Seed seed_of(const Sweep& sweep, Seed base, const Point& point, std::uint32_t repetition) {
  constexpr std::uint64_t most = (std::uint64_t{1} << 63) - 1;  // of a scenario
  for (const Setting& one : point.settings)
    if (one.key == "seed") base.value = static_cast<std::uint64_t>(quantity_of(one.value).number);
  if (sweep.common_random_numbers) return {(base.value + repetition) & most};
  std::string text = fmt::format("{} {} {}", base.value, repetition, point.variant);
  for (const Setting& one : point.settings) text += fmt::format("\n{}={}", one.key, one.value);
  return {XXH3_64bits(text.data(), text.size()) & most};
}

std::optional<Problem> Points::check() const {
  std::set<std::string> keys;
  for (const Axis& axis : sweep_.axes) {
    for (const std::string& key : axis.keys) {
      if (!keys.insert(key).second) return problem(axis.place, "\"" + key + "\" has two axes");
      if (key == "seed" && sweep_.repeat > 1)
        return problem(axis.place, "seeds are swept or repeated, not both: leave out repeat or the axis");
    }
    if (axis.values.empty()) return problem(axis.place, "an axis without values leaves no point");
    if (const Axis& first = sweep_.axes.front();
        sweep_.combine == Sweep::Combine::zip && axis.values.size() != first.values.size())
      return problem(axis.place,
                     fmt::format("axes that go side by side need as many values each: {} has {}, {} {}",
                                 first.keys.front(), first.values.size(), axis.keys.front(), axis.values.size()));
  }
  if (auto twice = value_that_stands_twice()) return twice;
  std::set<std::string> names;
  for (const Variant& variant : sweep_.variants) {
    if (!names.insert(variant.name).second)
      return problem(variant.place, "two variants are named \"" + variant.name + "\"");
    for (const Setting& one : variant.settings)
      if (keys.count(one.key) != 0)
        return problem(variant.place, "\"" + one.key + "\" is set by a variant and has an axis");
  }
  for (const Condition& condition : sweep_.where)
    for (const auto* side : {&condition.constraint.left, &condition.constraint.right})
      for (const Constraint::Factor& factor : *side)
        if (!factor.key.empty() && !always_there(sweep_, factor.key))
          return problem(condition.place, "\"" + factor.key +
                                              "\" has no value at every point; a constraint compares swept keys" +
                                              config::did_you_mean_or(factor.key, parameters(sweep_), "; swept are: "));
  return std::nullopt;
}

/// Of an axis; of axes side by side: their values at one place.
std::optional<Problem> Points::value_that_stands_twice() const {
  const bool zip = sweep_.combine == Sweep::Combine::zip;
  for (const Axis& axis : sweep_.axes) {
    std::map<std::string, std::size_t> values;
    for (std::size_t i = 0; i < axis.values.size(); ++i) {
      std::string value = canonical(axis.values[i]);
      for (const Axis& other : sweep_.axes)
        if (zip && &other != &axis) value += "\n" + canonical(other.values[i]);
      const auto [before, fresh] = values.emplace(std::move(value), i);
      if (fresh) continue;
      const std::string& first = axis.values[before->second];
      return problem(place_of_value(axis, i),
                     fmt::format("the value {} stands twice{}{}", axis.values[i],
                                 first == axis.values[i] ? "" : ", once as " + first,
                                 zip && sweep_.axes.size() > 1 ? ", with the same values beside it" : ""));
    }
    if (zip) break;
  }
  return std::nullopt;
}

std::optional<Problem> Points::read_filters(const std::vector<std::string>& only) {
  const std::vector<std::string> known = parameters(sweep_);
  for (const std::string& text : only) {
    Problem wrong = config::problem_with("--only", "");
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      wrong.text = no_choice(sweep_, text);
      return wrong;
    }
    const std::string key = text.substr(0, equals);
    const std::string chosen = text.substr(equals + 1);
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      wrong.text =
          "\"" + key + "\" is not swept" +
          (known.empty() ? "; the scenario sweeps nothing" : config::did_you_mean_or(key, known, "; swept are: "));
      return wrong;
    }
    const std::vector<std::string> values = values_of(sweep_, key);
    if (std::none_of(values.begin(), values.end(), [&](const std::string& v) { return same_value(v, chosen); })) {
      std::vector<std::string> once;
      std::set<std::string> told;
      for (const std::string& value : values)
        if (told.size() < 20 && told.insert(canonical(value)).second) once.push_back(plain_text(value));
      wrong.text = "\"" + key + "\" never is " + chosen + "; it is: " + config::listed(once);
      return wrong;
    }
    const auto filter = std::find_if(filters_.begin(), filters_.end(), [&](const Filter& f) { return f.key == key; });
    if (filter == filters_.end())
      filters_.push_back({key, {chosen}});
    else
      filter->values.push_back(chosen);
  }
  return std::nullopt;
}

std::vector<std::size_t> Points::choices(std::uint64_t combination) const {
  std::vector<std::size_t> chosen(sweep_.axes.size() + 1);
  const bool zip = sweep_.combine == Sweep::Combine::zip;
  for (std::size_t axis = sweep_.axes.size(); axis-- > 0;) {
    const std::size_t many = sweep_.axes[axis].values.size();
    chosen[axis + 1] = combination % many;
    if (!zip || axis == 0) combination /= many;
  }
  chosen[0] = combination;
  return chosen;
}

const std::string* Points::value(const std::vector<std::size_t>& chosen, const std::string& key) const {
  for (std::size_t axis = 0; axis < sweep_.axes.size(); ++axis)
    if (const auto& keys = sweep_.axes[axis].keys; std::find(keys.begin(), keys.end(), key) != keys.end())
      return &sweep_.axes[axis].values[chosen[axis + 1]];
  if (sweep_.variants.empty()) return nullptr;
  const Variant& variant = sweep_.variants[chosen[0]];
  return key == variant_key ? &variant.name : setting(variant, key);
}

bool Points::wanted(const std::vector<std::size_t>& chosen) const {
  return std::all_of(filters_.begin(), filters_.end(), [&](const Filter& filter) {
    const std::string* const own = value(chosen, filter.key);
    return own != nullptr && std::any_of(filter.values.begin(), filter.values.end(),
                                         [&](const std::string& v) { return same_value(*own, v); });
  });
}

std::optional<Problem> Points::prepare(const std::vector<std::string>& only) {
  if (auto wrong = check()) return wrong;
  if (auto wrong = read_filters(only)) return wrong;
  Wide combinations = std::max<std::size_t>(sweep_.variants.size(), 1);
  for (const Axis& axis : sweep_.axes) {
    combinations *= axis.values.size();
    if (sweep_.combine == Sweep::Combine::zip) break;
    combinations = std::min<Wide>(combinations, Wide{1} << 62);
  }
  const auto refuse = [&](Wide runs) {
    return problem(first_place(sweep_), fmt::format("{} runs are more than {}; sweep.most_runs raises the limit",
                                                    static_cast<std::uint64_t>(runs), sweep_.most_runs));
  };
  if (sweep_.where.empty() && filters_.empty() && combinations * sweep_.repeat > sweep_.most_runs)
    return refuse(std::min<Wide>(combinations * sweep_.repeat, Wide{1} << 62));
  if (combinations > most_combinations)
    return problem(first_place(sweep_), fmt::format("{} combinations are more than can be looked through: {}",
                                                    static_cast<std::uint64_t>(combinations), most_combinations));
  combinations_ = static_cast<std::uint64_t>(combinations);
  using Answer = std::variant<bool, Problem>;
  const auto fulfils_constraints = [&](const std::vector<std::size_t>& chosen) -> Answer {
    for (const Condition& condition : sweep_.where) {
      const auto held = holds(condition.constraint,
                              [&](const std::string& key) -> const std::string& { return *value(chosen, key); });
      if (const auto* wrong = std::get_if<ConstraintError>(&held)) return problem(condition.place, wrong->text);
      if (!std::get<bool>(held)) return false;
    }
    return true;
  };
  for (std::uint64_t i = 0; i < combinations_; ++i) {
    const std::vector<std::size_t> chosen = choices(i);
    const Answer taken = fulfils_constraints(chosen);
    if (const auto* wrong = std::get_if<Problem>(&taken)) return *wrong;
    if (!std::get<bool>(taken)) continue;
    ++whole_;
    if (!wanted(chosen)) continue;
    points_.push_back(i);
    if (Wide{points_.size()} * sweep_.repeat > sweep_.most_runs)
      return problem(first_place(sweep_),
                     fmt::format("more than {} runs: {} of the first {} combinations are left, of {} in all, with {} "
                                 "each; sweep.most_runs raises the limit",
                                 sweep_.most_runs, points_.size(), i + 1, combinations_,
                                 config::counted(sweep_.repeat, "run", "runs")));
  }
  if (points_.empty()) {
    // What of the sweep each choice leaves on its own.
    std::string alone;
    for (const Filter& filter : std::exchange(filters_, {})) {
      filters_ = {filter};
      std::uint64_t left = 0;
      for (std::uint64_t i = 0; i < combinations_; ++i)
        left += wanted(choices(i)) && std::get<bool>(fulfils_constraints(choices(i))) ? 1 : 0;
      alone += alone.empty() ? ": " : ", ";
      for (const std::string& one : filter.values)
        alone += (&one == &filter.values.front() ? filter.key + "=" : " or ") + one;
      alone +=
          left == 0 ? " is at none that the constraints leave" : " is at " + config::counted(left, "point", "points");
    }
    if (!alone.empty()) return config::problem_with("--only", "leaves no point of the sweep" + alone);
    return problem(sweep_.where.front().place, "no point fulfils every constraint");
  }
  return std::nullopt;
}

Point Points::at(std::uint64_t i) const {
  const std::vector<std::size_t> chosen = choices(points_[i]);
  Point point;
  if (!sweep_.variants.empty()) {
    point.variant = sweep_.variants[chosen[0]].name;
    point.settings = sweep_.variants[chosen[0]].settings;
  }
  for (std::size_t axis = 0; axis < sweep_.axes.size(); ++axis)
    for (const std::string& key : sweep_.axes[axis].keys)
      point.settings.push_back({key, sweep_.axes[axis].values[chosen[axis + 1]]});
  return point;
}

std::vector<std::uint64_t> Points::samples(std::size_t most) const {
  std::set<std::pair<std::size_t, std::size_t>> seen;
  std::vector<std::uint64_t> picked;
  for (std::uint64_t i = 0; i < points_.size() && picked.size() < most; ++i) {
    const std::vector<std::size_t> chosen = choices(points_[i]);
    bool fresh = false;
    for (std::size_t axis = 0; axis < chosen.size(); ++axis) fresh |= seen.insert({axis, chosen[axis]}).second;
    if (fresh) picked.push_back(i);
  }
  return picked;
}

Problem Points::same(std::uint64_t first, std::uint64_t second) const {
  const auto told = [&](std::uint64_t i) {
    const Point point = at(i);
    std::vector<std::string> settings = point.overrides();
    if (!point.variant.empty()) settings.insert(settings.begin(), "variant=" + point.variant);
    return config::listed(settings);
  };
  return problem(place_of(second),
                 fmt::format("the points {} and {} come to the same scenario; right would be one of them", told(first),
                             told(second)));
}

Place Points::place_of(std::uint64_t sample) const {
  const std::vector<std::size_t> chosen = choices(points_[sample]);
  // Most points differ from the first one in the value that they were chosen for.
  for (std::size_t axis = 0; axis < sweep_.axes.size(); ++axis)
    if (chosen[axis + 1] != 0) return place_of_value(sweep_.axes[axis], chosen[axis + 1]);
  return sweep_.variants.empty() ? first_place(sweep_) : sweep_.variants[chosen[0]].place;
}

}  // namespace vmbsim::sweep
