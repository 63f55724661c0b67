#include "models/vmbus/ring.hpp"

#include <algorithm>
#include <bit>

namespace vmbsim::vmbus {

using faults::Planted;

namespace {

static_assert(std::endian::native == std::endian::little,
              "ring memory is little-endian, and written as it lies in registers");

constexpr std::uint32_t descriptor_bytes = static_cast<std::uint32_t>(descriptor_size.count);
constexpr std::uint32_t trailer_bytes = static_cast<std::uint32_t>(trailer_size.count);
constexpr std::uint32_t word_bytes = 8;  // the unit of the format
constexpr std::uint64_t flag_completion_requested = 1;

// The bytes of a packet between its descriptor and its payload.
std::uint64_t extension_size(const OutgoingPacket& packet) {
  if (packet.type == PacketType::gpa_direct) {
    std::uint64_t size = 8;
    for (const GpaRange& range : packet.ranges) size += 8 + 8 * range.pfns.size();
    return size;
  }
  if (packet.type == PacketType::transfer_pages) return 8 + 8 * std::uint64_t{packet.transfer->ranges.size()};
  return 0;
}

std::uint64_t length_of(const OutgoingPacket& packet, std::uint64_t extension) {
  const std::uint64_t data = packet.header.size() + packet.payload.size();
  return descriptor_bytes + extension + ((data + 7) & ~std::uint64_t{7});
}

// Where the next bytes of a packet go when it lies in one piece, as nearly all do.
class StraightCursor {
 public:
  explicit StraightCursor(std::byte* to) : to_(to) {}
  void word(std::uint64_t value) {
    std::memcpy(to_, &value, 8);
    to_ += 8;
  }
  void bytes(const void* from, std::size_t count) {
    if (count == 0) return;
    std::memcpy(to_, from, count);
    to_ += count;
  }

 private:
  std::byte* to_;
};

// The same for a packet that runs over the end of the data area. Words start at multiples of 8 and never straddle it.
class WrappingCursor {
 public:
  WrappingCursor(std::byte* data, std::uint32_t size, std::uint32_t at) : data_(data), size_(size), at_(at) {}
  void word(std::uint64_t value) { bytes(&value, 8); }
  void bytes(const void* from, std::size_t count) {
    if (count == 0) return;
    const std::size_t until_end = std::min<std::size_t>(count, size_ - at_);
    std::memcpy(data_ + at_, from, until_end);
    if (until_end < count) std::memcpy(data_, static_cast<const std::byte*>(from) + until_end, count - until_end);
    at_ = static_cast<std::uint32_t>((at_ + count) % size_);
  }

