#pragma once
/// The table of functions that a harness gets.
#include "vmbsim/hunt.h"

namespace vmbsim::harness {

class Machine;
vmbsim_hunt table_of(Machine& machine);

}  // namespace vmbsim::harness
