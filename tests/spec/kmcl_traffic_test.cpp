// Traffic of every shape over the smallest rings: what holds however requests, answers, processors and policies meet.
// Source: KMCL DDI: each ProcessPacket is answered by one VmbChannelPacketComplete, each send by one completion routine.
// Modelling decisions: one packet at a time per channel, in ring order; nothing overtakes what waits.
#include <catch2/catch.hpp>

#include "tests/support/random_machines.hpp"

namespace vmbsim::testing {
namespace {

/// One end's driver: sends from several processors, keeps some of what it gets, answers in its own order from any processor.
struct Party {
  Party(ChannelPair& p, End& e, os::Partition& at, RandomChoices& r) : pair(p), end(e), partition(at), random(r) {}

  void set_up() {
    end.packet = [this](Arrived& a) {
      if (inside++ != 0) overlaps = true;  // modelling decision: one dispatcher per channel
      partition.consume(Duration{random.draw(2000)});
      const std::uint32_t fate = random.draw(10);
      if (fate == 0 && hw::Processor::current()->irql() == Irql::dispatch && deferred != a.number) {
        deferred = a.number;
        end.arrived.pop_back();  // it comes again
        VmbChannelPacketDeferToPassive(a.packet);
      } else if (fate < 4) {
        kept.push_back(a.packet);
      } else {
        VmbChannelPacketComplete(a.packet, a.buffer, random.draw(2) != 0 ? a.length : 0);
      }
      --inside;
    };
  }
  void send_some(std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t n = first; n < first + count; ++n) {
      const bool raised = random.draw(2) != 0;
      KIRQL before = 0;
      if (raised) before = KeRaiseIrqlToDpcLevel();
      if (end.send(n, 8 + random.draw(1400), random.draw(4) != 0 ? wait_flag : 0) == STATUS_SUCCESS) ++sent;
      if (raised) KeLowerIrql(before);
      if (random.draw(4) == 0) pause(100);
    }
  }
  void answer_until(const bool& over) {
    while (!over || !kept.empty()) {
      if (kept.empty()) {
        pause(2000);
      } else {
        const std::size_t which = random.draw(static_cast<std::uint32_t>(kept.size()));
        VMBPACKETCOMPLETION packet = kept[which];
        kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(which));
        VmbChannelPacketComplete(packet, nullptr, 0);
        pause(100);
      }
    }
  }
  void pause(std::uint32_t most_100ns) {
    LARGE_INTEGER span;
    span.QuadPart = -1 - static_cast<LONGLONG>(random.draw(most_100ns));
    KeDelayExecutionThread(KernelMode, FALSE, &span);
  }

  ChannelPair& pair;
  End& end;
  os::Partition& partition;
  RandomChoices& random;
  std::vector<VMBPACKETCOMPLETION> kept;
  std::uint64_t deferred = 0;
  std::uint32_t sent = 0;
  int inside = 0;
  bool overlaps = false;
};

void check(const Party& from, const Party& to) {
  const std::vector<Returned>& returned = from.end.returned;
  REQUIRE(returned.size() == from.sent);
  std::vector<bool> over(from.sent + 1, false);
  for (const Returned& r : returned) {
    REQUIRE(r.status == STATUS_SUCCESS);
    REQUIRE(r.irql <= Irql::dispatch);
    REQUIRE_FALSE(over[r.number]);
    over[r.number] = true;
  }
  REQUIRE(to.end.arrived.size() == from.sent);
  REQUIRE(to.inside == 0);
  REQUIRE_FALSE(to.overlaps);
}

