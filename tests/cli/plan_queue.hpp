#pragma once
/// A queue whose limit is known, and a plan that looks for it.
#include <string>

#include "tests/cli/user.hpp"

namespace vmbsim::testing {

/// The p99 of single_server is 4.605 / (10,000/s - rate): 1.15 ms at 6,000/s, 1.54 ms at 7,000/s.
/// Source: Kleinrock, "Queueing Systems", volume 1, section 3.2.
inline const std::string queue = std::string(R"(schema = 1
name = "queue"
seed = 3
warm_up = "50ms"
packets = 5000
)") + single_server;

inline const char* const rates = R"(
[objective]
"channel.disk.latency.p99" = "< 1.35ms"

[plan]
first_runs = 4

[[plan.vary]]
key = "workload.load.arrivals.poisson"
from = "1000/s"
to = "9000/s"
step = "1000/s"
)";

}  // namespace vmbsim::testing
