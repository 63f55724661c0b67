#pragma once
/// Where findings of one run are kept. A rule broken a million times is told a few times and counted.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "models/hw/processor.hpp"
#include "vmbsim/finding.hpp"

namespace vmbsim::os {

class FindingLog {
 public:
  static constexpr std::uint64_t told_per_rule = 16;  ///< findings of one rule kept with their text

  explicit FindingLog(kernel::Simulation& world) : world_(world) {}

  /// Records that `rule` was broken here and now. `subject` is the channel or object, empty when there is none.
  void add(std::string_view rule, BugCheck bug_check, std::string_view subject, std::string text);

  const Findings& all() const { return findings_; }
  std::uint64_t count(std::string_view rule) const;

 private:
  kernel::Simulation& world_;
  Findings findings_;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace vmbsim::os