 private:
  std::byte* data_;
  std::uint32_t size_;
  std::uint32_t at_;
};

template <class Cursor>
void put_packet(Cursor to, const OutgoingPacket& packet, std::uint64_t extension, std::uint64_t length,
                std::uint32_t start) {
  to.word(static_cast<std::uint64_t>(packet.type) | (descriptor_bytes + extension) / 8 << 16 | length / 8 << 32 |
          (packet.completion_requested ? flag_completion_requested : 0) << 48);
  to.word(packet.transaction_id);
  if (packet.type == PacketType::gpa_direct) {
    to.word(std::uint64_t{packet.ranges.size()} << 32);
    for (const GpaRange& range : packet.ranges) {
      VMBSIM_ASSERT(range.byte_count > 0 && range.byte_offset < page_size &&
                        range.pfns.size() == pages_touched(range.byte_offset, range.byte_count),
                    "a GPA range names each page it touches once");
      to.word(range.byte_count | std::uint64_t{range.byte_offset} << 32);
      to.bytes(range.pfns.data(), range.pfns.size_bytes());
    }
  } else if (packet.type == PacketType::transfer_pages) {
    const TransferSet& set = *packet.transfer;
    to.word(set.id | std::uint64_t{set.sender_owns} << 16 | std::uint64_t{set.ranges.size()} << 32);
    to.bytes(set.ranges.data(), set.ranges.size_bytes());
  }
  to.bytes(packet.header.data(), packet.header.size());
  to.bytes(packet.payload.data(), packet.payload.size());
  const std::uint64_t zeros = 0;
  to.bytes(&zeros, length - descriptor_bytes - extension - packet.header.size() - packet.payload.size());
  to.word(std::uint64_t{start} << 32);
}

// What the opposite end says lies between descriptor and payload; all in the private copy.
bool gpa_ranges_fit(const std::byte* extension, std::uint32_t size) {
  if (size < 8) return false;
  std::uint32_t count = 0;
  std::memcpy(&count, extension + 4, 4);
  std::uint64_t at = 8;
  for (; count > 0; --count) {
    if (size - at < 8) return false;
    std::uint32_t byte_count = 0;
    std::uint32_t byte_offset = 0;
    std::memcpy(&byte_count, extension + at, 4);
    std::memcpy(&byte_offset, extension + at + 4, 4);
    if (byte_count == 0 || byte_offset >= page_size) return false;
    at += 8;
    const std::uint64_t pfns = pages_touched(byte_offset, byte_count);
    if (pfns > (size - at) / 8) return false;
    at += 8 * pfns;
  }
  return true;
}

bool transfer_ranges_fit(const std::byte* extension, std::uint32_t size) {
  if (size < 8) return false;
  std::uint32_t count = 0;
  std::memcpy(&count, extension + 4, 4);
  return count <= (size - 8) / 8;
}

}  // namespace

const char* name_of(Corruption what) {
  switch (what) {
    case Corruption::in_index: return "In is no packet boundary of this ring";
    case Corruption::out_index: return "Out is no packet boundary of this ring";
    case Corruption::cut_off: return "the packet is longer than what is in the ring";
    case Corruption::length: return "the length is shorter than the descriptor";
    case Corruption::data_offset: return "the data offset lies outside the packet";
    case Corruption::flags: return "an unknown flag is set";
    case Corruption::type: return "unknown descriptor type";
    case Corruption::ranges: return "the ranges do not fit the packet";
  }
  return "corrupt";
}

Bytes size_on_ring(const OutgoingPacket& packet) {
  return Bytes{static_cast<std::int64_t>(length_of(packet, extension_size(packet)))} + trailer_size;
}

GpaRangeCursor::GpaRangeCursor(const IncomingPacket& packet) {
  if (packet.type != PacketType::gpa_direct) return;
  std::memcpy(&count_, packet.extension.data() + 4, 4);
  position_ = packet.extension.data() + 8;
  end_ = packet.extension.data() + packet.extension.size();
}

std::optional<GpaRange> GpaRangeCursor::next() {
  if (count_ == 0) return std::nullopt;
  --count_;
  GpaRange range;
  std::memcpy(&range.byte_count, position_, 4);
  std::memcpy(&range.byte_offset, position_ + 4, 4);
  // The copy is an array of 64-bit words, and extensions start at a multiple of 8.
  range.pfns = {reinterpret_cast<const hw::Pfn*>(position_ + 8),
                static_cast<std::size_t>(pages_touched(range.byte_offset, range.byte_count))};
  position_ += 8 + range.pfns.size_bytes();
  return range;
}

std::optional<RingMemory> RingMemory::in(std::span<std::byte> bytes) {
  constexpr std::size_t page = static_cast<std::size_t>(page_size);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) return std::nullopt;
  if (bytes.size() < 2 * page || bytes.size() % page != 0 || bytes.size() - page >= std::size_t{1} << 31)
    return std::nullopt;
  return RingMemory(bytes.data(), static_cast<std::uint32_t>(bytes.size() - page));
}

// ---- RingWriter -------------------------------------------------------------------------------------------------------

