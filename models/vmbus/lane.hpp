#pragma once
/// A lane: one direction of a channel. Ring, signal, interrupt, dispatch, delivery; it goes one way.
///
/// A completion is a packet in the other lane; the same code runs twice. Beside the ring's bytes a lane carries the journeys
/// of its packets, in ring order: what the bytes themselves must not know.
/// Coalescing  A packet that finds the ring non-empty needs no signal of its own and rides on an earlier one: its signal,
///             interrupt and dispatch stages end when it is in the ring, unless what it rides on came later. What a pass
///             leaves behind, at a quota or a batch's limit, waits in its drain stage.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "models/vmbus/journey.hpp"
#include "models/vmbus/ring.hpp"
#include "sim/kernel/fifo.hpp"

namespace vmbsim::vmbus {

class Lane {
 public:
  /// Figures of one lane, for the results.
  struct Counters {
    std::uint64_t packets = 0;
    std::uint64_t data_signals = 0;   ///< signals for new packets
    std::uint64_t space_signals = 0;  ///< signals for freed room
    std::uint64_t suppressed = 0;     ///< commits that needed no signal
  };

  /// Whose transaction a packet belongs to: a request's to the lane's sender, a completion's to its receiver.
  enum class Kind : std::uint8_t { request, completion };

  Lane(RingMemory memory, Stage first_stage) : writer(memory), reader(memory), first_stage_(first_stage) {}

  /// In a hunt, once both ends stand.
  void watch(hw::Exploration& exploration, os::FindingLog& findings, std::string name) {
    watch_ = std::make_unique<RingWatch>(
        RingWatch::Config{.exploration = exploration,
                          .findings = findings,
                          .name = std::move(name),
                          .page = writer.memory().control_page(),
                          .size = static_cast<std::uint32_t>(writer.memory().size().count)});
    writer.watch(watch_.get());
    reader.watch(watch_.get());
  }

  RingWriter writer;
  RingReader reader;
  Counters counters;
  /// Where receivers are told a payload's own length, which the wire rounds up: of the packets in the ring, in order.
  kernel::Fifo<std::uint32_t> lengths;

  /// A packet entered the ring. `journey` may be null; it must live until the packet was read or it is forgotten.
  void entered(Journey* journey, Kind kind, SimTime now) {
    ++counters.packets;
    if (forgotten(kind)) journey = nullptr;
    riders_.push({journey, kind, now});
    ++uninterrupted_;
    ++undispatched_;
    if (journey != nullptr) journey->end(first_stage_, now);
  }
  /// The next packet left the ring and is handed over now. Answers its journey, stages filled in; may be null, as it is for a
  /// packet that nobody put in: the memory belongs to the guest, who may be hostile.
  Journey* left(SimTime now) {
    if (riders_.empty()) return nullptr;
    const Rider rider = riders_.pop();
    uninterrupted_ = std::min(uninterrupted_, riders_.size());
    undispatched_ = std::min(undispatched_, riders_.size());
    if (rider.journey != nullptr) {
      const SimTime signalled = std::clamp(signalled_, rider.entered, now);
      const SimTime interrupted = std::clamp(rider.interrupted, signalled, now);
      const SimTime dispatched = std::clamp(rider.dispatched, interrupted, now);
      const auto stage = static_cast<std::size_t>(first_stage_);
      rider.journey->ended[stage + 1] = signalled;
      rider.journey->ended[stage + 2] = interrupted;
      rider.journey->ended[stage + 3] = dispatched;
      rider.journey->ended[stage + 4] = now;
    }
    return rider.journey;
  }
  void signalled(SimTime now) { signalled_ = now; }
  /// The first interrupt and the first pass after a packet entered are its own, however long it stays in the ring.
  void interrupted(SimTime now) {
    for (; uninterrupted_ != 0; --uninterrupted_) riders_[riders_.size() - uninterrupted_].interrupted = now;
  }
  /// `requests`: false where the pass takes completions only and leaves requests to a later one.
  void dispatched(SimTime now, bool requests) {
    for (std::size_t back = undispatched_; back != 0; --back) {
      Rider& rider = riders_[riders_.size() - back];
      if (rider.dispatched == SimTime{} && (requests || rider.kind == Kind::completion)) rider.dispatched = now;
    }
    if (requests) undispatched_ = 0;
  }
  /// Forgets the journeys of one kind of packet, for good: their transactions are about to end without an answer.
  void forget(Kind kind) {
    forgotten_[static_cast<std::size_t>(kind)] = true;
    for (std::size_t left = riders_.size(); left != 0; --left) {
      Rider rider = riders_.pop();
      if (rider.kind == kind) rider.journey = nullptr;
      riders_.push(rider);
    }
  }
  /// A new pair of ends goes on with the lane: journeys begun from now on are kept again.
  void go_on() { forgotten_ = {}; }
  bool forgotten(Kind kind) const { return forgotten_[static_cast<std::size_t>(kind)]; }

 private:
  struct Rider {
    Journey* journey = nullptr;
    Kind kind{};
    SimTime entered{};
    SimTime interrupted{};  // the start of time: never, so that the stage is over when the one before it is
    SimTime dispatched{};
  };

  std::unique_ptr<RingWatch> watch_;
  Stage first_stage_;
  kernel::Fifo<Rider> riders_;
  std::array<bool, 2> forgotten_{};
  SimTime signalled_{};
  std::size_t uninterrupted_ = 0;  // the last so many riders have seen no interrupt
  std::size_t undispatched_ = 0;   // ... and no pass
};

}  // namespace vmbsim::vmbus