TEST_CASE("Every packet arrives once and is completed once, whatever meets whatever on the smallest rings", "[Q6]") {
  std::uint64_t full = 0, suppressed = 0, deferred = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    RandomChoices random(seed);
    const PairConfig config = drawn_pair(random, seed);
    ChannelPair pair(config);
    Party host(pair, pair.host, pair.machines.host, random);
    Party guest(pair, pair.guest, pair.machines.guest, random);
    host.set_up();
    guest.set_up();
    pair.open();
    constexpr std::uint32_t each = 40;
    bool over = false;
    std::uint32_t senders = 0;
    for (Party* party : {&host, &guest}) {
      const std::uint32_t cpus = party->partition.cpu_count();
      for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
        ++senders;
        pair.machines.start(party->partition, cpu, [&, party, cpu] {
          party->send_some(1 + cpu * each, each);
          --senders;
        });
      }
      pair.machines.start(party->partition, cpus - 1, [&, party] { party->answer_until(over); });
    }
    pair.machines.run_until(50ms);
    REQUIRE(senders == 0);
    over = true;
    pair.machines.quiesce();
    REQUIRE(pair.found() == "");
    check(host, guest);
    check(guest, host);
    REQUIRE(pair.rings_empty());
    for (const vmbus::Journey& journey : pair.guest.journeys)
      for (std::size_t i = 0; i < stage_count; ++i) REQUIRE(journey.stage(i).count() >= 0);
    full += pair.guest.counters().outgoing_full + pair.host.counters().outgoing_full;
    suppressed += pair.guest.counters().outgoing.suppressed;
    deferred += host.deferred + guest.deferred;
    // One sending processor: the order of delivery is the order of the sends.
    if (config.machines.guest_cpus == 1) REQUIRE(std::is_sorted(pair.host.arrived.begin(), pair.host.arrived.end()));
    if (config.machines.host_cpus == 1) REQUIRE(std::is_sorted(pair.guest.arrived.begin(), pair.guest.arrived.end()));
  }
  CHECK(full > 1000);  // the seeds do meet what they are for
  CHECK(suppressed > 1000);
  CHECK(deferred > 1000);
}

TEST_CASE("A close at any moment of dense traffic ends every transaction and leaves nothing behind") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    RandomChoices random(seed * 7919);
    ChannelPair pair(drawn_pair(random, seed));
    Party host(pair, pair.host, pair.machines.host, random);
    Party guest(pair, pair.guest, pair.machines.guest, random);
    host.set_up();
    guest.set_up();
    pair.machines.findings.set_severity(*find_rule("K31"), Severity::off);  // these drivers send whatever happens
    pair.open();
    bool over = false;
    std::uint32_t senders = 0;
    for (Party* party : {&host, &guest}) {
      const std::uint32_t cpus = party->partition.cpu_count();
      for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
        ++senders;
        pair.machines.start(party->partition, cpu, [&, party, cpu] {
          party->send_some(1 + cpu * 40, 40);
          --senders;
        });
      }
      pair.machines.start(party->partition, 0, [&, party] { party->answer_until(over); });
    }
    const std::uint32_t who = random.draw(3);
    const auto close = [&](End& end) {
      LARGE_INTEGER span;
      span.QuadPart = -1 - static_cast<LONGLONG>(random.draw(5000));
      KeDelayExecutionThread(KernelMode, FALSE, &span);
      VmbChannelDisable(end.channel);
    };
    if (who != 0) pair.machines.start(pair.machines.host, 0, [&] { close(pair.host); });
    if (who != 1) pair.machines.start(pair.machines.guest, 0, [&] { close(pair.guest); });
    pair.machines.run_until(50ms);
    REQUIRE(senders == 0);
    over = true;
    pair.machines.quiesce();
    for (const TwoPartitions::Running& thread : pair.machines.running) REQUIRE(thread.ended);
    REQUIRE(pair.guest.disabled());
    REQUIRE(pair.host.disabled() == (who != 0));
    REQUIRE(pair.found() == "");
    REQUIRE(pair.machines.bus.gpadls().count() == 0);
    // What was sent after the close is still held; the next round takes it all.
    if (who != 0)
      pair.on_host([&] {
        CHECK(pair.host.enable() == STATUS_SUCCESS);
        VmbChannelStart(pair.host.channel);
      });
    over = false;
    for (Party* party : {&host, &guest})
      pair.machines.start(party->partition, 0, [&, party] { party->answer_until(over); });
    pair.machines.start(pair.machines.guest, 0, [&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
    pair.machines.run_until(100ms);
    over = true;
    pair.machines.quiesce();
    while (!host.kept.empty() ||
           !guest.kept.empty()) {  // what came while every worker thread waited, and a new one was due
      for (Party* party : {&host, &guest})
        pair.machines.start(party->partition, 0, [&, party] { party->answer_until(over); });
      pair.machines.quiesce();
    }
    REQUIRE(pair.found() == "");
    for (Party* party : {&host, &guest}) REQUIRE(party->end.returned.size() == party->sent);
    REQUIRE(pair.rings_empty());
  }
}

}  // namespace
}  // namespace vmbsim::testing
