#pragma once
/// Why a load is too much: what packets wait for, and what is used up.
#include <map>
#include <string>

namespace vmbsim::plan {

/// Figures by metric, averaged over the runs of one load.
using Figures = std::map<std::string, double>;

/// The busiest of the single devices and processors that got busier, or that are saturated at both loads; the stage that grew
/// most; the ring that was full most often, and more often than before: one clause each, only where there is something to say.
/// `kept` is the load next to it that keeps the bounds; empty where none does.
std::string reason(const Figures& kept, const Figures& broken);

}  // namespace vmbsim::plan
