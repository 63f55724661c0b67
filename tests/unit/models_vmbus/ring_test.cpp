#include "models/vmbus/ring.hpp"

#include <catch2/catch.hpp>
#include <deque>
#include <numeric>

#include "sim/kernel/random.hpp"
#include "tests/support/test_ring.hpp"

using namespace vmbsim;
using namespace vmbsim::vmbus;

namespace {

std::vector<std::byte> some_bytes(std::size_t count, unsigned salt) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = std::byte(i * 13 + salt + 1);
  return bytes;
}

// What a range looks like once it has travelled.
struct Range {
  std::uint32_t byte_count;
  std::uint32_t byte_offset;
  std::vector<hw::Pfn> pfns;
  bool operator==(const Range&) const = default;
};

// A packet with its own memory, for comparing what goes in with what comes out.
struct Sent {
  PacketType type{};
  bool completion_requested = false;
  std::uint64_t transaction_id = 0;
  std::vector<Range> ranges;
  std::vector<TransferRange> transfer_ranges;
  std::vector<std::byte> header;
  std::vector<std::byte> payload;

  template <class Use>
  auto lend(Use use) const {
    std::vector<GpaRange> views;
    for (const Range& range : ranges) views.push_back({range.byte_count, range.byte_offset, range.pfns});
    const TransferSet set{.id = 0xBEEF, .sender_owns = true, .ranges = transfer_ranges};
    return use(OutgoingPacket{type, completion_requested, transaction_id, views, header, payload, &set});
  }
};

void check_same(const IncomingPacket& got, const Sent& sent) {
  REQUIRE(got.type == sent.type);
  REQUIRE(got.completion_requested == sent.completion_requested);
  REQUIRE(got.transaction_id == sent.transaction_id);
  std::vector<Range> ranges;
  std::size_t pfns = 0;
  for (GpaRangeCursor cursor(got); const auto range = cursor.next();) {
    ranges.push_back({range->byte_count, range->byte_offset, {range->pfns.begin(), range->pfns.end()}});
    pfns += range->pfns.size();
  }
  REQUIRE(ranges == sent.ranges);
  REQUIRE(GpaRangeCursor(got).most_pfns() == pfns);
  if (sent.type == PacketType::transfer_pages) {
    REQUIRE(got.extension.size() == 8 + 8 * sent.transfer_ranges.size());
    for (std::size_t i = 0; i < sent.transfer_ranges.size(); ++i)
      REQUIRE(std::memcmp(got.extension.data() + 8 + 8 * i, &sent.transfer_ranges[i], 8) == 0);
  }
  std::vector<std::byte> data = sent.header;
  data.insert(data.end(), sent.payload.begin(), sent.payload.end());
  data.resize((data.size() + 7) / 8 * 8);  // zeros
  REQUIRE(std::vector<std::byte>(got.payload.begin(), got.payload.end()) == data);
}