RingWriter::RingWriter(RingMemory memory) : memory_(memory), words_(memory.control_) {
  words_.store(ControlWord::pending_send, 0);
  words_.store(ControlWord::feature_bits, feature_pending_send);
  const std::uint32_t in = words_.load(ControlWord::in);
  const std::uint32_t out = words_.load(ControlWord::out);
  if (!memory_.is_index(in)) {
    corrupt(Corruption::in_index, in);
  } else if (!memory_.is_index(out)) {
    corrupt(Corruption::out_index, out);
  } else {
    in_ = position_ = in;
    out_ = out;
    peak_ = memory_.distance(out, in);
  }
}

StageAnswer RingWriter::corrupt(Corruption what, std::uint32_t offset) {
  corrupt_ = Corrupt{what, offset};
  return *corrupt_;
}

// Called when the Out last read leaves too little room. Nothing: there is room after all.
[[gnu::noinline]] std::optional<StageAnswer> RingWriter::make_room(std::uint32_t total) {
  const auto look = [&] {
    const std::uint32_t out = words_.load_acquire(ControlWord::out);
    if (!memory_.is_index(out)) {
      corrupt(Corruption::out_index, out);
      return false;
    }
    out_ = out;
    return free_now() >= total;
  };
  if (look()) return std::nullopt;
  if (corrupt_) return *corrupt_;
  const bool newly_blocked = pending_ == 0;
  pending_ = std::min(total + memory_.distance(in_, position_), memory_.size_ - 1);
  if (words_.planted(Planted::pending_clamped)) pending_ = memory_.size_ - 1;
  words_.store(ControlWord::pending_send, pending_);
  // The reader may have freed room before it could see the wish: without a second look nobody would ever wake this end.
  words_.full_barrier();
  if (look()) return std::nullopt;
  if (corrupt_) return *corrupt_;
  ++full_events_;
  return Full{{total - free_now()}, newly_blocked};
}

/// A planted bug: of a packet that ends at `end` and runs over the end of the data area, the last bytes are lost.
void RingMemory::lose_tail(std::uint32_t end, std::uint32_t on_ring, std::size_t payload) const {
  if (end >= on_ring || end <= trailer_bytes) return;
  const auto after_wrap = std::min<std::size_t>(end - trailer_bytes, payload);
  std::memset(data_ + (end - trailer_bytes - after_wrap), 0, after_wrap);
}

StageAnswer RingWriter::stage(const OutgoingPacket& packet) {
  if (corrupt_) return *corrupt_;
  const std::uint64_t extension = extension_size(packet);
  const std::uint64_t length = length_of(packet, extension);
  if (length > static_cast<std::uint64_t>(longest_packet.count) || length + trailer_bytes >= memory_.size_)
    return TooLarge{};
  const auto total = static_cast<std::uint32_t>(length) + trailer_bytes;
  if (free_now() < total) {
    if (std::optional<StageAnswer> refused = make_room(total)) return *refused;
  }
  const bool waited = pending_ != 0;
  if (waited) {
    pending_ = 0;
    words_.store(ControlWord::pending_send, 0);
  }
  if (total <= memory_.size_ - position_) {
    put_packet(StraightCursor(memory_.data_ + position_), packet, extension, length, position_);
  } else {
    put_packet(WrappingCursor(memory_.data_, memory_.size_, position_), packet, extension, length, position_);
  }
  position_ = memory_.advanced(position_, total);
  if (words_.watch() != nullptr) [[unlikely]] {
    words_.watch()->staged(packet.transaction_id, total, packet.header, packet.payload);
    if (waited && words_.planted(Planted::tail_lost_at_wrap))
      memory_.lose_tail(position_, total, packet.payload.size());
  }
  return Staged{};
}

