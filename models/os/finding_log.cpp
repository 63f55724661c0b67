#include "models/os/finding_log.hpp"

#include <utility>

namespace vmbsim::os {

void FindingLog::add(std::string_view rule, BugCheck bug_check, std::string_view subject, std::string text) {
  auto counted = counts_.find(rule);
  if (counted == counts_.end()) counted = counts_.emplace(std::string(rule), 0).first;
  if (++counted->second > told_per_rule) return;

  std::string where;
  if (const hw::Processor* cpu = hw::Processor::current()) where = cpu->name() + " at " + name_of(cpu->irql());
  if (!subject.empty()) where += (where.empty() ? "" : ", ") + std::string(subject);
  findings_.push_back({std::string(rule), bug_check, world_.now(), std::move(where), std::move(text)});
}

std::uint64_t FindingLog::count(std::string_view rule) const {
  const auto counted = counts_.find(rule);
  return counted == counts_.end() ? 0 : counted->second;
}

}  // namespace vmbsim::os