Sent draw_packet(kernel::Stream& chance, std::uint64_t id) {
  static constexpr PacketType types[] = {PacketType::in_band, PacketType::transfer_pages, PacketType::gpa_direct,
                                         PacketType::cancel, PacketType::completion};
  Sent sent;
  sent.type = types[chance.below(5)];
  sent.completion_requested = chance.below(2) == 0;
  sent.transaction_id = id;
  if (sent.type == PacketType::gpa_direct) {
    for (std::uint64_t n = chance.below(4); n > 0; --n) {
      Range range{
          static_cast<std::uint32_t>(1 + chance.below(70'000)), static_cast<std::uint32_t>(chance.below(4096)), {}};
      range.pfns.resize(pages_touched(range.byte_offset, range.byte_count));
      for (hw::Pfn& pfn : range.pfns) pfn = chance.below(1u << 30);
      sent.ranges.push_back(range);
    }
  }
  if (sent.type == PacketType::transfer_pages)
    for (std::uint64_t n = chance.below(5); n > 0; --n)
      sent.transfer_ranges.push_back({static_cast<std::uint32_t>(n), 6144});
  sent.header = some_bytes(chance.below(3) == 0 ? 8 : 0, static_cast<unsigned>(id));
  sent.payload =
      some_bytes(chance.below(3) == 0 ? chance.below(1200) : chance.below(100), static_cast<unsigned>(id) + 7);
  return sent;
}

}  // namespace

// Source: EMCL, VMPACKET_DESCRIPTOR, VMDATA_GPA_DIRECT, GPA_RANGE, and the trailer written by PkCompleteInsertion.
TEST_CASE("a packet lies in the ring as the wire format says, byte for byte") {
  TestRing ring(1_pages);
  REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet_of(40))));
  const std::vector<hw::Pfn> pfns = {0x1111, 0x2222};
  const std::vector<GpaRange> ranges = {{.byte_count = 5000, .byte_offset = 100, .pfns = pfns}};
  const std::vector<std::byte> header = {std::byte{1}, std::byte{2}};
  const std::vector<std::byte> payload = {std::byte{3}, std::byte{4}, std::byte{5}};
  std::memset(ring.at(4096 + 40), 0xEE, 200);
  OutgoingPacket packet;
  packet.type = PacketType::gpa_direct;
  packet.completion_requested = true;
  packet.transaction_id = 0x0123456789ABCDEF;
  packet.ranges = ranges;
  packet.header = header;
  packet.payload = payload;
  REQUIRE(size_on_ring(packet) == 64_B);
  REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet)));

  CHECK(ring.data<std::uint16_t>(40) == 9);  // type
  CHECK(ring.data<std::uint16_t>(42) == 6);  // payload at 48
  CHECK(ring.data<std::uint16_t>(44) == 7);  // 56 bytes without the trailer
  CHECK(ring.data<std::uint16_t>(46) == 1);  // completion requested
  CHECK(ring.data<std::uint64_t>(48) == 0x0123456789ABCDEF);
  CHECK(ring.data<std::uint32_t>(56) == 0);  // reserved
  CHECK(ring.data<std::uint32_t>(60) == 1);  // one range
  CHECK(ring.data<std::uint32_t>(64) == 5000);
  CHECK(ring.data<std::uint32_t>(68) == 100);
  CHECK(ring.data<std::uint64_t>(72) == 0x1111);
  CHECK(ring.data<std::uint64_t>(80) == 0x2222);
  CHECK(ring.data<std::uint64_t>(88) == 0x0504030201);  // header and payload, padded with zeros
  CHECK(ring.data<std::uint32_t>(96) == 0);             // trailer: reserved
  CHECK(ring.data<std::uint32_t>(100) == 40);           // trailer: where the packet started
  CHECK(ring.data<std::uint8_t>(104) == 0xEE);          // and not a byte more
  CHECK(ring.word(ControlWord::in) == 40 + 64);
}

// Source: EMCL, VMTRANSFER_PAGE_PACKET_HEADER.
TEST_CASE("a transfer-page packet names its set and its ranges") {
  TestRing ring(1_pages);
  const std::vector<TransferRange> ranges = {{60, 6144}, {1500, 12288}};
  const TransferSet set{.id = 0xCAFE, .sender_owns = true, .ranges = ranges};
  OutgoingPacket packet;
  packet.type = PacketType::transfer_pages;
  packet.transfer = &set;
  REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet)));
  CHECK(ring.data<std::uint16_t>(0) == 7);
  CHECK(ring.data<std::uint16_t>(2) == 5);
  CHECK(ring.data<std::uint16_t>(4) == 5);
  CHECK(ring.data<std::uint16_t>(16) == 0xCAFE);
  CHECK(ring.data<std::uint8_t>(18) == 1);
  CHECK(ring.data<std::uint8_t>(19) == 0);
  CHECK(ring.data<std::uint32_t>(20) == 2);
  CHECK(ring.data<std::uint32_t>(24) == 60);
  CHECK(ring.data<std::uint32_t>(28) == 6144);
  CHECK(ring.data<std::uint32_t>(32) == 1500);
  CHECK(ring.data<std::uint32_t>(36) == 12288);
  CHECK(ring.word(ControlWord::in) == std::uint32_t(transfer_pages_size(2, 0_B).count));
}

// Source: Linux, storvsc over VMBus: 64-byte requests; the sizes follow from the packet format.
TEST_CASE("a storage request takes 112 bytes of ring for 4 KiB and 232 for 64 KiB, its completion 88") {
  CHECK(gpa_direct_size(1_pages, 64_B) == 112_B);
  CHECK(gpa_direct_size(16_pages, 64_B) == 232_B);
  CHECK(gpa_direct_size(32_pages, 64_B) == 360_B);
  CHECK(in_band_size(64_B) == 88_B);
  CHECK(in_band_size(1_B) == in_band_size(8_B));
  CHECK(smallest_ring_for(4088_B) == 1_pages);
  CHECK(smallest_ring_for(4096_B) == 2_pages);
}

