// Signals through the whole path: ring, hypercall, event flag, interrupt, DPC; and where the time of a transaction goes.
// Source: EMCL, RingBuffer.c (when to signal); Hyper-V TLFS, event flags (only an edge interrupts); OpenVMM, vmbus_ring.
#include <catch2/catch.hpp>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

TEST_CASE("One transaction step by step: every latency and cost shows once, where it belongs") {
  // Cost by cost in the order of a transaction; the journey's stages are the gaps between them.
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::packet_send, 100ns},
                                                    {&hw::Costs::hypercall, 200ns},
                                                    {&hw::Costs::signal_host, 3000ns},
                                                    {&hw::Costs::signal_guest, 4000ns},
                                                    {&hw::Costs::idle_wake, 500ns},
                                                    {&hw::Costs::isr, 600ns},
                                                    {&hw::Costs::dpc_dispatch, 70ns},
                                                    {&hw::Costs::packet_receive, 80ns},
                                                    {&hw::Costs::packet_complete, 90ns}})}});
  pair.host.packet = [&](Arrived& a) {
    pair.machines.host.consume(1000ns);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  REQUIRE(pair.guest.journeys.size() == 1);
  const vmbus::Journey& journey = pair.guest.journeys[0];
  const std::array<Duration, stage_count> expected = {
      100ns,                   // into the ring
      200ns,                   // the hypercall
      3000ns + 500ns + 600ns,  // on its way, waking the processor, the interrupt routine
      70ns,                    // the DPC begins its pass
      80ns,                    // taken out and handed over
      1000ns,                  // the server
      90ns,                    // the answer into the ring
      200ns,
      4000ns + 500ns + 600ns,
      70ns,
      80ns};
  for (std::size_t i = 0; i < stage_count; ++i) {
    CAPTURE(stage_names[i]);
    CHECK(journey.stage(i) == expected[i]);
  }
  CHECK(journey.ended.back() == pair.guest.returned[0].time);
  const auto to_host = pair.guest.counters().outgoing;
  CHECK(to_host.data_signals == 1);
  CHECK(to_host.space_signals == 0);
  CHECK(to_host.suppressed == 0);
}

TEST_CASE("Only the packet that finds the ring empty signals; the others ride along") {
  // EMCL, PkCompleteInsertion: signal when the old In equals Out.
  const bool mask = GENERATE(false, true);
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::signal_host, 10us}})}, .batching = {.mask = mask}});
  pair.open();
  const std::uint64_t interrupts = pair.machines.host.cpu(CpuId{0}).interrupts();
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 5; ++n) CHECK(pair.guest.send(n) == STATUS_SUCCESS);
  });
  CHECK(pair.guest.counters().outgoing.data_signals == 1);
  CHECK(pair.guest.counters().outgoing.suppressed == 4);
  CHECK(pair.machines.host.cpu(CpuId{0}).interrupts() == interrupts + 1);
  CHECK(pair.host.batches == std::vector<UINT32>{5});
}

TEST_CASE("A full ring is announced as free once, when what waits fits") {
  // EMCL, PkCompleteRemoval: signal when free space passes PendingSendSize.
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::signal_host, 10us}})}});
  pair.open();
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 5; ++n) CHECK(pair.guest.send(n, 1000, 0) == STATUS_SUCCESS);
  });
  CHECK(pair.host.arrived.size() == 5);
  CHECK(pair.host.counters().outgoing.space_signals == 1);
  CHECK(pair.host.counters().outgoing.data_signals == 0);
  CHECK(pair.guest.counters().outgoing.data_signals ==
        2);  // the first packet, and the first after the ring was emptied
}

TEST_CASE("One interrupt means: look at both rings. It brings an answer and room for what waits") {
  // EMCL: the handler of a signal drains the incoming ring, then moves what waits for room.
  ChannelPair pair(
      {.machines = {.costs = costs_of({{&hw::Costs::signal_host, 10us}, {&hw::Costs::signal_guest, 10us}})}});
  pair.open();
  pair.forget();
  const std::uint64_t interrupts = pair.guest.counters().interrupts;
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 4; ++n) CHECK(pair.guest.send(n, 1000) == STATUS_SUCCESS);
  });
  // The host's first pass answers three packets and frees their room: two signals, one event flag, one interrupt.
  CHECK(pair.guest.counters().interrupts == interrupts + 2);
  CHECK(pair.order("guest") == "completed(1) completed(2) completed(3) completed(4)");
  CHECK(pair.host.arrived.size() == 4);
}

