#include "models/os/finding_log.hpp"

#include <utility>

namespace vmbsim::os {

void FindingLog::add(RuleId id, BugCheck bug_check, std::string_view subject, std::string text, std::string_view call) {
  const Rule& rule = *id;
  const Severity severity = severities_[index_of(rule)];
  if (severity == Severity::off) return;
  if (++counts_[index_of(rule)] > told_per_rule) return;

  std::string where;
  if (const hw::Processor* cpu = hw::Processor::current()) where = cpu->name() + " at " + name_of(cpu->irql());
  if (!subject.empty()) where += (where.empty() ? "" : ", ") + std::string(subject);
  findings_.push_back({.rule = rule.id,
                       .severity = severity,
                       .bug_check = bug_check,
                       .time = world_.now(),
                       .where = std::move(where),
                       .call = std::string(call),
                       .text = std::move(text),
                       .source = rule.source});
}

std::vector<FindingCount> FindingLog::counts() const {
  std::vector<FindingCount> all;
  for (const Rule& rule : rules)
    if (const std::uint64_t times = counts_[index_of(rule)]; times != 0)
      all.push_back({.rule = rule.id, .severity = severities_[index_of(rule)], .times = times});
  return all;
}

std::uint64_t FindingLog::count(std::string_view id) const {
  const Rule* rule = find_rule(id);
  VMBSIM_ASSERT(rule != nullptr, "only rules of the table are counted");
  return counts_[index_of(*rule)];
}

}  // namespace vmbsim::os
