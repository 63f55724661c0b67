#pragma once
/// What a run answers: plain values, in the order of the packet's journey. Files and tables are made from these alone.
///
/// Measured  Figures begin after the warm-up, peaks with what there was then: in a steady state they do not depend on its
///           length. Over the whole run go what must add up (sent, completed, outstanding, offered, bytes left in rings),
///           the findings, and what describes the run itself (simulated, events, transactions).
/// Nothing   A mean, a quantile, a rate or a share of nothing is no figure: not a number.
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "vmbsim/bytes.hpp"
#include "vmbsim/finding.hpp"
#include "vmbsim/histogram.hpp"
#include "vmbsim/ids.hpp"
#include "vmbsim/time.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim {

/// A figure of which there were no samples. Nothing is below, above or equal to it.
inline constexpr double nothing_measured = std::numeric_limits<double>::quiet_NaN();

/// Where a figure's true value lies, with the confidence that goes with the interval; not numbers where too little was
/// measured to say.
struct Interval {
  double low = nothing_measured;
  double high = nothing_measured;

  bool known() const { return low <= high; }
  bool holds(double value) const { return low <= value && value <= high; }
};

/// How sure every interval of a run's own figures is.
inline constexpr double interval_confidence = 0.95;

/// Of the figures of one channel; latencies in nanoseconds.
struct ChannelIntervals {
  Interval throughput_per_s;
  Interval mean, p50, p90, p99, p999;
};

/// How long figures took to settle, by MSER-5, from the start of measuring.
struct FoundWarmUp {
  Duration length{};
  bool settled = true;  ///< false: they still drifted at the end, or too few packets came back to tell
};

/// The stages of a transaction, in the order of its journey: the lane to the host, the service, the lane back. A stage is
/// the span from the previous stage's end to its own, so the stages of a packet add up to its latency exactly.
enum class Stage : std::uint8_t {
  to_host_queue,      ///< VmbPacketSend called -> bytes in the ring (copy, waiting for room)
  to_host_signal,     ///< -> the signal that announces it was sent
  to_host_interrupt,  ///< -> the interrupt reached a host processor
  to_host_dispatch,   ///< -> the DPC or worker began its pass
  to_host_drain,      ///< -> handed to the server's ProcessPacket (waiting behind others)
  service,            ///< -> VmbChannelPacketComplete called (server, device)
  to_guest_queue,     ///< -> completion packet in the ring
  to_guest_signal,
  to_guest_interrupt,
  to_guest_dispatch,
  to_guest_drain,  ///< -> completion routine called: the transaction has returned
};
inline constexpr std::size_t stage_count = 11;
inline constexpr std::array<const char*, stage_count> stage_names = {
    "to_host.queue",  "to_host.signal",  "to_host.interrupt",  "to_host.dispatch",  "to_host.drain", "service",
    "to_guest.queue", "to_guest.signal", "to_guest.interrupt", "to_guest.dispatch", "to_guest.drain"};

/// One ring.
struct RingResult {
  Bytes size;                     ///< data area
  Bytes peak;                     ///< most bytes held
  std::uint64_t full_events = 0;  ///< how often a packet found no room
  Bytes left{};                   ///< bytes in it when the run ended
};

/// One channel instance, its subchannels included.
struct ChannelResult {
  std::string name;        ///< "disk", or "web[2].disk" where several guests have one
  std::uint64_t sent = 0;  ///< transactions begun, from the start of the run
  std::uint64_t completed = 0;
  std::uint64_t outstanding = 0;                 ///< sent - completed
  std::uint64_t measured = 0;                    ///< completions after the warm-up: what the figures below are made of
  double throughput_per_s = 0;                   ///< measured completions per simulated second
  double bytes_per_s = 0;                        ///< external data moved by them, per simulated second
  Histogram latency;                             ///< VmbPacketSend to completion routine
  FoundWarmUp beginning;                         ///< of the latencies
  ChannelIntervals intervals;                    ///< by what one run shows of itself
  std::array<Wide, stage_count> stage_sum_ns{};  ///< over the measured transactions; adds up to latency's sum
  std::uint64_t batches = 0;                     ///< passes of the host endpoint that ended in ProcessingComplete
  std::uint64_t batched_packets = 0;
  std::uint64_t batch_max = 0;
  std::uint64_t signals_sent = 0;        ///< both directions
  std::uint64_t signals_suppressed = 0;  ///< ring commits that needed no signal
  std::uint64_t interrupts = 0;          ///< interrupts that found this channel's flag set, both ends
  RingResult to_host;
  RingResult to_guest;
};

