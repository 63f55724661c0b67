// When a ring asks for a signal, and when it must not.
#include <catch2/catch.hpp>

#include "models/vmbus/ring.hpp"
#include "tests/support/test_ring.hpp"

using namespace vmbsim;
using namespace vmbsim::vmbus;

// Source: EMCL, RingBuffer.c: PkCompleteInsertion; OpenVMM, vmbus_ring: test_interrupt_mask; Linux, hv_signal_on_write.
TEST_CASE("a write asks for a signal only when it wakes a listening reader") {
  struct Row {
    const char* situation;
    bool empty;
    bool masked;
    SignalNeeded expected;
  };
  for (const Row& row : {Row{"first packet, reader listening", true, false, SignalNeeded::yes},
                         Row{"first packet, reader masked", true, true, SignalNeeded::no},
                         Row{"ring already holds a packet", false, false, SignalNeeded::no},
                         Row{"ring already holds a packet, reader masked", false, true, SignalNeeded::no}}) {
    INFO(row.situation);
    TestRing ring(1_pages);
    if (!row.empty) REQUIRE(ring.writer.write(packet_of(40)) == WriteAnswer{SignalNeeded::yes});
    if (row.masked) ring.reader.mask();
    CHECK(ring.writer.write(packet_of(40)) == WriteAnswer{row.expected});
  }
}

// Source: EMCL, RingBuffer.c: Out is published once per pass, so the ring looks non-empty all through it.
TEST_CASE("a packet that was read but not given back keeps the ring non-empty for the writer") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(40)) == WriteAnswer{SignalNeeded::yes});
  REQUIRE(read_some(ring.reader, 1) == 1);
  CHECK(ring.writer.write(packet_of(40)) == WriteAnswer{SignalNeeded::no});
  REQUIRE(read_some(ring.reader, 1) == 1);
  static_cast<void>(ring.reader.commit());
  CHECK(ring.writer.write(packet_of(40)) == WriteAnswer{SignalNeeded::yes});
}

// Source: OpenVMM, vmbus_ring: commit_write over several packets; EMCL: old In is the In before the batch.
TEST_CASE("a batch is published once and signalled once") {
  TestRing ring(1_pages);
  for (int i = 0; i < 3; ++i) CHECK(ring.writer.stage(packet_of(40)) == StageAnswer{Staged{}});
  CHECK(ring.word(ControlWord::in) == 0);
  CHECK(read_some(ring.reader, 9) == 0);
  CHECK(ring.writer.staged() == 120_B);
  CHECK(ring.writer.commit() == SignalNeeded::yes);
  CHECK(ring.word(ControlWord::in) == 120);
  CHECK(ring.writer.commit() == SignalNeeded::no);
  CHECK(read_some(ring.reader, 9) == 3);
  static_cast<void>(ring.reader.commit());
  CHECK(ring.writer.commit() == SignalNeeded::no);  // empty again, but nothing new
}

TEST_CASE("a batch behind older packets is not signalled") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(40)) == WriteAnswer{SignalNeeded::yes});
  for (int i = 0; i < 3; ++i) REQUIRE(ring.writer.stage(packet_of(40)) == StageAnswer{Staged{}});
  CHECK(ring.writer.commit() == SignalNeeded::no);
}

// Source: EMCL, RingBuffer.c: PkGetSendBuffer: packet with trailer and what is staged, at most size - 1.
TEST_CASE("a writer without room says how much it waits for") {
  struct Row {
    const char* situation;
    std::uint32_t held;
    std::uint32_t staged;
    std::uint32_t packet;
    std::uint32_t pending;
  };
  for (const Row& row :
       {Row{"one packet", 4000, 0, 200, 200}, Row{"a packet behind a staged one", 3000, 400, 800, 1200},
        Row{"the largest packet", 24, 0, 4088, 4088}, Row{"more than could ever be free", 24, 104, 4088, 4095}}) {
    INFO(row.situation);
    TestRing ring(1_pages);
    REQUIRE(ring.writer.write(packet_of(row.held)) == WriteAnswer{SignalNeeded::yes});
    if (row.staged > 0) REQUIRE(ring.writer.stage(packet_of(row.staged)) == StageAnswer{Staged{}});
    const StageAnswer answer = ring.writer.stage(packet_of(row.packet));
    const std::int64_t missing = std::int64_t{row.held} + row.staged + row.packet + 1 - 4096;
    CHECK(answer == StageAnswer{Full{{missing}, true}});
    CHECK(ring.word(ControlWord::pending_send) == row.pending);
    CHECK(ring.writer.blocked());
    CHECK(ring.writer.full_events() == 1);
    CHECK(ring.writer.stage(packet_of(row.packet)) == StageAnswer{Full{{missing}, false}});
    CHECK(ring.writer.full_events() == 2);
  }
}

