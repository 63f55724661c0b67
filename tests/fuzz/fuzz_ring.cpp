// A ring between two ends of ours and a third party that writes what it likes into control page and data. The bytes are a
// program: an operation, then what it needs. No lie may reach outside the ring, and a broken end stays broken.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <variant>

#include "models/vmbus/ring.hpp"
#include "vmbsim/assert.hpp"

using namespace vmbsim;
using namespace vmbsim::vmbus;

namespace {

/// The bytes of the input, taken from the front; zeroes when they run out.
class Program {
 public:
  Program(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}
  bool done() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::uint32_t word(unsigned bytes) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= std::uint32_t{byte()} << (8 * i);
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

/// Ring memory with a zone on either side that nobody may touch.
class GuardedRing {
 public:
  explicit GuardedRing(Pages data) : size_(static_cast<std::size_t>(RingMemory::pages(data).bytes().count)) {
    bytes_.reset(static_cast<std::byte*>(::operator new (size_ + 2 * zone, std::align_val_t{64})));
    std::fill_n(bytes_.get(), size_ + 2 * zone, guard);
    std::fill_n(ring().data(), size_, std::byte{0});
  }
  std::span<std::byte> ring() { return {bytes_.get() + zone, size_}; }
  bool intact() const {
    const auto clean = [&](std::size_t at) {
      return std::all_of(bytes_.get() + at, bytes_.get() + at + zone, [](std::byte b) { return b == guard; });
    };
    return clean(0) && clean(zone + size_);
  }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { ::operator delete (bytes, std::align_val_t{64}); }
  };
  static constexpr std::size_t zone = 256;
  static constexpr std::byte guard{0xA5};
  std::size_t size_;
  std::unique_ptr<std::byte[], Free> bytes_;
};

/// Reads every byte a packet points to, so that a sanitizer sees each of them, and walks its ranges.
std::uint64_t look_at(const IncomingPacket& packet) {
  std::uint64_t sum = 0;
  for (const std::byte b : packet.extension) sum += std::to_integer<std::uint64_t>(b);
  for (const std::byte b : packet.payload) sum += std::to_integer<std::uint64_t>(b);
  VMBSIM_ASSERT(packet.payload.size() % 8 == 0, "a payload is padded");
  if (packet.type != PacketType::gpa_direct) return sum;
  for (GpaRangeCursor ranges(packet); const std::optional<GpaRange> range = ranges.next();) {
    VMBSIM_ASSERT(range->byte_count > 0 && range->byte_offset < 4096, "a range describes something");
    VMBSIM_ASSERT(range->pfns.size() >= pages_touched(range->byte_offset, range->byte_count), "each page has its PFN");
    for (const auto pfn : range->pfns) sum += pfn;
  }
  return sum;
}

class Session {
 public:
  Session(RingMemory memory, std::span<std::byte> bytes) : writer_(memory), reader_(memory), bytes_(bytes) {}

  void step(Program& program) {
    switch (program.byte() % 12) {
      case 0: wrote(writer_.write(packet(program))); break;
      case 1: wrote(writer_.write(packet_with_ranges(program))); break;
      case 2: staged(writer_.stage(packet(program))); break;
      case 3: static_cast<void>(writer_.commit()); break;
      case 4:
        peeked_.reset();
        took(reader_.read());
        break;
      case 5: peek(); break;
      case 6: static_cast<void>(reader_.commit()); break;
      case 7: reader_.mask(); break;
      case 8: static_cast<void>(reader_.unmask()); break;
      case 9: lie_in_control_page(program); break;
      case 10: lie_in_data(program); break;
      case 11: forge_descriptor(program); break;
    }
    check();
  }

 private:
  OutgoingPacket packet(Program& program) {
    OutgoingPacket packet;
    packet.type = program.byte() & 1 ? PacketType::completion : PacketType::in_band;
    packet.transaction_id = program.byte();
    packet.payload = std::span(payload_).first(program.word(2) % (payload_.size() + 1));
    return packet;
  }
  OutgoingPacket packet_with_ranges(Program& program) {
    OutgoingPacket packet;
    packet.type = PacketType::gpa_direct;
    packet.completion_requested = true;
    const std::uint32_t offset = program.word(2) % 4096;
    const std::uint32_t count = 1 + program.word(2) % 16384;
    range_ = {count, offset, std::span(pfns_).first(static_cast<std::size_t>(pages_touched(offset, count)))};
    packet.ranges = std::span(&range_, 1);
    packet.payload = std::span(payload_).first(program.byte());
    return packet;
  }

