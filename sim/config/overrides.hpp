#pragma once
/// `--set key.path=value`: one value of a document changed from the command line.
#include <string>
#include <string_view>
#include <vector>

#include "sim/config/document.hpp"

namespace vmbsim::config {

/// Changes `document`. `number` counts the overrides from 1; a problem's place is `--set:<number>:<column>`.
///
/// Path   The keys as the file shows them, separated by dots: `channel.storage.ring.to_host`. An entry of a list goes by its
///        `name` or by its index from 0: `workload.foreground.queue_depth`, `workload.0.queue_depth`. A key that holds dots
///        stands in quotes: `expect."channel.disk.latency.p99"=< 2ms`. Tables that are not there yet are made.
/// Value  TOML as it would stand in the file (`8`, `true`, `{ exponential = "10us" }`, `"4 pages"`); what is no TOML value is
///        taken as text, so that the quotes a shell eats are not missed: `4 pages`, `5us`.
void apply_override(Document& document, std::size_t number, std::string_view assignment, Problems& problems);

/// The keys of the path that `assignment` begins with; none if it is malformed.
std::vector<std::string> path_of(std::string_view assignment);

}  // namespace vmbsim::config
