// Packets on their way in: one at a time, in batches, within the quota, deferred, failed; and a peer that cannot be trusted.
// Source: KMCL DDI (vmbuskernelmodeclientlibapi.h), the page of each function and callback named.
#include <catch2/catch.hpp>

#include <numeric>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all(last - first + 1);
  std::iota(all.begin(), all.end(), first);
  return all;
}

void send(ChannelPair& pair, std::uint64_t first, std::uint64_t last, UINT32 flags = wait_flag) {
  pair.on_guest([&] {
    for (std::uint64_t n = first; n <= last; ++n) CHECK(pair.guest.send(n, 8, flags) == STATUS_SUCCESS);
  });
}

/// The interrupt comes late enough for several packets to be in the ring.
TwoPartitions::Config late(std::uint32_t host_cpus = 1) {
  return {.costs = costs_of({{&hw::Costs::signal_host, 50us}}), .host_cpus = host_cpus};
}

// ---- Batches ----

TEST_CASE("ProcessingComplete is called once for what was delivered, when the ring runs empty", "[Q10][Q11]") {
  // EVT_VMB_CHANNEL_PROCESSING_COMPLETE. Modelling decision: batching as the scenario says: one, until empty, at most so many.
  struct Row {
    kmcl::Batching batching;
    std::vector<UINT32> batches;
  };
  const Row row = GENERATE(values<Row>({{{.mode = kmcl::Batching::Mode::drain}, {7}},
                                        {{.mode = kmcl::Batching::Mode::drain, .mask = true}, {7}},
                                        {{.mode = kmcl::Batching::Mode::none}, {1, 1, 1, 1, 1, 1, 1}},
                                        {{.mode = kmcl::Batching::Mode::limit, .max_packets = 3}, {3, 3, 1}},
                                        {{.mode = kmcl::Batching::Mode::limit, .max_packets = 7, .mask = true}, {7}}}));
  const bool passive = GENERATE(false, true);
  ChannelPair pair({.machines = late(), .batching = row.batching, .host_passive = passive});
  pair.open();
  send(pair, 1, 7);
  CHECK(pair.host.batches == row.batches);
  CHECK(pair.host.arrived == numbers(1, 7));
  CHECK(pair.found().empty());
}

TEST_CASE("Packets are processed at DISPATCH_LEVEL, or at PASSIVE_LEVEL where the channel requires it",
          "[K36][K37][kept][Q12][Q14]") {
  // VmbChannelSetIncomingProcessingAtPassive; completion routines are not governed by it.
  const bool passive = GENERATE(false, true);
  ChannelPair pair({.host_passive = passive, .guest_passive = true});
  pair.open();
  pair.forget();
  send(pair, 1, 3);
  for (const Callback& callback : pair.log)
    if (callback.what.rfind("host:", 0) == 0) CHECK(callback.irql == (passive ? Irql::passive : Irql::dispatch));
  for (const Returned& r : pair.guest.returned) CHECK(r.irql == Irql::dispatch);
}

