#pragma once
/// A rule that simulated software broke. Findings never stop the simulator; they make the run's exit status 1.
#include <cstdint>
#include <string>
#include <vector>

#include "vmbsim/time.hpp"

namespace vmbsim {

/// Bug checks a driver developer knows. Source: the WDK's bug check reference; the numbers are its codes.
enum class BugCheck : std::uint32_t {
  none = 0,
  irql_not_dispatch_level = 0x08,
  irql_not_greater_or_equal = 0x09,
  irql_not_less_or_equal = 0x0A,
  spin_lock_already_owned = 0x0F,
  spin_lock_not_owned = 0x10,
  attempted_switch_from_dpc = 0xB8,
  bad_pool_caller = 0xC2,
  driver_verifier_detected_violation = 0xC4,
  timer_or_dpc_invalid = 0xC7,
  irql_unexpected_value = 0xC8,
  worker_thread_returned_at_bad_irql = 0xE1,
  wdf_violation = 0x10D,
  dpc_watchdog_violation = 0x133,
  kernel_security_check_failure = 0x139,
};

struct Finding {
  std::string rule;      ///< "K50", "IRQL", ... : stable, for grouping
  BugCheck bug_check{};  ///< none when Windows has no stop code for it
  SimTime time{};
  std::string where;  ///< processor, IRQL, channel: "guest.cpu0 at dispatch, disk"
  std::string text;   ///< one sentence
};

using Findings = std::vector<Finding>;

}  // namespace vmbsim
