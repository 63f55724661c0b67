#pragma once
/// What one channel instance is measured by: it reads each journey once, where the packet leaves the house.
#include <cstdint>
#include <optional>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "models/scenario/timeline.hpp"
#include "models/vmbus/journey.hpp"
#include "sim/kernel/simulation.hpp"
#include "sim/stats/observations.hpp"
#include "vmbsim/result.hpp"

namespace vmbsim::scenario {

/// Counts completions over all channels and ends the run at the last one that was asked for.
struct PacketLimit {
  std::uint64_t left = 0;  ///< 0: none
  void completed(kernel::Simulation& world) {
    if (left != 0 && --left == 0) world.end();
  }
};

/// Rows that a run may still keep, over all channels. One that asks for more is ended.
struct RowLimit {
  std::uint64_t left = most_recorded_rows;
  bool exceeded = false;
  bool take(kernel::Simulation& world) {
    if (left == 0) {
      exceeded = true;
      world.end();
      return false;
    }
    --left;
    return true;
  }
};

class Recorder final : public vmbus::JourneyLog {
 public:
  struct Config {
    std::uint32_t channel;  ///< index in the results
    bool packets = false;   ///< keep a row per transaction
    Duration interval{};    ///< close an interval this often; 0: never
    kernel::Simulation& world;
    PacketLimit& limit;
    RowLimit& rows;
    Timeline* timeline = nullptr;                        ///< null: none is kept
    std::optional<stats::Stopping::Config> precision{};  ///< the run ends when this is known of the channel
  };
  explicit Recorder(Config config) : config_(config) {
    if (config_.precision) stopping_.emplace(*config_.precision);
  }

  void begun(vmbus::Journey& journey) override {
    journey.number = ++sent_;
    if (config_.timeline != nullptr) [[unlikely]]
      config_.timeline->on_begun(config_.channel, journey);
  }
  void returned(const vmbus::Journey& journey) override;
  /// From here on latencies count.
  void start_measuring();
  /// The last, partial interval ends with the run.
  void finish();

  /// Transactions begun and not returned.
  std::uint64_t outstanding() const { return sent_ - completed_; }
  /// Puts counts and latencies into `result`.
  void report(ChannelResult& result, Duration measured) const;
  std::vector<PacketRow> packets;
  std::vector<IntervalRow> intervals;

 private:
  void close_intervals(SimTime until);
  void look_at_precision();

  Config config_;
  std::uint64_t sent_ = 0;
  std::uint64_t completed_ = 0;
  bool measuring_ = false;
  Histogram latency_;
  stats::Observations seen_;
  std::optional<stats::Stopping> stopping_;
  std::array<Wide, stage_count> stage_sum_ns_{};
  Bytes data_{};
  Histogram interval_latency_;
  SimTime interval_end_{};
};

}  // namespace vmbsim::scenario
