#pragma once
/// One direction of a channel as a byte ring in guest memory; writer and reader are its two ends.
///
///   const RingMemory memory = RingMemory::in(bytes).value();     // one control page and the data pages after it
///   RingWriter writer(memory);
///   RingReader reader(memory);
///   if (writer.write({.transaction_id = 1, .payload = request}) == WriteAnswer{SignalNeeded::yes}) interrupt_the_reader();
///   while (const auto* packet = std::get_if<IncomingPacket>(&(answer = reader.read()))) handle(*packet);
///   if (reader.commit() == SignalNeeded::yes) interrupt_the_writer();
///
/// Sizes    Data pages are 4 KiB. A packet takes a 16-byte descriptor, its extension (ranges), its payload rounded up to 8
///          and an 8-byte trailer; it starts at a multiple of 8, and wraps where it must. In == Out means empty, so a ring
///          is never filled: free = size - used - 1.
/// Trust    The opposite end may be hostile and may rewrite any byte at any time. Each end keeps its own position to itself,
///          reads each shared byte once, and answers Corrupt, for good, when the other end breaks the format.
/// Source   EMCL, RingBuffer.c and VmbusPacketFormat.h; OpenVMM, vmbus_ring. Layout and signals agree with EMCL's.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <variant>

#include "models/hw/guest_memory.hpp"
#include "models/vmbus/control_page.hpp"
#include "vmbsim/assert.hpp"
#include "vmbsim/bytes.hpp"

namespace vmbsim::vmbus {

/// Descriptor types. Source: EMCL, VmbusPacketFormat.h; Linux, enum vmbus_packet_type.
enum class PacketType : std::uint16_t {
  in_band = 6,
  transfer_pages = 7,
  gpa_direct = 9,
  cancel = 0xA,
  completion = 0xB
};

/// One GPA range of a GPA-direct packet: `byte_count` bytes from `byte_offset` of the first page on. At least one byte, an
/// offset below 4096, and exactly one PFN for each page that is touched.
struct GpaRange {
  std::uint32_t byte_count = 0;
  std::uint32_t byte_offset = 0;
  std::span<const hw::Pfn> pfns;
};

/// One range of a transfer-page set: `byte_count` bytes from `byte_offset` of the set's buffer on. As on the ring.
struct TransferRange {
  std::uint32_t byte_count = 0;
  std::uint32_t byte_offset = 0;
};

/// What a transfer-page packet refers to: parts of a buffer that both ends know under a number.
struct TransferSet {
  std::uint16_t id = 0;
  bool sender_owns = false;
  std::span<const TransferRange> ranges;
};

/// A packet to be written. Spans stay the caller's.
struct OutgoingPacket {
  PacketType type = PacketType::in_band;
  bool completion_requested = false;
  std::uint64_t transaction_id = 0;
  std::span<const GpaRange> ranges;   ///< gpa_direct only
  std::span<const std::byte> header;  ///< KMCL's or a pipe's own bytes before the payload; often empty
  std::span<const std::byte> payload;
  const TransferSet* transfer = nullptr;  ///< transfer_pages only, and never null there
};

/// A packet that was read and validated. The spans point into a private copy that lives until the next read.
struct IncomingPacket {
  PacketType type{};
  bool completion_requested = false;
  std::uint64_t transaction_id = 0;
  std::span<const std::byte>
      extension;  ///< bytes between the 16-byte descriptor and the payload (ranges, as on the ring)
  std::span<const std::byte> payload;  ///< padded to a multiple of 8, as the wire carries it
};

/// Walks the GPA ranges of a gpa_direct packet that a RingReader answered, in order; the PFNs stay in its private copy.
///
///   for (GpaRangeCursor ranges(packet); const std::optional<GpaRange> range = ranges.next();) map(*range);
class GpaRangeCursor {
 public:
  explicit GpaRangeCursor(const IncomingPacket& packet);
  [[nodiscard]] std::optional<GpaRange> next();
  std::uint32_t count() const { return count_; }  ///< ranges not yet walked
  /// PFNs of the ranges not yet walked: as many as there is room for, which is what an honest end sends.
  std::size_t most_pfns() const { return static_cast<std::size_t>(end_ - position_) / 8 - count_; }

