#pragma once
/// A status that cannot be a failure.
#include "ntdef.h"
#include "vmbsim/assert.hpp"

namespace vmbsim::drivers {

inline void must(NTSTATUS status) {
  VMBSIM_ASSERT(NT_SUCCESS(status), "a built-in driver configures its channel correctly");
}

}  // namespace vmbsim::drivers