TEST_CASE("Signals while the event flag is set make one interrupt; interrupts for nothing do no harm") {
  // TLFS: setting a flag that is set does nothing. LNX: spurious signals are normal.
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::signal_host, 10us}, {&hw::Costs::isr, 1us}})}});
  pair.open();
  pair.forget();
  const std::uint64_t before = pair.host.counters().interrupts;
  const vmbus::Synic::Port port = pair.channel().host_port;
  for (int i = 0; i < 5; ++i) pair.machines.host_synic.signal(port, 10us);
  pair.machines.quiesce();
  CHECK(pair.host.counters().interrupts == before + 1);
  CHECK(pair.order().empty());
  // A flag that an earlier interrupt finds set leaves its own interrupt nothing to do.
  pair.machines.host_synic.signal(port, 10us);
  pair.machines.run_until(pair.machines.world.now().time_since_epoch() + Duration{9'500ns});
  pair.machines.host_synic.signal(pair.machines.host_synic.open(
                                      7, CpuId{0}, 3, [](void*) {}, nullptr),
                                  {});
  pair.machines.quiesce();
  CHECK(pair.machines.host_synic.spurious() <= 1);
  CHECK(pair.host.counters().interrupts == before + 2);
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(pair.guest.returned.size() == 1);
  CHECK(pair.found().empty());
}

TEST_CASE("With InterruptMask held during a pass the sender signals less, and nothing is lost") {
  // EMCL: InterruptMask non-zero means: do not interrupt me for new data.
  std::array<std::uint64_t, 2> signals{};
  for (const bool mask : {false, true}) {
    ChannelPair pair(
        {.machines = {.costs = costs_of({{&hw::Costs::hypercall, 100ns}, {&hw::Costs::packet_receive, 500ns}}),
                      .host_cpus = 2},
         .to_host = {4},
         .to_guest = {4},
         .batching = {.mode = kmcl::Batching::Mode::none, .mask = mask},
         .quiet = true});
    pair.host.batch_over = [&](UINT32) { pair.machines.host.consume(1us); };  // the ring is empty, the pass is not over
    pair.open();
    pair.on_guest([&] {
      for (std::uint64_t n = 1; n <= 200; ++n) {
        CHECK(pair.guest.send(n, 8, 0) == STATUS_SUCCESS);
        pair.machines.guest.consume(1200ns);
      }
    });
    CHECK(pair.host.arrived.size() == 200);
    CHECK(pair.rings_empty());
    signals[mask ? 1 : 0] = pair.guest.counters().outgoing.data_signals;
  }
  CHECK(signals[1] < signals[0]);
}

TEST_CASE("Stages add up to the latency and never run backwards, for riders, waiters and those sent before the open") {
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::signal_host, 7us},
                                                    {&hw::Costs::signal_guest, 5us},
                                                    {&hw::Costs::control_message, 20us},
                                                    {&hw::Costs::hypercall, 1us},
                                                    {&hw::Costs::packet_receive, 300ns}})}});
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 30; ++n) CHECK(pair.guest.send(n, 1000) == STATUS_SUCCESS);
  });
  pair.open();
  pair.on_guest([&] {
    for (std::uint64_t n = 31; n <= 60; ++n) CHECK(pair.guest.send(n, 1000) == STATUS_SUCCESS);
  });
  REQUIRE(pair.guest.journeys.size() == 60);
  for (std::size_t n = 0; n < 60; ++n) {
    const vmbus::Journey& journey = pair.guest.journeys[n];
    Duration sum{};
    for (std::size_t i = 0; i < stage_count; ++i) {
      REQUIRE(journey.stage(i).count() >= 0);
      sum += journey.stage(i);
    }
    CHECK(sum == journey.latency());
    CHECK(journey.ended.back() == pair.guest.returned[n].time);
  }
}

TEST_CASE("Subchannels are channels of their own: own processors, own rings, own order of opening", "[Q26]") {
  // Linux, vmbus_request_offers and sub-channel offers: each has its relid and its target processor.
  const PairConfig config{
      .machines = {.costs = costs_of({{&hw::Costs::signal_host, 1us}}), .host_cpus = 2, .guest_cpus = 2}};
  ChannelPair primary(config);
  PairConfig second = config;
  second.subchannel = 1;
  second.host_target = second.guest_target = 1;
  ChannelPair sub(primary.machines, second);
  primary.open();
  CHECK(sub.order().empty());
  sub.open();
  CHECK(primary.machines.bus.offer_of(sub.guest.endpoint())->relid() !=
        primary.machines.bus.offer_of(primary.guest.endpoint())->relid());
  primary.on_guest([&] { CHECK(primary.guest.send(1) == STATUS_SUCCESS); });
  sub.on_guest([&] { CHECK(sub.guest.send(1) == STATUS_SUCCESS); }, 1);
  CHECK(primary.guest.returned.size() == 1);
  CHECK(sub.guest.returned.size() == 1);
  for (const Callback& callback : sub.log)
    if (callback.what == "host:packet(1)") CHECK(callback.processor == "host.cpu1");
  for (const Callback& callback : primary.log)
    if (callback.what == "host:packet(1)") CHECK(callback.processor == "host.cpu0");
}

TEST_CASE("A guest opens as many channels as there are relids, and one more is refused") {
  // TLFS: 2048 event flags, and relid 0 is the control path.
  ChannelPair first({.instance = 1});
  std::vector<std::unique_ptr<ChannelPair>> pairs;
  for (ULONG i = 2; i <= vmbus::Bus::last_relid; ++i)
    pairs.push_back(std::make_unique<ChannelPair>(first.machines, PairConfig{.quiet = true, .instance = i}));
  for (const auto& pair : pairs) pair->open();
  first.open();
  for (const auto& pair : pairs) REQUIRE(pair->open_status == STATUS_SUCCESS);
  ChannelPair beyond(first.machines, {.instance = 5000});
  beyond.on_host([&] { CHECK(beyond.host.enable() == STATUS_INSUFFICIENT_RESOURCES); });
  for (const auto& pair : pairs)
    first.machines.start(first.machines.guest, 0, [&] { CHECK(pair->guest.send(1) == STATUS_SUCCESS); });
  first.machines.quiesce();
  for (const auto& pair : pairs) REQUIRE(pair->guest.returned.size() == 1);
  CHECK(first.found().empty());
}

}  // namespace
}  // namespace vmbsim::testing
