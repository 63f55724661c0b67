#pragma once
/// A result as a person reads it in a terminal.
#include <string>

#include "vmbsim/result.hpp"

namespace vmbsim::report {

/// Colour is for a terminal whose owner did not set NO_COLOR; everything else gets plain text.
enum class Paint : bool { plain, colour };

/// The first line of any run: scenario, seed, version. No line end.
std::string title(const RunResult& result);

/// Throughput and latency and how sure they are, where the time went by stage, batches, signals, interrupts, rings, processors, devices,
/// workloads, expectations, findings, debug output: in this order, each only where there is something to say. Of a template with many
/// instances the first eight are shown, then all of them as one row. Only the last line mentions the wall clock.
std::string table(const RunResult& result, Paint paint = Paint::plain);

}  // namespace vmbsim::report
