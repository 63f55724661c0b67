#pragma once
/// Bugs that real implementations had, each planted in the code that had them and switched on by `[hunt] plant = "name"`, one
/// at a time and in hunts only: what finds bugs must be seen to find them. The twin of a planted program is the same one without.
#include <cstdint>
#include <string_view>

namespace vmbsim::faults {

enum class Planted : std::uint8_t {
  none,
  space_signal_every_read,
  space_signal_gated_by_mask,
  no_barrier_after_publish,
  no_barrier_after_unmask,
  no_look_after_unmask,
  signal_from_stale_out,
  pending_clamped,
  no_signal_when_emptied,
  flag_cleared_after_scan,
  small_packet_overtakes,
  one_packet_per_pass,
  answers_wait_for_packets,
  completion_twice,
  dropped_at_close,
  newest_first,
  no_look_at_start,
  room_sampled_early,
  publish_without_release,
  tail_lost_at_wrap,
  spin_locks_crossed,
  mutexes_crossed,
};

struct PlantedBug {
  Planted bug;
  const char* name;    ///< as a scenario says it
  const char* what;    ///< one line
  const char* source;  ///< the change or the code that had it
  const char* rule;    ///< of the finding that shows it
};

inline constexpr PlantedBug planted_bugs[] = {
    {Planted::space_signal_every_read, "space-signal-every-read",
     "the reader signals freed room without asking whether there was too little before", "Linux, 433e19cf33d3",
     "SIGNAL"},
    {Planted::space_signal_gated_by_mask, "space-signal-gated-by-mask",
     "the reader's own interrupt mask silences its signals for freed room", "Linux, 655296c8bbea", "WAKEUP"},
    {Planted::no_barrier_after_publish, "no-barrier-after-publish",
     "the writer looks at mask and Out before its In can be seen", "Linux, hv_signal_on_write", "WAKEUP"},
    {Planted::no_barrier_after_unmask, "no-barrier-after-unmask",
     "the reader looks at In before its cleared mask can be seen", "Linux, hv_end_read", "WAKEUP"},
    {Planted::no_look_after_unmask, "no-look-after-unmask", "the reader unmasks and sleeps without a second look",
     "Linux, hv_end_read", "WAKEUP"},
    {Planted::signal_from_stale_out, "signal-from-stale-out",
     "the writer decides about the signal by an Out that it read before it published",
     "OpenVMM, vmbus_ring: OutgoingRing::commit_write", "WAKEUP"},
    {Planted::pending_clamped, "pending-clamped",
     "the writer asks for a whole ring of room, and the reader counts it in multiples of 8", "OpenVMM, vmbus_ring",
     "WAKEUP"},
    {Planted::no_signal_when_emptied, "no-signal-when-emptied",
     "the reader forgets the signal when its commit empties the ring", "Linux, f4e403633bcd", "WAKEUP"},
    {Planted::flag_cleared_after_scan, "flag-cleared-after-scan",
     "the event flag is cleared after the ring was looked at, and takes a new edge with it",
     "Hyper-V TLFS, SynIC event flags", "WAKEUP"},
    {Planted::small_packet_overtakes, "small-packet-overtakes",
     "a packet that fits goes ahead of those that wait for room, and takes their wish off the record",
     "EMCL, RingBuffer.c: PkGetSendBuffer", "FIFO"},
    {Planted::one_packet_per_pass, "one-packet-per-pass", "a pass takes one packet and does not look again",
     "Linux, 407a3aee6ee2", "WAKEUP"},
    {Planted::answers_wait_for_packets, "answers-wait-for-packets",
     "a pass that finds no packet leaves what waits for room where it is", "Linux, 7426b1a51803", "WAKEUP"},
    {Planted::completion_twice, "completion-twice",
     "an answer that waited for room with others is put into the ring again", "EMCL: EmclSendPacket", "ONCE"},
    {Planted::dropped_at_close, "dropped-at-close", "a close forgets the transactions that nobody will answer",
     "EMCL: EmclStopChannel", "ONCE"},
    {Planted::newest_first, "newest-first", "of several packets that wait for room the newest goes first",
     "KMCL DDI, VmbPacketSend", "FIFO"},
    {Planted::no_look_at_start, "no-look-at-start",
     "a channel that starts does not look for packets whose signal came before", "Linux, 9448ccd85336", "WAKEUP"},
    {Planted::room_sampled_early, "room-sampled-early",
     "the reader asks whether there was too little room by an In that it read before its batch", "Linux, a389fcfd2cb5",
     "WAKEUP"},
    {Planted::publish_without_release, "publish-without-release",
     "the writer publishes In by a plain store: nothing orders the packet's bytes before it",
     "Linux, hv_ringbuffer_write", "RACE"},
    {Planted::tail_lost_at_wrap, "tail-lost-at-wrap",
     "a packet that waited for room and runs over the ring's end loses its bytes after it",
     "a mutant of OpenVMM, vmbus_ring: RingMem::write_at", "BYTES"},
    {Planted::spin_locks_crossed, "spin-locks-crossed",
     "a request takes the lock of its channel and then its neighbour's, whoever comes the other way",
     "WDK, Bug Check 0xC4, 0x1001", "LOCK_ORDER"},
    {Planted::mutexes_crossed, "mutexes-crossed",
     "a request waits for the mutex of its channel and then for its neighbour's, whoever comes the other way",
     "WDK, Bug Check 0xC4, 0x1001", "DEADLOCK"},
};

/// Null when there is no such bug.
constexpr const PlantedBug* find_planted(std::string_view name) {
  for (const PlantedBug& bug : planted_bugs)
    if (name == bug.name) return &bug;
  return nullptr;
}

}  // namespace vmbsim::faults
