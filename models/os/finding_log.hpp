#pragma once
/// Where findings of one run are kept. A rule broken a million times is told a few times and counted.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/hw/processor.hpp"
#include "vmbsim/result.hpp"

namespace vmbsim::os {

class FindingLog {
 public:
  static constexpr std::uint64_t told_per_rule = 16;  ///< findings of one rule kept with their text

  explicit FindingLog(kernel::Simulation& world) : world_(world) {}

  /// Records that `rule` was broken here and now, by `call`. `subject` is the channel or object. Both may be empty.
  void add(RuleId rule, BugCheck bug_check, std::string_view subject, std::string text, std::string_view call = {});

  /// What becomes of findings of `rule` from now on.
  void set_severity(const Rule& rule, Severity severity) { severities_[index_of(rule)] = severity; }
  bool looks_for(RuleId rule) const { return severities_[index_of(*rule)] != Severity::off; }

  const Findings& all() const { return findings_; }
  /// The rules that were broken, in the order of the table.
  std::vector<FindingCount> counts() const;
  /// How often a rule of the table was broken; those that are off are not counted.
  std::uint64_t count(std::string_view rule) const;

 private:
  static constexpr std::array<Severity, rule_count> default_severities() {
    std::array<Severity, rule_count> all{};
    for (const Rule& rule : rules) all[index_of(rule)] = rule.severity;
    return all;
  }

  kernel::Simulation& world_;
  Findings findings_;
  std::array<Severity, rule_count> severities_ = default_severities();
  std::array<std::uint64_t, rule_count> counts_{};
};

}  // namespace vmbsim::os
