#pragma once
/// What a transaction remembers of its way: one time for the end of every stage.
///
/// The packet carries its own history; nobody asks the stages. A stage's length is the difference of two neighbours, so the
/// stages add up to the latency by construction.
#include <algorithm>
#include <array>
#include <cstdint>

#include "vmbsim/bytes.hpp"
#include "vmbsim/result.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::vmbus {

struct Journey {
  SimTime submitted{};                       ///< VmbPacketSend was called
  std::array<SimTime, stage_count> ended{};  ///< when each stage was over, in journey order
  Bytes data{};                              ///< external data the transaction moves
  std::uint64_t number = 0;                  ///< of its log, from 1; 0: nobody counts it

  /// A transaction sets out. When its stages end is told as they do, each before anybody asks.
  void begin(SimTime at) {
    submitted = at;
    data = {};
    number = 0;
  }
  void end(Stage stage, SimTime at) { ended[static_cast<std::size_t>(stage)] = at; }
  Duration latency() const { return ended.back() - submitted; }
  Duration stage(std::size_t index) const { return ended[index] - (index == 0 ? submitted : ended[index - 1]); }
};

/// Reads journeys at the two ends of the house.
class JourneyLog {
 public:
  virtual ~JourneyLog() = default;
  /// Numbers it.
  virtual void begun(Journey& journey) = 0;
  virtual void returned(const Journey& journey) = 0;
};

}  // namespace vmbsim::vmbus
