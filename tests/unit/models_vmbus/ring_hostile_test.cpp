// A peer that writes what it likes. Every lie is an answer with a name, never an access outside the ring.
// Source: OpenVMM, vmbus_ring: checks of the peer's index, of a descriptor, and gparange.rs; Linux, hv_pkt_iter_first.
#include <catch2/catch.hpp>

#include "models/vmbus/ring.hpp"
#include "sim/kernel/random.hpp"
#include "tests/support/test_ring.hpp"

using namespace vmbsim;
using namespace vmbsim::vmbus;

namespace {

// An in-band packet of 40 bytes at 0, and what is then forged in it.
struct Forged {
  const char* situation;
  std::uint64_t type = 6;
  std::uint64_t data_offset8 = 2;
  std::uint64_t length8 = 4;
  std::uint64_t flags = 0;
  std::optional<Corruption> expected;
};

}  // namespace

TEST_CASE("a descriptor that lies is corrupt") {
  for (const Forged& row :
       {Forged{"nothing is forged", 6, 2, 4, 0, std::nullopt}, Forged{"completion requested", 6, 2, 4, 1, std::nullopt},
        Forged{"no payload at all", 6, 4, 4, 0, std::nullopt}, Forged{"no length", 6, 2, 0, 0, Corruption::length},
        Forged{"shorter than the descriptor", 6, 1, 1, 0, Corruption::length},
        Forged{"one unit longer than what is in the ring", 6, 2, 5, 0, Corruption::cut_off},
        Forged{"as long as can be said", 6, 2, 0xFFFF, 0, Corruption::cut_off},
        Forged{"payload inside the descriptor", 6, 1, 4, 0, Corruption::data_offset},
        Forged{"payload at the packet's start", 6, 0, 4, 0, Corruption::data_offset},
        Forged{"payload beyond the packet", 6, 5, 4, 0, Corruption::data_offset},
        Forged{"payload far beyond the packet", 6, 0xFFFF, 4, 0, Corruption::data_offset},
        Forged{"an unknown flag", 6, 2, 4, 2, Corruption::flags},
        Forged{"all flags", 6, 2, 4, 0xFFFF, Corruption::flags}, Forged{"type 0", 0, 2, 4, 0, Corruption::type},
        Forged{"the obsolete GPADL packet", 8, 2, 4, 0, Corruption::type},
        Forged{"type 0xFFFF", 0xFFFF, 2, 4, 0, Corruption::type},
        Forged{"ranges without room for their count", 9, 2, 4, 0, Corruption::ranges},
        Forged{"a transfer set without room for its header", 7, 2, 4, 0, Corruption::ranges}}) {
    INFO(row.situation);
    TestRing ring(1_pages);
    REQUIRE(ring.writer.write(packet_of(40, 5)) == WriteAnswer{SignalNeeded::yes});
    ring.set_data<std::uint64_t>(0, row.type | row.data_offset8 << 16 | row.length8 << 32 | row.flags << 48);
    const ReadAnswer answer = ring.reader.read();
    if (!row.expected) {
      CHECK(std::get<IncomingPacket>(answer).transaction_id == 5);
      continue;
    }
    REQUIRE(std::holds_alternative<Corrupt>(answer));
    CHECK(std::get<Corrupt>(answer) == Corrupt{*row.expected, 0});
    CHECK(name_of(*row.expected) != std::string("corrupt"));
  }
}