 private:
  const std::byte* position_ = nullptr;
  const std::byte* end_ = nullptr;
  std::uint32_t count_ = 0;
};

/// Pages that `byte_count` bytes touch from `byte_offset` of the first one on.
constexpr std::uint64_t pages_touched(std::uint32_t byte_offset, std::uint32_t byte_count) {
  return (std::uint64_t{byte_offset} + byte_count + 4095) / 4096;
}

// ---- Sizes ------------------------------------------------------------------------------------------------------------

inline constexpr Bytes descriptor_size{16};
inline constexpr Bytes trailer_size{8};
/// The longest packet, trailer aside: the length field counts 65535 units of 8. Source: EMCL, VMPACKET_DESCRIPTOR.
inline constexpr Bytes longest_packet{65535 * 8};

constexpr Bytes padded(Bytes b) { return {(b.count + 7) & ~std::int64_t{7}}; }

/// What a packet takes on the ring, trailer included: in-band, completion and cancel packets with `payload` bytes.
constexpr Bytes in_band_size(Bytes payload) { return descriptor_size + padded(payload) + trailer_size; }
/// The same for a GPA-direct packet with one range of `pfns` pages.
constexpr Bytes gpa_direct_size(Pages pfns, Bytes payload) {
  return descriptor_size + Bytes{8 + 8 + 8 * pfns.count} + padded(payload) + trailer_size;
}
/// The same for a transfer-page packet with `ranges` ranges.
constexpr Bytes transfer_pages_size(std::int64_t ranges, Bytes payload) {
  return descriptor_size + Bytes{8 + 8 * ranges} + padded(payload) + trailer_size;
}
/// The same for any packet.
Bytes size_on_ring(const OutgoingPacket& packet);
/// The fewest data pages whose ring can hold a packet of `on_ring` bytes: 8 bytes always stay free.
constexpr Pages smallest_ring_for(Bytes on_ring) { return pages_for(on_ring + Bytes{8}); }

// ---- Answers ----------------------------------------------------------------------------------------------------------

/// Whether the opposite end must be interrupted now.
enum class SignalNeeded : bool { no, yes };

/// No room yet: an ordinary answer. The wish is on record in PendingSendSize; the reader will signal.
struct Full {
  Bytes missing;               ///< bytes that must still be freed
  bool newly_blocked = false;  ///< the writer was not waiting before: one more interrupt may be expected
  friend bool operator==(const Full&, const Full&) = default;
};

/// No ring of this size could ever take the packet, or its length field could not say so.
struct TooLarge {
  friend bool operator==(const TooLarge&, const TooLarge&) = default;
};

/// Nothing to read: an ordinary answer.
struct Empty {
  friend bool operator==(const Empty&, const Empty&) = default;
};

/// What the opposite end did that the format forbids.
enum class Corruption : std::uint8_t {
  in_index,     ///< In is not a multiple of 8 below the ring's size
  out_index,    ///< Out is not a multiple of 8 below the ring's size
  cut_off,      ///< the packet, trailer included, is longer than what is in the ring
  length,       ///< length shorter than the descriptor
  data_offset,  ///< the payload starts inside the descriptor or after the packet's end
  flags,        ///< a flag bit that means nothing
  type,         ///< not a descriptor type
  ranges,       ///< ranges that do not fit between descriptor and payload, or describe nothing
};
const char* name_of(Corruption what);

/// The opposite end broke the ring. This end answers the same from now on.
struct Corrupt {
  Corruption what{};
  std::uint32_t offset = 0;  ///< of the packet, or the bad index itself
  friend bool operator==(const Corrupt&, const Corrupt&) = default;
};

/// The packet is in the data area, but the reader cannot see it before the commit.
struct Staged {
  friend bool operator==(const Staged&, const Staged&) = default;
};

using WriteAnswer = std::variant<SignalNeeded, Full, TooLarge, Corrupt>;
using StageAnswer = std::variant<Staged, Full, TooLarge, Corrupt>;
using ReadAnswer = std::variant<IncomingPacket, Empty, Corrupt>;

// ---- Memory -----------------------------------------------------------------------------------------------------------

/// Where a ring lies: one control page, then the data area. A view: the memory stays its owner's.
class RingMemory {
 public:
  /// Nothing unless `bytes` starts at a multiple of 8 and is one control page and 1 to 524287 data pages (below 2 GiB).
  [[nodiscard]] static std::optional<RingMemory> in(std::span<std::byte> bytes);
  /// What a ring with `data` data pages takes, control page included.
  static constexpr Pages pages(Pages data) { return {data.count + 1}; }

