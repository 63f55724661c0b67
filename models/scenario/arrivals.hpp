#pragma once
/// The table of guests that come while a run goes on.
///
/// Columns  time (from the start of the run, warm-up included), vm (or template), and where they are there host and lifetime;
///          in any order, and no others. A cell of the last two may be empty: any host, and to the end of the run.
/// Form     RFC 4180: commas between columns, a point before decimals.
/// Units    of a time: what is written behind it ("5ms"); else that of its column's name ("time (ms)"); else that of the
///          scenario. Where none of them says any, the column is a problem; 0 alone needs none.
#include <optional>
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

/// `file` is a name for messages; `unit` what the scenario says of times and lifetimes.
ArrivalsText read_arrivals(std::string_view text, const std::string& file, std::optional<Duration> unit,
                           const std::vector<HostSpec>& hosts, const std::vector<VmSpec>& vms);

}  // namespace vmbsim::scenario
