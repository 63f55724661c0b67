#pragma once
/// Recorded loads: what a trace file says, as values.
#include <cstdint>
#include <vector>

#include "vmbsim/bytes.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::workload {

/// One recorded I/O.
struct TraceRecord {
  enum class Kind : std::uint8_t { read, write, flush };
  Duration arrival;  ///< since the first record
  Bytes size;
  std::int64_t offset = 0;
  Duration service{-1};  ///< the device's time as recorded; negative: not recorded
  Kind kind = Kind::read;
};

/// In order of arrival.
using Trace = std::vector<TraceRecord>;

}  // namespace vmbsim::workload