SignalNeeded RingWriter::commit() {
  if (position_ == in_ || corrupt_) return SignalNeeded::no;
  const std::uint32_t old_in = in_;
  in_ = position_;
  const bool early = words_.planted(Planted::signal_from_stale_out);
  const std::uint32_t out_before = early ? words_.load(ControlWord::out) : 0;
  if (words_.planted(Planted::publish_without_release))
    words_.store(ControlWord::in, in_);
  else
    words_.store_release(ControlWord::in, in_);
  peak_ = std::max(peak_, memory_.distance(observed_out(), in_));
  if (!words_.planted(Planted::no_barrier_after_publish)) words_.full_barrier();
  bool signals = words_.load_acquire(ControlWord::interrupt_mask) == 0;
  if (signals) signals = (early ? out_before : words_.load(ControlWord::out)) == old_in;
  if (words_.watch() != nullptr) [[unlikely]]
    words_.watch()->published(signals, memory_.distance(observed_out(), in_));
  return signals ? SignalNeeded::yes : SignalNeeded::no;
}

WriteAnswer RingWriter::write(const OutgoingPacket& packet) {
  const StageAnswer answer = stage(packet);
  if (std::holds_alternative<Staged>(answer)) return commit();
  if (const Full* full = std::get_if<Full>(&answer)) return *full;
  if (const Corrupt* broken = std::get_if<Corrupt>(&answer)) return *broken;
  return TooLarge{};
}

// ---- RingReader -------------------------------------------------------------------------------------------------------

RingReader::RingReader(RingMemory memory) : memory_(memory), words_(memory.control_) {
  words_.store(ControlWord::interrupt_mask, 0);
  const std::uint32_t out = words_.load(ControlWord::out);
  if (memory_.is_index(out)) {
    position_ = out_ = in_ = out;
  } else {
    corrupt_ = Corrupt{Corruption::out_index, out};
  }
}

[[gnu::noinline]] ReadAnswer RingReader::corrupt(Corruption what, std::uint32_t offset) {
  corrupt_ = Corrupt{what, offset};
  return *corrupt_;
}

[[gnu::noinline]] void RingReader::grow(std::uint32_t bytes) {
  capacity_ = std::bit_ceil(bytes);
  copy_ = std::make_unique_for_overwrite<std::uint64_t[]>(capacity_ / 8);
}

inline ReadAnswer RingReader::next(Taken taken) {
  if (peeked_ == 0) {
    if (corrupt_) return *corrupt_;
    std::uint32_t available = memory_.distance(position_, in_);
    if (available == 0) {
      const std::uint32_t in = words_.load_acquire(ControlWord::in);
      if (!memory_.is_index(in)) return corrupt(Corruption::in_index, in);
      if (in == position_) return Empty{};
      if (words_.watch() != nullptr && position_ == out_) [[unlikely]]
        in_before_batch_ = in;
      in_ = in;
      available = memory_.distance(position_, in);
    }

    // The word that says how long the packet is must not change under our eyes: one load. The copy is of what follows it.
    const std::uint64_t descriptor =
        std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(memory_.data_ + position_))
            .load(std::memory_order_relaxed);
    const auto type = static_cast<PacketType>(descriptor & 0xFFFF);
    const std::uint32_t data_offset = static_cast<std::uint32_t>(descriptor >> 16 & 0xFFFF) * 8;
    const std::uint32_t length = static_cast<std::uint32_t>(descriptor >> 32 & 0xFFFF) * 8;
    const std::uint64_t flags = descriptor >> 48;
    if (length < descriptor_bytes) return corrupt(Corruption::length, position_);
    if (length + trailer_bytes > available) return corrupt(Corruption::cut_off, position_);
    if (data_offset < descriptor_bytes || data_offset > length) return corrupt(Corruption::data_offset, position_);
    if ((flags & ~flag_completion_requested) != 0) return corrupt(Corruption::flags, position_);

    if (length > capacity_) grow(length);
    auto* const copy = reinterpret_cast<std::byte*>(copy_.get());
    const std::uint32_t rest = length - word_bytes;
    const std::uint32_t from = memory_.advanced(position_, word_bytes);
    const std::uint32_t until_end = std::min(rest, memory_.size_ - from);
    std::memcpy(copy, memory_.data_ + from, until_end);
    if (until_end < rest) std::memcpy(copy + until_end, memory_.data_, rest - until_end);

    const std::byte* const extension = copy + word_bytes;
    const std::uint32_t extension_bytes = data_offset - descriptor_bytes;
    switch (type) {
      case PacketType::in_band:
      case PacketType::cancel:
      case PacketType::completion: break;
      case PacketType::gpa_direct:
        if (!gpa_ranges_fit(extension, extension_bytes)) return corrupt(Corruption::ranges, position_);
        break;
      case PacketType::transfer_pages:
        if (!transfer_ranges_fit(extension, extension_bytes)) return corrupt(Corruption::ranges, position_);
        break;
      default: return corrupt(Corruption::type, position_);
    }
    // Kept for the next call and answered from registers: to read back what was just written would stall.
    const IncomingPacket packet{.type = type,
                                .completion_requested = flags != 0,
                                .transaction_id = copy_[0],
                                .extension = {extension, extension_bytes},
                                .payload = {copy + data_offset - word_bytes, length - data_offset}};
    packet_ = packet;
    peeked_ = length + trailer_bytes;
    if (taken == Taken::yes) take();
    return packet;
  }
  if (taken == Taken::yes) take();
  return packet_;
}