/// One load, as it was offered.
struct WorkloadResult {
  std::string name;           ///< "foreground", or "web[2].foreground"
  std::string channel;        ///< instance it drives
  std::uint64_t offered = 0;  ///< requests that arrived
  std::uint64_t completed = 0;
  Histogram response;  ///< arrival to completion, waiting for a processor included
};

/// Where every measured nanosecond of one processor went; the five add up to the measured time.
struct ProcessorResult {
  std::string name;  ///< "host.cpu0", "web[2].cpu1"
  Duration isr{}, dpc{}, thread{}, spin{}, idle{};
};

/// One shared resource of a platform or a device model.
struct DeviceResult {
  std::string name;
  std::uint64_t operations = 0;
  Bytes bytes;
  std::uint64_t peak_in_flight = 0;
  double utilisation =
      nothing_measured;  ///< share of the measured time that it was at work; of a way that of its fullest link; unknown of a pure delay
  std::string host{};  ///< whose it is; empty: several hosts share it
};

/// What all channels of some guests did together, after the warm-up.
struct TrafficResult {
  double throughput_per_s = 0;
  double bytes_per_s = 0;
  Histogram latency;
};

/// One host of a fleet and the guests that lived on it.
struct HostResult {
  std::string name;                        ///< "node[2]"
  std::uint64_t guests = 0;                ///< over the whole run
  std::uint64_t peak_guests = 0;           ///< at a time
  TrafficResult traffic;                   ///< of its guests
  ProcessorResult processors;              ///< of its root partition, times added
  double guest_processors = 0;             ///< virtual processors of its guests that were busy, on average
  double busiest_disk = nothing_measured;  ///< utilisation of the most used of its own disks
};

/// The guests of one template.
struct TemplateResult {
  std::string name;
  std::uint64_t guests = 0;    ///< that found a host, until the end of the run
  std::uint64_t refused = 0;   ///< for which no host had room
  std::uint64_t departed = 0;  ///< of `guests`
  TrafficResult traffic;
};

/// Of a scenario with several hosts or a fleet.
struct FleetResult {
  std::uint64_t peak_guests = 0;
  std::vector<HostResult> hosts;
  std::vector<TemplateResult> templates;
};

/// One transaction, when `[record] packets` asks for it.
struct PacketRow {
  std::uint32_t channel = 0;  ///< index into channels
  SimTime submitted{};
  std::array<Duration, stage_count> stages{};
};

/// One interval, when `[record] intervals` asks for it.
struct IntervalRow {
  SimTime end{};
  std::uint32_t channel = 0;
  std::uint64_t completed = 0;
  double latency_mean_ns = 0;  ///< of none completed: 0, and so is the p99
  Duration latency_p99{};
};

struct ExpectationResult {
  std::string text;  ///< "channel.disk.latency.p99 < 2ms"
  double actual = 0;
  bool met = false;  ///< never when nothing was measured
};

/// How often a rule was broken, also where `findings` does not keep every time.
struct FindingCount {
  std::string rule;
  Severity severity = Severity::error;
  std::uint64_t times = 0;  ///< 1 or more
};

struct RunResult {
  std::string scenario;
  Seed seed;
  std::string version;
  Fingerprint fingerprint;
  Duration simulated{};
  Duration measured{};                 ///< simulated time after the warm-up
  std::optional<FoundWarmUp> warm_up;  ///< that was found, not given
  std::uint64_t events = 0;
  std::uint64_t transactions = 0;  ///< completed, over all channels
  double wall_s = 0;               ///< the only figure that differs between two runs
  std::vector<ChannelResult> channels;
  std::vector<WorkloadResult> workloads;
  std::vector<ProcessorResult> processors;
  std::vector<DeviceResult> devices;
  std::optional<FleetResult> fleet;
  Findings findings;                         ///< the first few of each rule, in order of time
  std::vector<FindingCount> finding_counts;  ///< by rule, in the order of their table
  std::vector<std::string> debug_output;     ///< what drivers printed, in order of time; without the end of line
  std::uint64_t debug_lines = 0;             ///< how often they printed; of each partition the first lines are kept
  std::vector<ExpectationResult> expectations;
  std::vector<PacketRow> packets;
  std::vector<IntervalRow> intervals;

  /// Of all findings, also those that are not kept.
  std::uint64_t count(Severity severity) const {
    std::uint64_t all = 0;
    for (const FindingCount& rule : finding_counts)
      if (rule.severity == severity) all += rule.times;
    return all;
  }
};

}  // namespace vmbsim