TEST_CASE("ranges that do not fit their packet are corrupt") {
  // 16 bytes of descriptor, then 8 + 24 bytes of extension: a count, one range header, two PFNs.
  struct Row {
    const char* situation;
    PacketType type;
    std::uint32_t ranges;
    std::uint32_t bytes;
    std::uint32_t offset;
    bool good;
  };
  for (const Row& row :
       {Row{"two whole pages", PacketType::gpa_direct, 1, 8192, 0, true},
        Row{"two bytes on two pages", PacketType::gpa_direct, 1, 2, 4095, true},
        Row{"one page, one PFN to spare", PacketType::gpa_direct, 1, 4096, 0, true},
        Row{"no ranges", PacketType::gpa_direct, 0, 0, 0, true},
        Row{"one byte too many", PacketType::gpa_direct, 1, 8193, 0, false},
        Row{"one byte too far", PacketType::gpa_direct, 1, 8192, 1, false},
        Row{"no bytes", PacketType::gpa_direct, 1, 0, 0, false},
        Row{"an offset of a page", PacketType::gpa_direct, 1, 1, 4096, false},
        Row{"an offset that overflows", PacketType::gpa_direct, 1, 8192, 0xFFFFFFFF, false},
        Row{"a length that overflows", PacketType::gpa_direct, 1, 0xFFFFFFFF, 4095, false},
        Row{"two ranges where one fits", PacketType::gpa_direct, 2, 8192, 0, false},
        Row{"four billion ranges", PacketType::gpa_direct, 0xFFFFFFFF, 8192, 0, false},
        Row{"three transfer ranges", PacketType::transfer_pages, 3, 8192, 0, true},
        Row{"no transfer ranges", PacketType::transfer_pages, 0, 8192, 0, true},
        Row{"four transfer ranges where three fit", PacketType::transfer_pages, 4, 8192, 0, false},
        Row{"transfer ranges whose size overflows", PacketType::transfer_pages, 0x20000001, 8192, 0, false}}) {
    INFO(row.situation);
    TestRing ring(1_pages);
    REQUIRE(ring.writer.write(packet_of(16 + 32 + 8 + 8)) == WriteAnswer{SignalNeeded::yes});
    ring.set_data<std::uint64_t>(
        0, static_cast<std::uint64_t>(row.type) | std::uint64_t{6} << 16 | std::uint64_t{7} << 32);
    ring.set_data<std::uint32_t>(20, row.ranges);
    ring.set_data<std::uint32_t>(24, row.bytes);
    ring.set_data<std::uint32_t>(28, row.offset);
    ring.set_data<std::uint64_t>(48, 4096);  // the payload looks like one more range
    const ReadAnswer answer = ring.reader.read();
    CHECK(std::holds_alternative<IncomingPacket>(answer) == row.good);
    if (!row.good) CHECK(std::get<Corrupt>(answer).what == Corruption::ranges);
  }
}

TEST_CASE("an index that is no packet boundary of the ring is corrupt") {
  for (const std::uint32_t bad : {4096u, 4104u, 4u, 41u, 0xFFFFFFF8u, 0xFFFFFFFFu, 0x80000000u}) {
    INFO("index " << bad);
    {  // In, as the reader sees it
      TestRing ring(1_pages);
      ring.set_word(ControlWord::in, bad);
      CHECK(std::get<Corrupt>(ring.reader.read()) == Corrupt{Corruption::in_index, bad});
    }
    {  // In, when the reader gives room back
      TestRing ring(1_pages);
      REQUIRE(ring.writer.write(packet_of(4000)) == WriteAnswer{SignalNeeded::yes});
      REQUIRE(std::holds_alternative<Full>(ring.writer.write(packet_of(4000))));
      REQUIRE(read_some(ring.reader, 1) == 1);
      ring.set_word(ControlWord::in, bad);
      CHECK(ring.reader.commit() == SignalNeeded::no);
      CHECK(std::get<Corrupt>(ring.reader.read()).what == Corruption::in_index);
    }
    {  // Out, when the writer needs room
      TestRing ring(1_pages);
      REQUIRE(ring.writer.write(packet_of(4000)) == WriteAnswer{SignalNeeded::yes});
      ring.set_word(ControlWord::out, bad);
      CHECK(ring.writer.write(packet_of(4000)) == WriteAnswer{Corrupt{Corruption::out_index, bad}});
      CHECK(ring.writer.used() == 4000_B);
    }
    {  // either, when an end comes back
      TestRing ring(1_pages);
      ring.set_word(ControlWord::in, bad);
      CHECK(RingWriter(ring.memory).write(packet_of(24)) == WriteAnswer{Corrupt{Corruption::in_index, bad}});
      ring.set_word(ControlWord::in, 0);
      ring.set_word(ControlWord::out, bad);
      CHECK(RingWriter(ring.memory).write(packet_of(24)) == WriteAnswer{Corrupt{Corruption::out_index, bad}});
      CHECK(std::get<Corrupt>(RingReader(ring.memory).read()) == Corrupt{Corruption::out_index, bad});
    }
  }
}