ReadAnswer RingReader::read() { return next(Taken::yes); }

ReadAnswer RingReader::peek() { return next(Taken::no); }

SignalNeeded RingReader::commit() {
  if (position_ == out_ || corrupt_) return SignalNeeded::no;
  const std::uint32_t old_out = out_;
  out_ = position_;
  words_.store_release(ControlWord::out, out_);
  words_.full_barrier();
  const SignalNeeded answer = signal_for_room(old_out);
  if (words_.watch() != nullptr) [[unlikely]] {
    const std::uint32_t in = words_.observe(ControlWord::in);
    words_.watch()->committed(answer == SignalNeeded::yes, in, memory_.distance(out_, in), masked_);
  }
  return answer;
}

inline SignalNeeded RingReader::signal_for_room(std::uint32_t old_out) {
  const std::uint32_t pending = words_.load_acquire(ControlWord::pending_send);
  if (pending == 0 || (words_.load(ControlWord::feature_bits) & feature_pending_send) == 0) return SignalNeeded::no;
  const std::uint32_t in = words_.load(ControlWord::in);
  if (!memory_.is_index(in)) return SignalNeeded::no;  // the next read says what is wrong
  std::uint32_t free_before = memory_.size_ - memory_.distance(old_out, in) - 1;
  std::uint32_t free_after = memory_.size_ - memory_.distance(out_, in) - 1;
  if (words_.watch() != nullptr) [[unlikely]] {
    if (words_.planted(Planted::space_signal_every_read)) free_before = 0;
    if (words_.planted(Planted::room_sampled_early))
      free_before = memory_.size_ - memory_.distance(old_out, in_before_batch_) - 1;
    if (words_.planted(Planted::space_signal_gated_by_mask) && masked_) return SignalNeeded::no;
    if (words_.planted(Planted::pending_clamped)) free_after &= ~7u;
    if (words_.planted(Planted::no_signal_when_emptied) && out_ == in) return SignalNeeded::no;
  }
  return free_before < pending && pending <= free_after ? SignalNeeded::yes : SignalNeeded::no;
}

void RingReader::mask() {
  masked_ = true;
  words_.store(ControlWord::interrupt_mask, 1);
  // Packets that are published from here on are found by reading, so the mask must be seen before In is read again.
  words_.full_barrier();
}

bool RingReader::unmask() {
  masked_ = false;
  words_.store(ControlWord::interrupt_mask, 0);
  if (words_.planted(Planted::no_look_after_unmask)) return false;
  if (!words_.planted(Planted::no_barrier_after_unmask)) words_.full_barrier();
  return words_.load_acquire(ControlWord::in) != position_;
}

}  // namespace vmbsim::vmbus