  void wrote(const WriteAnswer& answer) {
    const bool corrupt = std::holds_alternative<Corrupt>(answer);
    VMBSIM_ASSERT(corrupt || !writer_corrupt_, "a writer that found the ring broken does not believe it again");
    writer_corrupt_ = corrupt;
  }
  void staged(const StageAnswer& answer) {
    const bool corrupt = std::holds_alternative<Corrupt>(answer);
    VMBSIM_ASSERT(corrupt || !writer_corrupt_, "a writer that found the ring broken does not believe it again");
    writer_corrupt_ = corrupt;
  }
  std::uint64_t took(const ReadAnswer& answer) {
    const bool corrupt = std::holds_alternative<Corrupt>(answer);
    VMBSIM_ASSERT(corrupt || !reader_corrupt_, "a reader that found the ring broken does not believe it again");
    reader_corrupt_ = corrupt;
    const auto* packet = std::get_if<IncomingPacket>(&answer);
    if (packet)
      VMBSIM_ASSERT(descriptor_size.count +
                            static_cast<std::int64_t>(packet->extension.size() + packet->payload.size()) +
                            trailer_size.count <
                        reader_.memory().size().count,
                    "a packet is shorter than its ring");
    return packet ? look_at(*packet) + packet->transaction_id : 0;
  }
  void peek() {
    const std::uint64_t seen = took(reader_.peek());
    if (peeked_ && *peeked_ != 0) VMBSIM_ASSERT(seen == *peeked_, "a packet that was validated does not change");
    peeked_ = seen;
  }

  void lie_in_control_page(Program& program) {
    constexpr std::size_t words[] = {0x00, 0x04, 0x08, 0x0C, 0x40};
    const std::size_t at = words[program.byte() % 5];
    // Small multiples of 8 are what a ring can mistake for its own; four bytes of anything are the rest.
    const std::uint32_t value = program.byte() & 1 ? program.word(4) : program.word(2) % 8192 & ~7U;
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  void lie_in_data(Program& program) {
    const std::size_t at = data_begin + program.word(2) % (bytes_.size() - data_begin);
    const std::size_t count = std::min<std::size_t>(program.byte() % 32, bytes_.size() - at);
    for (std::size_t i = 0; i < count; ++i) bytes_[at + i] = std::byte{program.byte()};
  }
  /// A descriptor where the reader stands, one field of any value, so that the rest of it is believed.
  void forge_descriptor(Program& program) {
    std::uint32_t out = 0;
    std::memcpy(&out, bytes_.data() + 4, sizeof out);
    if (out % 8 != 0 || out >= bytes_.size() - data_begin) return;
    const std::size_t field = program.byte() % 8 * 2;  // 16-bit fields of the descriptor and of what follows it
    const auto value = static_cast<std::uint16_t>(program.word(2));
    const std::size_t at = data_begin + (out + (field < 8 ? field : field + 8)) % (bytes_.size() - data_begin);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }

  void check() const {
    const Bytes size = writer_.memory().size();
    VMBSIM_ASSERT(writer_.used() < size && writer_.used() >= Bytes{0}, "a ring is never full to the last byte");
    VMBSIM_ASSERT(writer_.staged() < size && writer_.staged() >= Bytes{0}, "what is staged fits");
    VMBSIM_ASSERT(reader_.taken() < size && reader_.taken() >= Bytes{0}, "what is taken was there");
    VMBSIM_ASSERT(writer_.peak() < size, "the peak fits");
  }

  static constexpr std::size_t data_begin = static_cast<std::size_t>(page_size);
  RingWriter writer_;
  RingReader reader_;
  std::span<std::byte> bytes_;
  std::array<std::byte, 9000> payload_{};
  std::array<hw::Pfn, 8> pfns_{1, 2, 3, 4, 5, 6, 7, 8};
  GpaRange range_;
  bool writer_corrupt_ = false;
  bool reader_corrupt_ = false;
  std::optional<std::uint64_t> peeked_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Program program(data, size);
  GuardedRing memory(Pages{1 + program.byte() % 2});
  Session session(RingMemory::in(memory.ring()).value(), memory.ring());
  while (!program.done()) session.step(program);
  VMBSIM_ASSERT(memory.intact(), "no end writes outside its ring");
  return 0;
}