  std::byte* control_page() const { return control_; }
  /// All of it, for a dump: the control page, then the data area. The image of an equal ring is equal byte by byte.
  std::span<const std::byte> image() const { return {control_, static_cast<std::size_t>(page_size) + size_}; }
  Bytes size() const { return {size_}; }  ///< of the data area

 private:
  friend class RingWriter;
  friend class RingReader;
  RingMemory(std::byte* control, std::uint32_t size) : control_(control), data_(control + page_size), size_(size) {}
  bool is_index(std::uint32_t value) const { return value < size_ && value % 8 == 0; }
  std::uint32_t distance(std::uint32_t from, std::uint32_t to) const {
    return to >= from ? to - from : size_ - from + to;
  }
  std::uint32_t advanced(std::uint32_t from, std::uint32_t by) const {
    const std::uint32_t to = from + by;
    return to >= size_ ? to - size_ : to;
  }
  void lose_tail(std::uint32_t end, std::uint32_t on_ring, std::size_t payload) const;

  std::byte* control_;
  std::byte* data_;
  std::uint32_t size_;
};

// ---- The two ends -----------------------------------------------------------------------------------------------------

/// The end that puts packets in.
///
/// Rules    A commit publishes In once and then looks, in this order, at InterruptMask and Out: it asks for a signal when
///          the mask is 0 and Out equals the old In, because the ring was empty just before. A batch is one commit.
///          Without room the writer stores PendingSendSize (this packet and what is staged, at most size - 1), looks at
///          Out again, and only then answers Full. The next packet that finds room, whichever it is, clears the word.
/// Source   EMCL, RingBuffer.c: PkGetSendBuffer, PkCompleteInsertion.
class RingWriter {
 public:
  /// Clears PendingSendSize, sets feature bit 0 and goes on where In stands. A fresh ring is a zeroed one.
  explicit RingWriter(RingMemory memory);
  void watch(RingWatch* watch) { words_.watch(watch); }

  /// Puts one packet in and commits it, together with whatever was staged before.
  [[nodiscard]] WriteAnswer write(const OutgoingPacket& packet);
  /// Puts one packet behind those already staged. The reader sees nothing before commit().
  [[nodiscard]] StageAnswer stage(const OutgoingPacket& packet);
  /// Publishes all that is staged: one store of In, one decision about the signal.
  [[nodiscard]] SignalNeeded commit();

  /// Bytes the reader has not given back yet, staged ones aside. What a bad Out would say is not believed.
  Bytes used() const { return {memory_.distance(observed_out(), in_)}; }
  Bytes staged() const { return {memory_.distance(in_, position_)}; }  ///< written, not yet committed
  /// size - used - staged - 1. A packet of n bytes fits exactly when free is n or more.
  Bytes free() const { return memory_.size() - used() - staged() - Bytes{1}; }
  bool empty() const { return used().count == 0; }
  /// Peak and full events count from here on.
  void start_measuring() {
    peak_ = memory_.distance(observed_out(), in_);
    full_events_ = 0;
  }
  /// Most bytes the ring held after a commit, or when measuring began.
  Bytes peak() const { return {peak_}; }
  /// How often the answer was Full.
  std::uint64_t full_events() const { return full_events_; }
  /// Whether the reader has been asked to say when there is room.
  bool blocked() const { return pending_ != 0; }
  /// It was blocked, and what it asked for is there.
  bool has_its_wish() const { return blocked() && (free() + staged()).count >= pending_; }
  RingMemory memory() const { return memory_; }

 private:
  std::uint32_t free_now() const { return memory_.size_ - memory_.distance(out_, position_) - 1; }
  std::uint32_t observed_out() const {
    const std::uint32_t out = words_.observe(ControlWord::out);
    return memory_.is_index(out) ? out : out_;
  }
  StageAnswer corrupt(Corruption what, std::uint32_t offset);
  std::optional<StageAnswer> make_room(std::uint32_t total);

