#pragma once
/// Who calls: what every file of WDM calls here begins with.
#include <string>

#include "models/os/partition.hpp"
#include "ntddk.h"

namespace vmbsim::os::wdm {

inline hw::Processor& processor() { return *hw::Processor::current(); }
inline Partition& partition() { return Partition::current(); }
inline KIRQL current_level() { return static_cast<KIRQL>(processor().irql()); }

inline void find(RuleId rule, BugCheck bug_check, std::string text) {
  partition().findings().add(rule, bug_check, {}, std::move(text));
}
/// A finding when the caller's IRQL is above the call's; the answer is whether it is legal. An event has no IRQL.
inline bool at_most(Irql highest, const char* call, BugCheck bug_check = BugCheck::irql_not_less_or_equal) {
  return hw::Processor::current() == nullptr || partition().require_irql_at_most(highest, call, bug_check);
}
/// The same below DISPATCH_LEVEL.
inline void require_dispatch(const char* call) {
  if (processor().irql() < Irql::dispatch)
    find("IRQL", BugCheck::driver_verifier_detected_violation, std::string(call) + " called below DISPATCH_LEVEL");
}
/// Every visible operation of a driver is announced before it is made.
using hw::Site;
using kernel::Access;
inline void visible(Site site, const void* thing, Access access = Access::update) {
  Partition::visible(site, thing, access);
}
/// What Windows would raise as an exception that a driver seldom catches.
inline void raise(const char* text) { find("EXCEPTION", BugCheck::kmode_exception_not_handled, text); }

}  // namespace vmbsim::os::wdm
