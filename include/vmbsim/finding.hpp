#pragma once
/// A rule that simulated software broke. Findings never stop the simulator; errors among them make the run's exit status 1.
#include <cstdint>
#include <string>
#include <vector>

#include "vmbsim/rules.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim {

/// Bug checks a driver developer knows. Source: the WDK's bug check reference; the numbers are its codes.
enum class BugCheck : std::uint32_t {
  none = 0,
  irql_not_dispatch_level = 0x08,
  irql_not_greater_or_equal = 0x09,
  irql_not_less_or_equal = 0x0A,
  maximum_wait_objects_exceeded = 0x0C,
  spin_lock_already_owned = 0x0F,
  spin_lock_not_owned = 0x10,
  thread_not_mutex_owner = 0x11,
  reference_by_pointer = 0x18,
  bad_pool_header = 0x19,
  kmode_exception_not_handled = 0x1E,
  kernel_apc_pending_during_exit = 0x20,
  target_mdl_too_small = 0x40,
  invalid_kernel_handle = 0x93,
  attempted_switch_from_dpc = 0xB8,
  bad_pool_caller = 0xC2,
  driver_verifier_detected_violation = 0xC4,
  timer_or_dpc_invalid = 0xC7,
  irql_unexpected_value = 0xC8,
  driver_left_locked_pages_in_process = 0xCB,
  page_fault_in_freed_special_pool = 0xCC,
  driver_unloaded_without_cancelling_pending_operations = 0xCE,
  driver_irql_not_less_or_equal = 0xD1,
  worker_thread_returned_at_bad_irql = 0xE1,
  wdf_violation = 0x10D,
  worker_invalid = 0xE4,
  dpc_watchdog_violation = 0x133,
  kernel_security_check_failure = 0x139,
};

struct Finding {
  std::string rule;      ///< "K50", "IRQL", ... : stable, for grouping
  Severity severity = Severity::error;   ///< warning or error
  BugCheck bug_check{};  ///< none when Windows has no stop code for it
  SimTime time{};
  std::string where;   ///< processor, IRQL, channel: "guest.cpu0 at dispatch, disk"
  std::string call;    ///< function or callback of the driver kit that broke it; empty where there is none
  std::string text;    ///< one sentence
  std::string source;  ///< the document that has the rule
};

using Findings = std::vector<Finding>;

}  // namespace vmbsim