TEST_CASE("a packet without room for its trailer is cut off") {
  for (const std::uint32_t in : {8u, 16u}) {
    TestRing ring(1_pages);
    ring.set_data<std::uint64_t>(0, 6 | 2 << 16 | std::uint64_t{2} << 32);
    ring.set_word(ControlWord::in, in);
    CHECK(std::get<Corrupt>(ring.reader.read()) == Corrupt{Corruption::cut_off, 0});
  }
}

TEST_CASE("an end that saw corruption refuses to go on, even when the peer repairs it") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(40)) == WriteAnswer{SignalNeeded::yes});
  ring.set_word(ControlWord::in, 41);
  REQUIRE(std::holds_alternative<Corrupt>(ring.reader.read()));
  ring.set_word(ControlWord::in, 40);
  CHECK(std::get<Corrupt>(ring.reader.read()) == Corrupt{Corruption::in_index, 41});
  CHECK(std::get<Corrupt>(ring.reader.peek()) == Corrupt{Corruption::in_index, 41});
  CHECK(ring.reader.commit() == SignalNeeded::no);

  ring.set_word(ControlWord::out, 4);
  REQUIRE(std::holds_alternative<Corrupt>(ring.writer.write(packet_of(4080))));
  ring.set_word(ControlWord::out, 0);
  CHECK(std::holds_alternative<Corrupt>(ring.writer.write(packet_of(24))));
  CHECK(ring.writer.commit() == SignalNeeded::no);
  CHECK(ring.word(ControlWord::in) == 40);
}

TEST_CASE("packets staged before the corruption are not published") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.stage(packet_of(40)) == StageAnswer{Staged{}});
  ring.set_word(ControlWord::out, 4);
  REQUIRE(std::holds_alternative<Corrupt>(ring.writer.stage(packet_of(4080))));
  CHECK(ring.writer.commit() == SignalNeeded::no);
  CHECK(ring.word(ControlWord::in) == 0);
}

TEST_CASE("packets read before the corruption are not given back") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(40)) == WriteAnswer{SignalNeeded::yes});
  REQUIRE(ring.writer.write(packet_of(40)) == WriteAnswer{SignalNeeded::no});
  ring.set_data<std::uint64_t>(40, 0);
  CHECK(read_some(ring.reader, 2) == 1);
  CHECK(ring.reader.commit() == SignalNeeded::no);
  CHECK(ring.word(ControlWord::out) == 0);
}

// The address sanitizer sees any access outside: the ring is its own allocation.
TEST_CASE("random bytes in the whole ring never lead outside it") {
  int packets = 0;
  int refusals = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    kernel::Stream chance(Seed{seed}, "ring", "hostile");
    TestRing ring(1_pages);
    for (std::size_t offset = 0; offset < 4096; offset += 8) {
      // Half of the words look like descriptors, so that packets get past the first checks.
      std::uint64_t word = chance.below(std::uint64_t{1} << 63);
      if (chance.below(2) == 0) {
        const std::uint64_t length8 = chance.below(40);
        word = 6 + chance.below(6) | chance.below(length8 + 2) << 16 | length8 << 32 | chance.below(2) << 48;
      }
      ring.set_data(offset, word);
    }
    ring.set_word(ControlWord::in, static_cast<std::uint32_t>(8 * chance.below(512)));
    ring.set_word(ControlWord::pending_send, static_cast<std::uint32_t>(chance.below(5000)));
    RingReader reader(ring.memory);
    std::size_t sum = 0;
    for (int i = 0; i < 600; ++i) {
      const ReadAnswer answer = reader.read();
      const auto* packet = std::get_if<IncomingPacket>(&answer);
      refusals += std::holds_alternative<Corrupt>(answer);
      if (packet == nullptr) break;
      ++packets;
      for (const std::byte b : packet->payload) sum += static_cast<std::size_t>(b);
      for (const std::byte b : packet->extension) sum += static_cast<std::size_t>(b);
      for (GpaRangeCursor ranges(*packet); const auto range = ranges.next();)
        for (const hw::Pfn pfn : range->pfns) sum += pfn;
      static_cast<void>(reader.commit());
    }
    REQUIRE(sum + 1 != 0);
  }
  CHECK(packets > 100);
  CHECK(refusals > 1000);
}
