#include "sim/batch/plan.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <map>

#include "sim/config/toml_text.hpp"

namespace vmbsim::batch {

Fingerprint digest_of(std::string_view text, Fingerprint before) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(text.data(), text.size(), before.high ^ before.low * 3);
  return {hash.high64, hash.low64};
}

std::variant<Plan, Problem> Plan::make(const sweep::Sweep& sweep, const sweep::Points& points, Seed base,
                                       const std::string& version, const Resolve& resolve) {
  Plan plan(sweep, points, base, version);
  std::map<Fingerprint, std::uint64_t> seen;
  for (std::uint64_t i = 0; i < points.size(); ++i) {
    const auto digest = resolve(points.at(i));
    if (const auto* wrong = std::get_if<Problem>(&digest)) return *wrong;
    const auto [before, fresh] = seen.emplace(std::get<Fingerprint>(digest), i);
    if (!fresh) return points.same(before->second, i);
    plan.digests_.push_back(std::get<Fingerprint>(digest));
  }
  return plan;
}

Key key_of(const Fingerprint& identity, Seed seed, const std::string& version) {
  return digest_of(fmt::format("{}\n{}\n{}", identity.text(), seed.value, version));
}

Key Plan::key_at(std::uint64_t i) const {
  const std::uint64_t point = i / sweep_->repeat;
  const auto repetition = static_cast<std::uint32_t>(i % sweep_->repeat);
  return key_of(digests_[point], sweep::seed_of(*sweep_, base_, points_->at(point), repetition), version_);
}

PlannedRun Plan::at(std::uint64_t i) const {
  const std::uint64_t point = i / sweep_->repeat;
  PlannedRun run;
  run.point = points_->at(point);
  run.seed = sweep::seed_of(*sweep_, base_, run.point, static_cast<std::uint32_t>(i % sweep_->repeat));
  run.identity = digests_[point];
  run.key = key_of(run.identity, run.seed, version_);
  return run;
}

std::vector<std::string> columns_of(const sweep::Sweep& sweep) {
  std::vector<std::string> columns = sweep::parameters(sweep);
  columns.erase(std::remove(columns.begin(), columns.end(), "seed"), columns.end());
  return columns;
}

std::vector<std::string> values_of(const std::vector<std::string>& columns, const sweep::Point& point) {
  std::vector<std::string> values(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] == "variant") values[i] = config::toml_quoted(point.variant);
    for (const sweep::Setting& setting : point.settings)
      if (setting.key == columns[i]) values[i] = setting.value;
  }
  return values;
}

}  // namespace vmbsim::batch
