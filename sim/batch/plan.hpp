#pragma once
/// All runs of a sweep in one order, each with its key.
#include <cstdint>
#include <functional>
#include <variant>
#include <vector>

#include "sim/batch/record.hpp"
#include "sim/batch/store.hpp"
#include "sim/sweep/sweep.hpp"

namespace vmbsim::batch {

/// What a point comes to, as a digest over the resolved scenario and the contents of the files that it names; or what is
/// wrong with it.
using Resolve = std::function<std::variant<Fingerprint, Problem>(const sweep::Point&)>;

/// A digest of a text, and of one on top of another.
Fingerprint digest_of(std::string_view text, Fingerprint before = {});

/// Of a run: what its scenario comes to, its seed, and the version of the model.
Key key_of(const Fingerprint& identity, Seed seed, const std::string& version);

struct PlannedRun {
  Key key;
  Fingerprint identity;  ///< what resolve answered for its point
  sweep::Point point;
  Seed seed;
};

class Plan {
 public:
  /// `points` is prepared, and outlives the plan. Asks `resolve` for each: two that come to the same scenario are a
  /// problem.
  static std::variant<Plan, Problem> make(const sweep::Sweep& sweep, const sweep::Points& points, Seed base,
                                          const std::string& version, const Resolve& resolve);

  /// All repetitions of a point, then those of the next.
  std::uint64_t size() const { return std::uint64_t{digests_.size()} * sweep_->repeat; }
  PlannedRun at(std::uint64_t i) const;
  Key key_at(std::uint64_t i) const;
  std::uint64_t points() const { return digests_.size(); }
  /// Runs of the whole sweep, of which a filter may have left these.
  std::uint64_t whole() const { return points_->whole() * sweep_->repeat; }

 private:
  Plan(const sweep::Sweep& sweep, const sweep::Points& points, Seed base, std::string version)
      : sweep_(&sweep), points_(&points), base_(base), version_(std::move(version)) {}

  const sweep::Sweep* sweep_;
  const sweep::Points* points_;
  Seed base_;
  std::string version_;
  std::vector<Fingerprint> digests_;  // of the points
};

/// The columns of a sweep's runs; the seed has one of its own.
std::vector<std::string> columns_of(const sweep::Sweep& sweep);
/// The value of each of them at a point, as TOML text; empty where it has none.
std::vector<std::string> values_of(const std::vector<std::string>& columns, const sweep::Point& point);

}  // namespace vmbsim::batch