// Source: EMCL, RingBuffer.c: PkGetSendBuffer: any reservation that succeeds clears the wish of the one that did not.
TEST_CASE("the next packet that finds room, whichever it is, clears the wish") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(3800)) == WriteAnswer{SignalNeeded::yes});
  REQUIRE(std::holds_alternative<Full>(ring.writer.write(packet_of(400))));
  CHECK(ring.word(ControlWord::pending_send) == 400);
  CHECK(ring.writer.write(packet_of(4096)) == WriteAnswer{TooLarge{}});
  CHECK(ring.word(ControlWord::pending_send) == 400);
  REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet_of(40))));
  CHECK(ring.word(ControlWord::pending_send) == 0);
  CHECK_FALSE(ring.writer.blocked());
}

// Source: EMCL, RingBuffer.c: PkGetSendBuffer looks at Out again before it gives up.
TEST_CASE("room that was given back since the writer last looked is found without waiting") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(4000)) == WriteAnswer{SignalNeeded::yes});
  REQUIRE(read_some(ring.reader, 1) == 1);
  static_cast<void>(ring.reader.commit());
  CHECK(ring.writer.write(packet_of(4000)) == WriteAnswer{SignalNeeded::yes});
  CHECK(ring.writer.full_events() == 0);
}

// Source: EMCL, RingBuffer.c: PkCompleteRemoval: free before < pending <= free after, free = size - used - 1.
TEST_CASE("a reader signals when what it gave back made the room that was asked for") {
  // 4000 bytes held: 95 free. The reader gives back `packets` of 400 bytes: 495 free after one, 895 after two.
  struct Row {
    std::uint32_t pending;
    int packets;
    SignalNeeded expected;
  };
  for (const Row& row : {Row{0, 1, SignalNeeded::no},     // nobody waits
                         Row{1, 1, SignalNeeded::no},     // there was room all the time
                         Row{95, 1, SignalNeeded::no},    // exactly enough before
                         Row{96, 1, SignalNeeded::yes},   // one byte short before
                         Row{495, 1, SignalNeeded::yes},  // exactly enough after
                         Row{496, 1, SignalNeeded::no},   // one byte short after
                         Row{496, 2, SignalNeeded::yes}, Row{895, 2, SignalNeeded::yes}, Row{896, 2, SignalNeeded::no},
                         Row{4095, 9, SignalNeeded::no},    // 400 bytes are still held
                         Row{4095, 10, SignalNeeded::yes},  // "wake me when it is empty"
                         Row{4096, 10, SignalNeeded::no},   // never true, whatever a hostile writer asks for
                         Row{0xFFFFFFFF, 10, SignalNeeded::no}}) {
    INFO("pending " << row.pending << ", " << row.packets << " packets given back");
    TestRing ring(1_pages);
    for (int i = 0; i < 10; ++i) REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet_of(400))));
    ring.set_word(ControlWord::pending_send, row.pending);
    REQUIRE(read_some(ring.reader, row.packets) == row.packets);
    CHECK(ring.reader.commit() == row.expected);
    CHECK(ring.reader.commit() == SignalNeeded::no);  // nothing new was given back
  }
}