  RingMemory memory_;
  ControlWords words_;
  std::uint32_t in_ = 0;        // committed; what the control page says
  std::uint32_t position_ = 0;  // behind the last staged packet
  std::uint32_t out_ = 0;       // as last read, validated
  std::uint32_t pending_ = 0;   // what PendingSendSize says
  std::uint32_t peak_ = 0;
  std::uint64_t full_events_ = 0;
  std::optional<Corrupt> corrupt_;
};

/// The end that takes packets out.
///
/// Rules    Packets are copied once, validated in the copy, and given back to the writer together: commit() publishes Out
///          once and then looks at PendingSendSize and In. It asks for a signal when what was published made the difference:
///          free before < pending <= free after, both computed from one In. InterruptMask has no say in it.
///          In arithmetic that leaves one byte free instead of eight, "size - 1" and other values that are no multiple of 8
///          decide exactly as with their low three bits cleared, so nothing needs to be cleared.
///          A writer without feature bit 0 does not want that signal.
/// Source   EMCL, RingBuffer.c: PkGetReceiveBuffer, PkCompleteRemoval; validation as in OpenVMM, vmbus_ring: read and
///          gparange.rs: parse. Feature bit: Linux, hyperv.h, comment at hv_ring_buffer.feature_bits.
class RingReader {
 public:
  /// Clears InterruptMask and goes on where Out stands. A fresh ring is a zeroed one.
  explicit RingReader(RingMemory memory);
  void watch(RingWatch* watch) { words_.watch(watch); }

  /// Takes the next packet. Its copy lives until the next read() or peek().
  [[nodiscard]] ReadAnswer read();
  /// The next packet without taking it: read() will answer the same copy, whatever the writer does meanwhile.
  [[nodiscard]] ReadAnswer peek();
  /// Takes the packet that peek() answered last; what it answered stays good until the next read() or peek().
  void take() {
    VMBSIM_ASSERT(peeked_ != 0, "a packet is taken that was peeked at");
    position_ = memory_.advanced(position_, peeked_);
    peeked_ = 0;
    if (words_.watch() != nullptr) [[unlikely]]
      words_.watch()->taken(packet_.transaction_id, packet_.payload);
  }
  /// Gives everything taken so far back to the writer.
  [[nodiscard]] SignalNeeded commit();

  /// No signal for new packets from now on.
  void mask();
  /// Signals again. True: packets are there that no signal will announce, so go on reading. Commit first: the writer
  /// compares with the Out it can see.
  [[nodiscard]] bool unmask();
  bool masked() const { return masked_; }

  /// Whether In stands where reading stands. For figures and oracles: what to do next, read() and unmask() decide.
  bool empty() const { return words_.observe(ControlWord::in) == position_; }
  /// Bytes taken but not yet given back.
  Bytes taken() const { return {memory_.distance(out_, position_)}; }
  RingMemory memory() const { return memory_; }

 private:
  enum class Taken : bool { no, yes };
  ReadAnswer next(Taken taken);
  ReadAnswer corrupt(Corruption what, std::uint32_t offset);
  SignalNeeded signal_for_room(std::uint32_t old_out);
  void grow(std::uint32_t bytes);

  RingMemory memory_;
  ControlWords words_;
  std::uint32_t position_ = 0;         // behind the last packet taken
  std::uint32_t out_ = 0;              // committed; what the control page says
  std::uint32_t in_ = 0;               // as last read, validated
  std::uint32_t in_before_batch_ = 0;  // as read when everything before was given back; in a hunt
  std::uint32_t peeked_ = 0;           // bytes of the packet in the copy that was not taken yet, 0 when there is none
  bool masked_ = false;
  IncomingPacket packet_;
  // Grows to the longest packet seen: an idle channel owns none, a busy one stops allocating after a few packets.
  std::unique_ptr<std::uint64_t[]> copy_;
  std::uint32_t capacity_ = 0;
  std::optional<Corrupt> corrupt_;
};

}  // namespace vmbsim::vmbus