TEST_CASE("A change to PASSIVE_LEVEL takes effect with the next batch", "[Q12]") {
  // Modelling decision: the page does not say when.
  ChannelPair pair({.machines = late()});
  std::vector<Irql> levels;
  pair.host.packet = [&](Arrived& a) {
    levels.push_back(hw::Processor::current()->irql());
    if (a.number == 1) VmbChannelSetIncomingProcessingAtPassive(pair.host.channel, TRUE);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  send(pair, 1, 3);
  CHECK(levels == std::vector<Irql>(3, Irql::dispatch));
  send(pair, 4, 4);
  CHECK(levels.back() == Irql::passive);
}

TEST_CASE("One ProcessPacket runs at a time, though interrupts, workers and processors compete", "[Q6]") {
  // Modelling decision: one dispatcher per channel, strictly in ring order.
  ChannelPair pair(
      {.machines = {.costs = costs_of({{&hw::Costs::signal_host, 1us}}), .host_cpus = 4}, .host_target = 2});
  int inside = 0, most = 0;
  pair.host.packet = [&](Arrived& a) {
    most = std::max(most, ++inside);
    pair.machines.host.consume(5us);
    if (a.number % 3 == 0)
      VmbChannelSetIncomingProcessingAtPassive(pair.host.channel, a.number % 2 != 0 ? TRUE : FALSE);
    --inside;
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  for (std::uint64_t n = 1; n <= 30; n += 2) {
    pair.machines.start(pair.machines.guest, 0, [&, n] { CHECK(pair.guest.send(n) == STATUS_SUCCESS); });
    pair.machines.start(pair.machines.guest, 0, [&, n] { CHECK(pair.guest.send(n + 1) == STATUS_SUCCESS); });
    pair.machines.run_until(pair.machines.world.now().time_since_epoch() + Duration{3us});
  }
  pair.machines.quiesce();
  CHECK(most == 1);
  CHECK(pair.host.arrived.size() == 30);
  CHECK(pair.guest.returned.size() == 30);
}

// ---- Quota ----

TEST_CASE("At the quota delivery stops; only a completion starts it again, not a larger quota", "[K26][kept][Q10]") {
  // VmbChannelSetTransactionQuota: raising the quota does not restart a blocked queue, the next completion does.
  ChannelPair pair({.machines = late(), .host_quota = 2});
  std::vector<VMBPACKETCOMPLETION> kept;
  pair.host.packet = [&](Arrived& a) { kept.push_back(a.packet); };
  pair.open();
  pair.forget();
  send(pair, 1, 6);
  CHECK(pair.order("host") == "packet(1) packet(2) batch(2)");
  pair.on_host([&] { VmbChannelSetTransactionQuota(pair.host.channel, 3); });
  send(pair, 7, 7);
  pair.machines.host_synic.signal(pair.channel().host_port, {});  // nor does an interrupt
  pair.machines.quiesce();
  CHECK(pair.host.arrived.size() == 2);
  pair.forget();
  pair.on_host([&] { VmbChannelPacketComplete(kept[0], nullptr, 0); });
  CHECK(pair.order("host") == "packet(3) packet(4) batch(2)");
  // Below what is outstanding: nothing more until enough are completed.
  pair.on_host([&] { VmbChannelSetTransactionQuota(pair.host.channel, 1); });
  pair.on_host([&] { VmbChannelPacketComplete(kept[1], nullptr, 0); });
  pair.on_host([&] { VmbChannelPacketComplete(kept[2], nullptr, 0); });
  CHECK(pair.host.arrived.size() == 4);
  pair.on_host([&] { VmbChannelPacketComplete(kept[3], nullptr, 0); });
  CHECK(pair.host.arrived.size() == 5);
  CHECK(pair.found().empty());
}

// ---- Defer ----

TEST_CASE("A deferred packet comes again at PASSIVE_LEVEL, first; those behind it wait; then DISPATCH_LEVEL returns",
          "[K52][K53][kept][Q8][Q10]") {
  // VmbChannelPacketDeferToPassive. Modelling decision: head of the queue; DISPATCH_LEVEL again after the queue is drained.
  ChannelPair pair({.machines = late()});
  std::string told;
  pair.host.packet = [&](Arrived& a) {
    const bool passive = hw::Processor::current()->irql() == Irql::passive;
    told += std::to_string(a.number) + (passive ? "p " : "d ");
    if (a.number == 2 && !passive) return VmbChannelPacketDeferToPassive(a.packet);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  send(pair, 1, 4);
  CHECK(told == "1d 2d 2p 3p 4p ");
  CHECK(pair.host.batches == std::vector<UINT32>{2, 3});
  send(pair, 5, 5);
  CHECK(told == "1d 2d 2p 3p 4p 5d ");
  CHECK(pair.guest.returned.size() == 5);
  CHECK(pair.found().empty());
}

TEST_CASE("A packet that is deferred when the channel pauses is presented again after the next Started", "[Q34]") {
  // Modelling decision: it counts as not delivered, so the pause does not wait for it.
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::worker_wake, 10us}})}});
  int presented = 0;
  pair.host.packet = [&](Arrived& a) {
    if (++presented == 1) {
      pair.machines.start(pair.machines.host, 0, [&] { VmbChannelPause(pair.host.channel); });
      return VmbChannelPacketDeferToPassive(a.packet);
    }
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  // A worker that is on its way to the packet when the pause overtakes it.
  send(pair, 1, 2);
  for (const TwoPartitions::Running& thread : pair.machines.running) CHECK(thread.ended);
  CHECK(pair.on_host([&] {
    VmbChannelPause(pair.host.channel);
    VmbChannelStart(pair.host.channel);
  }));
  CHECK(presented == 3);
  CHECK(pair.guest.returned.size() == 2);
  CHECK(pair.found().empty());
}

// ---- Fail ----

