#pragma once
/// The table of guests that come while a run goes on.
///
/// Columns  time (from the start of the run, warm-up included), vm (or template), and where they are there host and lifetime;
///          in any order. A cell of the last two may be empty: any host, and to the end of the run. Others are left aside.
#include <string>
#include <string_view>
#include <vector>

#include "models/scenario/fleet.hpp"

namespace vmbsim::scenario {

/// What a text said; to be used only where there are no problems.
struct ArrivalsText {
  std::vector<FleetSpec::Arrival> arrivals;  ///< in the order of the text
  Problems problems;
};

/// `file` is a name for messages; `unit` that of times and lifetimes whose headers name none.
ArrivalsText read_arrivals(std::string_view text, const std::string& file, Duration unit,
                           const std::vector<HostSpec>& hosts, const std::vector<VmSpec>& vms);

}  // namespace vmbsim::scenario
