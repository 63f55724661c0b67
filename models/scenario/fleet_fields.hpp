#pragma once
/// The keys of hosts, guests and shared disks, and of the fleet that is made of them.
#include "models/scenario/fields.hpp"

namespace vmbsim::scenario {

/// Those of `[[host]]`, `[[disk]]`, `[[vm]]` and `[fleet]`; then who lives where is settled.
void fleet_fields(Visitor& v, Scenario& s);

}  // namespace vmbsim::scenario