TEST_CASE("PacketFail stops the queue and owes no completion; a new round starts afresh", "[K54][kept][Q9]") {
  // VmbChannelPacketFail. Modelling decision: the sender's transaction ends only at the close.
  ChannelPair pair({.machines = late()});
  pair.host.packet = [&](Arrived& a) {
    if (a.number == 2) return VmbChannelPacketFail(a.packet);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  send(pair, 1, 4);
  CHECK(pair.host.arrived == numbers(1, 2));
  CHECK(pair.guest.returned.size() == 1);
  CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
  REQUIRE(pair.guest.returned.size() == 4);
  for (std::size_t i = 1; i < 4; ++i) CHECK(pair.guest.returned[i].status == STATUS_DEVICE_REMOVED);
  pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
  send(pair, 5, 6);
  CHECK(pair.guest.returned.size() == 6);
  CHECK(pair.found().empty());
}

// ---- Completing ----

TEST_CASE("A packet may be completed by another processor while its callback still runs, and used no more by it",
          "[Q32]") {
  // EVT_VMB_CHANNEL_PROCESS_PACKET: completion at once or later. Modelling decision: from the moment of delivery.
  ChannelPair pair({.machines = {.costs = {}, .host_cpus = 2}});
  VMBPACKETCOMPLETION given = nullptr;
  pair.host.packet = [&](Arrived& a) {
    given = a.packet;
    pair.machines.start(pair.machines.host, 1, [&] { VmbChannelPacketComplete(given, nullptr, 0); });
    pair.machines.host.consume(10us);
    if (a.number == 1) VmbChannelPacketDeferToPassive(a.packet);  // too late: it is completed
    if (a.number == 2) VmbChannelPacketFail(a.packet);
    if (a.number == 3) VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  for (std::uint64_t n = 1; n <= 4; ++n) send(pair, n, n);
  CHECK(pair.guest.returned.size() == 4);
  CHECK(pair.host.arrived == numbers(1, 4));
  CHECK(pair.machines.findings.count("K51") == 3);
  CHECK(pair.machines.findings.all().size() == 3);
}

TEST_CASE("Each mistake with a delivered packet is reported with its rule, and the packet is still completed",
          "[K50][K52][K54][K55]") {
  struct Row {
    const char* rule;
    std::function<void(ChannelPair&, Arrived&)> mistake;
  };
  const Row row = GENERATE(values<Row>({
      {"K55",
       [](ChannelPair&, Arrived& a) {  // VmbChannelPacketGetExternalData: only if the flag was set
         PMDL mdl = nullptr;
         CHECK(VmbChannelPacketGetExternalData(a.packet, 0, &mdl) != STATUS_SUCCESS);
         VmbChannelPacketComplete(a.packet, nullptr, 0);
       }},
      {"K50",
       [](ChannelPair&, Arrived& a) {  // VmbChannelPacketDeferToPassive: do not complete it in this invocation
         if (hw::Processor::current()->irql() == Irql::dispatch) VmbChannelPacketDeferToPassive(a.packet);
         VmbChannelPacketComplete(a.packet, nullptr, 0);
       }},
      {"K52",
       [](ChannelPair& p, Arrived& a) {  // VmbChannelPacketDeferToPassive: in line from the callback
         p.machines.start(p.machines.host, 0, [packet = a.packet] {
           VmbChannelPacketDeferToPassive(packet);
           VmbChannelPacketComplete(packet, nullptr, 0);
         });
       }},
      {"K54",
       [](ChannelPair& p, Arrived& a) {  // VmbChannelPacketFail: during packet processing
         p.machines.start(p.machines.host, 0, [packet = a.packet] {
           VmbChannelPacketFail(packet);
           VmbChannelPacketComplete(packet, nullptr, 0);
         });
       }},
      {"K51",
       [](ChannelPair&, Arrived& a) {
         VmbChannelPacketComplete(a.packet, nullptr, 0);
         VmbChannelPacketComplete(a.packet, nullptr, 0);
       }},
  }));
  ChannelPair pair;
  pair.host.packet = [&](Arrived& a) { row.mistake(pair, a); };
  pair.open();
  send(pair, 1, 1);
  CHECK(pair.machines.findings.count(row.rule) == 1);
  CHECK(pair.machines.findings.all().size() == 1);
  CHECK(pair.guest.returned.size() == 1);
  CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
}

TEST_CASE("Deferring at PASSIVE_LEVEL is pointed out: the packet comes back at the same level", "[K53]") {
  ChannelPair pair({.host_passive = true});
  int presented = 0;
  pair.host.packet = [&](Arrived& a) {
    if (++presented == 1) return VmbChannelPacketDeferToPassive(a.packet);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  send(pair, 1, 1);
  CHECK(presented == 2);
  CHECK(pair.machines.findings.count("K53") == 1);
}

// ---- A peer that cannot be trusted ----

TEST_CASE("Garbage in the ring is one finding of the host; its queue stops and it can still be disabled") {
  // EVT_VMB_CHANNEL_PROCESS_PACKET: content comes from an untrusted peer. EMCL: a corrupt ring is fatal to the channel.
  struct Row {
    const char* what;
    std::function<void(std::byte* control, std::byte* data)> write;
  };
  const auto word = [](std::byte* at, std::uint32_t value) { std::memcpy(at, &value, 4); };
  const Row row = GENERATE_COPY(values<Row>({
      {"In outside the ring", [=](std::byte* control, std::byte*) { word(control, 4096); }},
      {"In between packets", [=](std::byte* control, std::byte*) { word(control, 13); }},
      {"a packet of zeros",
       [=](std::byte* control, std::byte* data) {
         std::memset(data, 0, 4096);
         word(control, 64);
       }},
      {"a packet that never ends",
       [=](std::byte* control, std::byte* data) {
         std::memset(data, 0xFF, 4096);
         word(control, 64);
       }},
  }));
  CAPTURE(row.what);
  ChannelPair pair;
  pair.open();
  const vmbus::RingMemory memory = pair.channel().to_host.writer.memory();
  auto* control = const_cast<std::byte*>(memory.image().data());
  row.write(control, control + page_size);
  pair.machines.host_synic.signal(pair.channel().host_port, {});
  pair.machines.quiesce();
  CHECK(pair.machines.findings.count("RING") == 1);
  CHECK(pair.host.arrived.empty());
  pair.machines.host_synic.signal(pair.channel().host_port, {});
  pair.machines.quiesce();
  CHECK(pair.machines.findings.count("RING") == 1);
  CHECK(pair.on_host([&] { VmbChannelDisable(pair.host.channel); }));
  CHECK(pair.host.disabled());
  CHECK(pair.guest.disabled());
}

TEST_CASE("A reader that breaks Out stops the writer: one finding, and the close ends what waits") {
  ChannelPair pair;
  pair.open();
  auto* control = const_cast<std::byte*>(pair.channel().to_host.writer.memory().image().data());
  pair.on_host([&] { VmbChannelPause(pair.host.channel); });
  send(pair, 1, 40);
  const std::uint32_t out = 5;
  std::memcpy(control + 4, &out, 4);
  pair.machines.guest_synic.signal(pair.channel().guest_port, {});
  pair.machines.quiesce();
  send(pair, 41, 300);
  CHECK(pair.machines.findings.count("RING") == 1);
  CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
  CHECK(pair.guest.returned.size() == 300);
}

TEST_CASE("A packet that no driver sent reaches the driver, a completion nobody waits for is a finding") {
  // EMCL: an unknown transaction id in a completion is fatal misbehaviour of the peer.
  ChannelPair pair;
  pair.open();
  vmbus::RingWriter forger(pair.channel().to_host.writer.memory());  // the guest's memory is the guest's to write
  vmbus::OutgoingPacket packet;
  const std::uint64_t number = 99;
  packet.payload = std::as_bytes(std::span(&number, 1));
  SECTION("a packet") {
    CHECK(std::holds_alternative<vmbus::SignalNeeded>(forger.write(packet)));
    pair.machines.host_synic.signal(pair.channel().host_port, {});
    pair.machines.quiesce();
    CHECK(pair.host.arrived == numbers(99, 99));
    CHECK(pair.found().empty());
  }
  SECTION("a completion") {
    packet.type = vmbus::PacketType::completion;
    packet.transaction_id = 4711;
    CHECK(std::holds_alternative<vmbus::SignalNeeded>(forger.write(packet)));
    pair.machines.host_synic.signal(pair.channel().host_port, {});
    pair.machines.quiesce();
    CHECK(pair.machines.findings.count("RING") == 1);
  }
  CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
}

TEST_CASE("A channel without a ProcessPacket callback answers what arrives with nothing") {
  ChannelPair pair;
  pair.on_host(
      [&] { CHECK(VmbChannelInitSetProcessPacketCallbacks(pair.host.channel, nullptr, nullptr) == STATUS_SUCCESS); });
  pair.open();
  send(pair, 1, 3);
  CHECK(pair.guest.returned.size() == 3);
  CHECK(pair.guest.returned[0].answer.empty());
}

}  // namespace
}  // namespace vmbsim::testing