// Source: OpenVMM, vmbus_ring, clears the low three bits of a peer's value because some peers ask for size - 1. With
// EMCL's free = size - used - 1 that changes no decision.
TEST_CASE("the low three bits of the wish decide nothing") {
  for (std::uint32_t pending = 8; pending < 4096; ++pending) {
    SignalNeeded answers[2];
    for (const bool cleared : {false, true}) {
      TestRing ring(1_pages);
      for (int i = 0; i < 4; ++i) REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet_of(1000))));
      ring.set_word(ControlWord::pending_send, cleared ? pending & ~7u : pending);
      REQUIRE(read_some(ring.reader, 2) == 2);
      answers[cleared] = ring.reader.commit();
    }
    REQUIRE(answers[0] == answers[1]);
  }
}

// Source: Linux, hv_pkt_iter_close, comment: the mask is about new data only, the space signal ignores it.
TEST_CASE("the interrupt mask does not hold back the signal that there is room") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(4000)) == WriteAnswer{SignalNeeded::yes});
  REQUIRE(std::holds_alternative<Full>(ring.writer.write(packet_of(200))));
  ring.reader.mask();
  REQUIRE(read_some(ring.reader, 1) == 1);
  CHECK(ring.reader.commit() == SignalNeeded::yes);
}

// Source: Linux, hyperv.h, feat_pending_send_sz: an end that does not set the bit polls, and must not be signalled.
TEST_CASE("a writer without the pending-send feature is not signalled for room") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(4000)) == WriteAnswer{SignalNeeded::yes});
  REQUIRE(std::holds_alternative<Full>(ring.writer.write(packet_of(200))));
  ring.set_word(ControlWord::feature_bits, 0);
  REQUIRE(read_some(ring.reader, 1) == 1);
  CHECK(ring.reader.commit() == SignalNeeded::no);
}

// Source: EMCL, RingBuffer.c: PkCompleteRemoval, note on In: a writer that went on by itself needs no signal.
TEST_CASE("a writer that found smaller room meanwhile is judged by the In of now") {
  TestRing ring(1_pages);
  REQUIRE(ring.writer.write(packet_of(3600)) == WriteAnswer{SignalNeeded::yes});
  REQUIRE(std::holds_alternative<Full>(ring.writer.write(packet_of(800))));
  REQUIRE(std::holds_alternative<SignalNeeded>(ring.writer.write(packet_of(400))));
  REQUIRE(read_some(ring.reader, 1) == 1);
  CHECK(ring.reader.commit() == SignalNeeded::no);  // the small packet cleared the wish of the large one
}

// Source: Linux, ring_buffer.c: hv_begin_read, hv_end_read.
TEST_CASE("unmasking tells of packets that arrived behind the mask") {
  TestRing ring(1_pages);
  ring.reader.mask();
  CHECK(ring.word(ControlWord::interrupt_mask) == 1);
  CHECK(ring.reader.masked());
  CHECK_FALSE(ring.reader.unmask());
  CHECK(ring.word(ControlWord::interrupt_mask) == 0);
  ring.reader.mask();
  REQUIRE(ring.writer.write(packet_of(40)) == WriteAnswer{SignalNeeded::no});
  CHECK(ring.reader.unmask());
  REQUIRE(read_some(ring.reader, 1) == 1);
  static_cast<void>(ring.reader.commit());
  CHECK_FALSE(ring.reader.unmask());
  CHECK_FALSE(ring.reader.masked());
}

// Source: EMCL, RingBuffer.c: initialisation of both ends.
TEST_CASE("a new writer withdraws an old wish and a new reader listens") {
  TestRing ring(1_pages);
  ring.set_word(ControlWord::pending_send, 100);
  ring.set_word(ControlWord::interrupt_mask, 1);
  ring.set_word(ControlWord::feature_bits, 0);
  const RingWriter writer(ring.memory);
  CHECK(ring.word(ControlWord::pending_send) == 0);
  CHECK(ring.word(ControlWord::feature_bits) == 1);
  CHECK(ring.word(ControlWord::interrupt_mask) == 1);
  const RingReader reader(ring.memory);
  CHECK(ring.word(ControlWord::interrupt_mask) == 0);
}
