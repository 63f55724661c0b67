#pragma once
/// A run as a Perfetto trace, for people who want to look at it.
///
/// Tracks   A processor: nested slices of what occupies it (thread, DPC, ISR, spin), and its IRQL. A channel: its transactions,
///          as many lines as are under way at a time, with their stages inside. A device: its works, likewise.
/// Flows    A transaction's slice is tied to the moments on the processors where it was sent and where its completion arrived.
/// The run does not know that it is watched: fingerprint and results are the same.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/device/resource.hpp"
#include "models/hw/processor.hpp"
#include "models/vmbus/journey.hpp"
#include "sim/observe/perfetto.hpp"

namespace vmbsim::scenario {

class Timeline final : public hw::OccupancyListener, public device::WorkListener {
 public:
  // ---- While the world is assembled ----

  void start(const kernel::Simulation& world) { world_ = &world; }
  void watch(hw::Processor& cpu);
  /// Channels are numbered in this order, from 0.
  void add_channel(const std::string& name);
  /// Twice for the same resource is once.
  void watch(device::Resource& resource, const std::string& name);

  // ---- While it runs ----

  void on_change(const hw::Processor& cpu) override;
  void on_submitted(const device::Resource& resource, const device::Work& work) override;
  void on_done(const device::Resource& resource, const device::Work& work) override;
  /// A transaction is sent, on the processor that executes.
  void on_begun(std::uint32_t channel, const vmbus::Journey& journey);
  /// Its completion was taken there.
  void on_returned(std::uint32_t channel, const vmbus::Journey& journey);

  /// The file, once the run is over.
  std::string bytes() const { return trace_.bytes(); }
  /// True when the run was longer than what is kept.
  bool full() const { return trace_.full(); }

 private:
  using Track = observe::PerfettoTrace::Track;
  /// What a processor did last, as the trace shows it.
  struct Cpu {
    Track track = 0;
    Track irql_track = 0;
    int irql = -1;
    std::vector<const void*> stack;  // contexts, the interrupted first; null stands for spinning
  };
  /// Lines of things that overlap: each on the first that is free.
  struct Lines {
    std::string name;
    Track parent = 0;
    std::vector<Track> tracks;
    std::vector<SimTime> free_from;  // end_of_time: taken
  };

  Cpu& cpu_of(const hw::Processor& cpu) { return cpus_[cpu.actor().value]; }
  std::size_t take_line(Lines& lines, SimTime from);
  std::uint64_t flow_of(std::uint32_t channel, const vmbus::Journey& journey) const {
    return (std::uint64_t{channel} + 1) << 40 | journey.number;
  }
  void mark(std::uint32_t channel, const vmbus::Journey& journey, observe::PerfettoTrace::Name name);

  const kernel::Simulation* world_ = nullptr;
  observe::PerfettoTrace trace_;
  std::map<std::uint32_t, Cpu> cpus_;  // by actor
  std::vector<Lines> channels_;
  std::map<const device::Resource*, Lines> devices_;    // looked up, never walked
  std::map<const device::Work*, std::size_t> at_work_;  // on which line; likewise
};

}  // namespace vmbsim::scenario