// Source: OpenVMM, vmbus_ring: 8 bytes always stay free, so that full and empty differ.
TEST_CASE("a ring holds packets up to its size less 8 bytes") {
  for (const Pages data : {1_pages, 3_pages, 16_pages}) {
    const auto size = static_cast<std::uint32_t>(data.bytes().count);
    TestRing ring(data);
    CHECK(ring.writer.write(packet_of(size)) == WriteAnswer{TooLarge{}});
    CHECK(ring.writer.write(packet_of(size - 8)) == WriteAnswer{SignalNeeded::yes});
    CHECK(ring.writer.used() == Bytes{size - 8});
    CHECK(ring.writer.write(packet_of(24)) == WriteAnswer{Full{17_B, true}});
    CHECK(read_some(ring.reader, 9) == 1);
  }
}

// Source: EMCL, VMPACKET_DESCRIPTOR: 16 bits of length in units of 8.
TEST_CASE("no packet is longer than its length field can say") {
  TestRing ring(256_pages);
  CHECK(ring.writer.write(packet_of(524280 + 8)) == WriteAnswer{SignalNeeded::yes});
  CHECK(ring.writer.write(packet_of(524280 + 16)) == WriteAnswer{TooLarge{}});
  CHECK(read_some(ring.reader, 9) == 1);
}

TEST_CASE("what goes in comes out, in order, wherever the packets wrap") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    TestRing ring({static_cast<std::int64_t>(1 + seed % 2)});
    kernel::Stream chance(Seed{seed}, "ring", "packets");
    std::deque<Sent> in_ring;
    std::uint64_t next_id = 1;
    std::uint32_t peak = 0;
    for (int step = 0; step < 2500; ++step) {
      if (chance.below(2) == 0) {
        for (std::uint64_t n = 1 + chance.below(4); n > 0; --n) {
          Sent sent = draw_packet(chance, next_id++);
          const StageAnswer answer = sent.lend([&](const OutgoingPacket& packet) { return ring.writer.stage(packet); });
          if (std::holds_alternative<Staged>(answer))
            in_ring.push_back(std::move(sent));
          else
            REQUIRE(std::holds_alternative<Full>(answer));
          REQUIRE(ring.writer.used() + ring.writer.staged() + ring.writer.free() + 1_B == ring.memory.size());
        }
        static_cast<void>(ring.writer.commit());
        peak = std::max(peak, static_cast<std::uint32_t>(ring.writer.used().count));
        REQUIRE(ring.writer.staged() == 0_B);
      } else {
        for (std::uint64_t n = chance.below(5); n > 0; --n) {
          const ReadAnswer answer = ring.reader.read();
          if (in_ring.empty()) {
            REQUIRE(std::holds_alternative<Empty>(answer));
            break;
          }
          check_same(std::get<IncomingPacket>(answer), in_ring.front());
          in_ring.pop_front();
        }
        static_cast<void>(ring.reader.commit());
      }
      std::int64_t held = 0;
      for (const Sent& sent : in_ring) held += sent.lend([](const OutgoingPacket& p) { return size_on_ring(p).count; });
      REQUIRE(ring.writer.used() == Bytes{held});
      REQUIRE(ring.reader.empty() == in_ring.empty());
      REQUIRE(ring.writer.empty() == in_ring.empty());
    }
    REQUIRE(ring.writer.peak() == Bytes{peak});
  }
}

TEST_CASE("a packet survives a wrap at every multiple of 8 bytes") {
  Sent sent{PacketType::gpa_direct, true, 77, {{9000, 200, {5, 6, 7}}}, {}, some_bytes(8, 1), some_bytes(61, 2)};
  const auto size =
      sent.lend([](const OutgoingPacket& p) { return static_cast<std::uint32_t>(size_on_ring(p).count); });
  for (std::uint32_t before_end = 0; before_end <= size + 8; before_end += 8) {
    INFO(before_end << " bytes before the end");
    TestRing ring(1_pages);
    REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet_of(2048))));
    REQUIRE(read_some(ring.reader, 1) == 1);
    static_cast<void>(ring.reader.commit());
    if (before_end > 0) {
      REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet_of(2048 - before_end))));
      REQUIRE(read_some(ring.reader, 1) == 1);
      static_cast<void>(ring.reader.commit());
    }
    REQUIRE(sent.lend([&](const OutgoingPacket& p) { return ring.writer.write(p); }) == WriteAnswer{SignalNeeded::yes});
    const ReadAnswer answer = ring.reader.read();
    check_same(std::get<IncomingPacket>(answer), sent);
  }
}

