#pragma once
/// `[sweep]`: the points of a batch, each a few settings on top of one scenario.
///
///   Points points(sweep);
///   if (auto problem = points.prepare(only)) ...
///   for (std::uint64_t i = 0; i < points.size(); ++i) run(points.at(i), seed_of(sweep, base, points.at(i), 0));
///
/// Order    Variants as they are written, within each the axes as they are written, the last one fastest.
/// Seeds    Repetition r of a point has the scenario's seed plus r, the same for all points: differences between points are not
///          differences of chance. With `common_random_numbers = false` each point draws seeds of its own from its settings.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/constraint.hpp"
#include "vmbsim/ids.hpp"
#include "vmbsim/problem.hpp"

namespace vmbsim::sweep {

struct Axis {
  std::vector<std::string> keys;    ///< paths as `--set` takes them; all get the same value
  std::vector<std::string> values;  ///< TOML text of each value, as `--set` takes it
  Place place;                      ///< where the scenario has it
  std::vector<Place> places{};      ///< where it has each value; empty: those of a range
};

struct Setting {
  std::string key;
  std::string value;  ///< TOML text
  friend bool operator==(const Setting&, const Setting&) = default;
};

/// Settings that go together under a name.
struct Variant {
  std::string name;
  std::vector<Setting> settings;
  Place place;
};

/// A constraint and where it stands.
struct Condition {
  Constraint constraint;
  Place place;
};

struct Sweep {
  enum class Combine : std::uint8_t { product, zip };
  Combine combine = Combine::product;
  std::uint32_t repeat = 1;  ///< runs per point, each with a seed of its own
  bool common_random_numbers = true;
  std::uint64_t most_runs = 100'000;
  std::vector<Axis> axes;
  std::vector<Variant> variants;
  std::vector<Condition> where;

  bool empty() const { return axes.empty() && variants.empty() && repeat == 1; }
};

struct Point {
  std::string variant;  ///< empty: none
  std::vector<Setting> settings;
  /// As `--set` takes them.
  std::vector<std::string> overrides() const;
};

/// What tells the runs of a sweep apart, seeds aside: "variant" where there are any, then the keys, as they are written.
std::vector<std::string> parameters(const Sweep& sweep);

/// Of repetition `repetition`, from 0.
Seed seed_of(const Sweep& sweep, Seed base, const Point& point, std::uint32_t repetition);

class Points {
 public:
  explicit Points(const Sweep& sweep) : sweep_(sweep) {}

  /// Finds the points that fulfil every constraint and every `only`: `KEY=VALUE` each, of which those of one key are
  /// alternatives. "variant" is a key here. To be called once, before anything else.
  std::optional<Problem> prepare(const std::vector<std::string>& only = {});
  std::uint64_t size() const { return points_.size(); }
  /// As many as there are without `only`.
  std::uint64_t whole() const { return whole_; }
  Point at(std::uint64_t i) const;
  /// Places (of at()) of points that between them take every value and every variant, at most `most`.
  std::vector<std::uint64_t> samples(std::size_t most) const;
  /// What to say of two points that come to the same scenario: nothing is left out silently.
  Problem same(std::uint64_t first, std::uint64_t second) const;
  /// Where a value of a point stands that `samples` chose the point for.
  Place place_of(std::uint64_t sample) const;

 private:
  struct Filter {
    std::string key;
    std::vector<std::string> values;
  };
  std::optional<Problem> check() const;
  std::optional<Problem> value_that_stands_twice() const;
  std::optional<Problem> read_filters(const std::vector<std::string>& only);
  /// Index of the variant and of each axis' value.
  std::vector<std::size_t> choices(std::uint64_t combination) const;
  const std::string* value(const std::vector<std::size_t>& choices, const std::string& key) const;
  bool wanted(const std::vector<std::size_t>& choices) const;

  const Sweep& sweep_;
  std::uint64_t combinations_ = 0;
  std::uint64_t whole_ = 0;
  std::vector<Filter> filters_;
  std::vector<std::uint64_t> points_;
};

}  // namespace vmbsim::sweep