TEST_CASE("a peeked packet stays in the ring, and is copied and validated once") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(40, 7)) == WriteAnswer{SignalNeeded::yes});
  REQUIRE(ring.writer.write(packet_of(40, 8)) == WriteAnswer{SignalNeeded::no});
  CHECK(std::get<IncomingPacket>(ring.reader.peek()).transaction_id == 7);
  CHECK(ring.reader.taken() == 0_B);
  ring.set_data<std::uint64_t>(8, 99);  // the writer changes its mind: too late
  ring.set_data<std::uint64_t>(0, 0);
  CHECK(std::get<IncomingPacket>(ring.reader.peek()).transaction_id == 7);
  CHECK(std::get<IncomingPacket>(ring.reader.read()).transaction_id == 7);
  CHECK(ring.reader.taken() == 40_B);
  CHECK(std::get<IncomingPacket>(ring.reader.read()).transaction_id == 8);
  CHECK(std::holds_alternative<Empty>(ring.reader.peek()));
}

TEST_CASE("an end that comes back finds the ring where it left it") {
  TestRing ring(1_pages);
  for (const std::uint64_t id : {1u, 2u, 3u})
    REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet_of(48, id))));
  REQUIRE(read_some(ring.reader, 1) == 1);
  static_cast<void>(ring.reader.commit());
  RingWriter writer(ring.memory);
  RingReader reader(ring.memory);
  CHECK(writer.used() == 96_B);
  CHECK(std::get<IncomingPacket>(reader.read()).transaction_id == 2);
  REQUIRE(writer.write(packet_of(48, 4)) == WriteAnswer{SignalNeeded::no});
  CHECK(std::get<IncomingPacket>(reader.read()).transaction_id == 3);
  CHECK(std::get<IncomingPacket>(reader.read()).transaction_id == 4);
}

// Source: EMCL, VMRCB; Linux, struct hv_ring_buffer.
TEST_CASE("the control words lie where every implementation looks for them") {
  CHECK(static_cast<std::uint32_t>(ControlWord::in) == 0x00);
  CHECK(static_cast<std::uint32_t>(ControlWord::out) == 0x04);
  CHECK(static_cast<std::uint32_t>(ControlWord::interrupt_mask) == 0x08);
  CHECK(static_cast<std::uint32_t>(ControlWord::pending_send) == 0x0C);
  CHECK(static_cast<std::uint32_t>(ControlWord::feature_bits) == 0x40);
}

TEST_CASE("equal histories leave equal ring images") {
  TestRing one(2_pages);
  TestRing two(2_pages);
  for (TestRing* ring : {&one, &two})
    for (std::uint32_t id = 0; id < 500; ++id) {
      REQUIRE(std::holds_alternative<SignalNeeded>(ring->writer.write(packet_of(24 + 8 * (id % 50), id))));
      REQUIRE(read_some(ring->reader, 1) == 1);
      static_cast<void>(ring->reader.commit());
    }
  const auto a = one.memory.image();
  const auto b = two.memory.image();
  REQUIRE(a.size() == 3 * 4096);
  CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  REQUIRE(std::holds_alternative<SignalNeeded>(two.writer.write(packet_of(24))));
  CHECK_FALSE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST_CASE("only whole pages, one of control and at least one of data, make a ring") {
  std::vector<std::uint64_t> words(3 * 512 + 1);
  const auto bytes = std::as_writable_bytes(std::span(words));
  CHECK(RingMemory::in(bytes.first(3 * 4096))->size() == 8_KiB);
  CHECK(RingMemory::in(bytes.first(2 * 4096))->size() == 4_KiB);
  CHECK_FALSE(RingMemory::in(bytes.first(4096)).has_value());
  CHECK_FALSE(RingMemory::in(bytes.first(2 * 4096 + 8)).has_value());
  CHECK_FALSE(RingMemory::in(bytes.subspan(4, 2 * 4096)).has_value());
  CHECK_FALSE(RingMemory::in({}).has_value());
}
