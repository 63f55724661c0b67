// How a channel comes and goes, one end beside the other.
// Source: KMCL DDI (vmbuskernelmodeclientlibapi.h), the header's state model and the page of each function and callback named.
#include <catch2/catch.hpp>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

const std::string opening_host = "Opened Started PostStarted";
const std::string closing = "Suspend Closed";

hw::Costs slow_messages() { return costs_of({{&hw::Costs::control_message, 10us}}); }

TEST_CASE("An enabled and started pair opens: Opened, Started, PostStarted, the host's Opened first",
          "[K01][K05][K06][K08][K13][K15][K17][kept][T7]") {
  // EVT_VMB_CHANNEL_OPENED, _STARTED, _POST_STARTED: both endpoints get them, in this order.
  ChannelPair pair;
  pair.open();
  CHECK(pair.open_status == STATUS_SUCCESS);
  CHECK(pair.order("host") == opening_host);
  CHECK(pair.order("guest") == opening_host);
  CHECK(pair.log.front().what == "host:Opened");
  for (const Callback& callback : pair.log) CHECK(callback.irql == Irql::passive);
  CHECK(pair.found().empty());
}

TEST_CASE("A request goes to the host and its answer comes back", "[K70][K75][K84][kept]") {
  ChannelPair pair;
  pair.open();
  pair.forget();
  CHECK(pair.on_guest([&] { CHECK(pair.guest.send(1, 24) == STATUS_SUCCESS); }));
  CHECK(pair.order() == "host:packet(1) host:batch(1) guest:completed(1)");
  REQUIRE(pair.guest.returned.size() == 1);
  CHECK(pair.guest.returned[0].answer == pair.guest.bytes_of(1));
  CHECK(pair.rings_empty());
  CHECK(pair.found().empty());
}

TEST_CASE("A client may be enabled before the offer exists, and waits for it", "[T5]") {
  // VmbChannelEnable: takes up an offer that exists, or waits for one to arrive; returns at once.
  ChannelPair pair;
  CHECK(pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); }));
  CHECK(pair.order().empty());
  CHECK(pair.on_host([&] {
    CHECK(pair.host.enable() == STATUS_SUCCESS);
    VmbChannelStart(pair.host.channel);
  }));
  CHECK(pair.order("host") == opening_host);
  CHECK(pair.order("guest") == opening_host);
}

TEST_CASE("A host that was not started opens without traffic; Start begins it", "[K20][kept][T8][T10][Q2]") {
  // State model: traffic flows only while the channel is open and active. Modelling decision: Started fires when both hold.
  ChannelPair pair;
  pair.on_host([&] { CHECK(pair.host.enable() == STATUS_SUCCESS); });
  pair.on_guest([&] {
    CHECK(pair.guest.enable() == STATUS_SUCCESS);
    CHECK(pair.guest.send(1) == STATUS_SUCCESS);
  });
  CHECK(pair.order("host") == "Opened");
  CHECK(pair.order("guest") == opening_host);
  CHECK(pair.on_host([&] { VmbChannelStart(pair.host.channel); }));
  // EVT_VMB_CHANNEL_POST_STARTED: the queue is on already, so packets may come first.
  CHECK(pair.order("host") == "Opened Started packet(1) batch(1) PostStarted");
  CHECK(pair.order("guest") == "Opened Started PostStarted completed(1)");
}

TEST_CASE("A client that was paused while disabled comes up paused, once", "[T3][T8][T10]") {
  // VmbChannelPause: on a disabled channel it records that the channel is to come up paused.
  ChannelPair pair;
  pair.on_guest([&] { VmbChannelPause(pair.guest.channel); });
  pair.open();
  CHECK(pair.order("guest") == "Opened");
  CHECK(pair.on_guest([&] { VmbChannelStart(pair.guest.channel); }));
  CHECK(pair.order("guest") == opening_host);
  CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
  pair.forget();
  pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
  CHECK(pair.order("guest") == opening_host);
  CHECK(pair.found().empty());
}

TEST_CASE("A guest's Opened that fails leaves the client disabled and the host's offer open to another try",
          "[T9][Q3]") {
  // EVT_VMB_CHANNEL_OPENED: failure rolls the channel back to a state without traffic.
  // Modelling decision: no Started, no Closed at that end; the client goes to disabled.
  ChannelPair pair;
  pair.guest.opened = [] { return STATUS_UNSUCCESSFUL; };
  pair.open();
  CHECK(pair.order("guest") == "Opened");
  CHECK(pair.order("host") == "Opened Started PostStarted Suspend Closed");
  CHECK(pair.guest.disabled());
  pair.guest.opened = nullptr;
  pair.forget();
  pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
  CHECK(pair.order("guest") == opening_host);
  CHECK(pair.order("host") == opening_host);
  CHECK(pair.found().empty());
}

TEST_CASE("A host's Opened that fails refuses the open: the client ends disabled, the host goes on offering",
          "[T9][Q3]") {
  ChannelPair pair;
  pair.host.opened = [] { return STATUS_UNSUCCESSFUL; };
  pair.open();
  CHECK(pair.order() == "host:Opened");
  CHECK(pair.guest.disabled());
  CHECK_FALSE(pair.host.disabled());
  pair.host.opened = nullptr;
  pair.forget();
  pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
  CHECK(pair.order("guest") == opening_host);
  CHECK(pair.found().empty());
}

TEST_CASE("The guest's Disable closes both ends: Suspend, Closed; the host can be opened again", "[T12][T14]") {
  // VmbChannelDisable: blocks until the channel is suspended, drained and closed. EVT_VMB_CHANNEL_CLOSED: server still offered.
  ChannelPair pair;
  pair.open();
  for (int round = 0; round < 3; ++round) {
    pair.forget();
    CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
    CHECK(pair.order("guest") == closing);
    CHECK(pair.order("host") == closing);
    CHECK(pair.guest.disabled());
    CHECK_FALSE(pair.host.disabled());
    pair.forget();
    CHECK(pair.on_guest([&] {
      CHECK(pair.guest.enable() == STATUS_SUCCESS);
      CHECK(pair.guest.send(static_cast<std::uint64_t>(round) + 1) == STATUS_SUCCESS);
    }));
    CHECK(pair.guest.returned.size() == static_cast<std::size_t>(round) + 1);
  }
  CHECK(pair.found().empty());
}

TEST_CASE("The host's Disable rescinds: both ends close and are disabled; each needs another Enable",
          "[T13][T15][Q25]") {
  // VmbChannelDisable (server): revokes the offer. EVT_VMB_CHANNEL_CLOSED: a client always needs a new Enable.
  ChannelPair pair;
  pair.open();
  pair.forget();
  CHECK(pair.on_host([&] { VmbChannelDisable(pair.host.channel); }));
  CHECK(pair.order("host") == closing);
  CHECK(pair.order("guest") == closing);
  CHECK(pair.host.disabled());
  CHECK(pair.guest.disabled());
  CHECK(pair.machines.bus.offer_count() == 0);
  pair.forget();
  pair.open();
  CHECK(pair.open_status == STATUS_SUCCESS);
  CHECK(pair.order("host") == opening_host);
  CHECK(pair.order("guest") == opening_host);
  CHECK(pair.found().empty());
}

TEST_CASE("A rescind before the client is open calls nobody; the client goes on waiting", "[T13][Q24]") {
  // Modelling decision: rescind while enabled and not open: no callbacks, the client keeps waiting for an offer.
  ChannelPair pair({.machines = {.costs = slow_messages()}});
  pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
  // The offer is on its way, or its rings are being shared, or the open is under way.
  for (const Duration when : {Duration{5us}, Duration{15us}, Duration{25us}, Duration{35us}}) {
    CAPTURE(when.count());
    pair.forget();
    pair.on_host([&] {
      CHECK(pair.host.enable() == STATUS_SUCCESS);
      VmbChannelStart(pair.host.channel);
      LARGE_INTEGER span;
      span.QuadPart = -when.count() / 100;
      KeDelayExecutionThread(KernelMode, FALSE, &span);
      VmbChannelDisable(pair.host.channel);
    });
    CHECK(pair.host.disabled());
    CHECK_FALSE(pair.guest.disabled());
    CHECK(pair.order("guest").empty());
    CHECK(pair.machines.bus.offer_count() == 0);
    CHECK(pair.machines.bus.gpadls().count() == 0);
  }
  pair.forget();
  pair.on_host([&] {
    CHECK(pair.host.enable() == STATUS_SUCCESS);
    VmbChannelStart(pair.host.channel);
  });
  CHECK(pair.order("guest") == opening_host);
  CHECK(pair.found().empty());
}

TEST_CASE("Disable and rescind may meet at any moment of a channel's life: both return, nothing is left behind") {
  // VmbChannelDisable: blocks until the channel is fully torn down. The two ends know nothing of each other's haste.
  for (int guest_at = 0; guest_at <= 90; guest_at += 5)
    for (int host_at = 0; host_at <= 90; host_at += 5) {
      CAPTURE(guest_at, host_at);
      ChannelPair pair({.machines = {.costs = slow_messages()}, .quiet = true});
      const auto after = [&](int us, VMBCHANNEL channel) {
        LARGE_INTEGER span;
        span.QuadPart = -10 * us;
        if (us != 0) KeDelayExecutionThread(KernelMode, FALSE, &span);
        VmbChannelDisable(channel);
      };
      auto& host = pair.machines.start(pair.machines.host, 0, [&] {
        CHECK(pair.host.enable() == STATUS_SUCCESS);
        VmbChannelStart(pair.host.channel);
        after(host_at, pair.host.channel);
      });
      auto& guest = pair.machines.start(pair.machines.guest, 0, [&] {
        CHECK(pair.guest.enable() == STATUS_SUCCESS);
        after(guest_at, pair.guest.channel);
      });
      pair.machines.quiesce();
      REQUIRE(host.ended);
      REQUIRE(guest.ended);
      REQUIRE(pair.host.disabled());
      REQUIRE(pair.guest.disabled());
      REQUIRE(pair.machines.bus.offer_count() == 0);
      REQUIRE(pair.machines.bus.gpadls().count() == 0);
      REQUIRE(pair.found() == "");
      pair.open();  // and everything can begin again
      REQUIRE_FALSE(pair.guest.disabled());
      REQUIRE(pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); }));
      REQUIRE(pair.guest.returned.size() == 1);
    }
}

TEST_CASE("Pause waits for the packets that were delivered; Start goes on where it stopped",
          "[K18][K19][K31][K35][K50][kept][T11]") {
  // VmbChannelPause: blocks until Suspend was called and no incoming packet is outstanding. EVT_VMB_CHANNEL_SUSPEND: no packet
  // callback runs from its invocation until the next Started.
  ChannelPair pair;
  std::vector<VMBPACKETCOMPLETION> kept;
  pair.host.packet = [&](Arrived& a) { kept.push_back(a.packet); };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  pair.forget();
  CHECK_FALSE(pair.on_host([&] {
    VmbChannelPause(pair.host.channel);
    pair.log.push_back({{}, {}, {}, "host:paused"});
  }));
  CHECK(pair.order() == "host:Suspend");
  pair.on_guest([&] { CHECK(pair.guest.send(2) == STATUS_SUCCESS); });  // stays in the ring
  CHECK(pair.order() == "host:Suspend");
  pair.on_host([&] { VmbChannelPacketComplete(kept[0], nullptr, 0); });
  CHECK(pair.order("host") == "Suspend paused");
  CHECK(pair.order("guest") == "completed(1)");
  pair.forget();
  CHECK(pair.on_host([&] { VmbChannelStart(pair.host.channel); }));
  CHECK(pair.order("host") == "Started packet(2) batch(1) PostStarted");
  CHECK(pair.found().empty());
}

TEST_CASE("A guest that closes waits for the packets it has; the host gets Closed after its own are completed",
          "[T12][T14][Q16]") {
  // EVT_VMB_CHANNEL_SUSPEND: KMCL waits until every delivered packet is completed. EVT_VMB_CHANNEL_CLOSED: after the drain.
  ChannelPair pair;
  std::vector<VMBPACKETCOMPLETION> at_host, at_guest;
  pair.host.packet = [&](Arrived& a) { at_host.push_back(a.packet); };
  pair.guest.packet = [&](Arrived& a) { at_guest.push_back(a.packet); };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  pair.on_host([&] { CHECK(pair.host.send(1) == STATUS_SUCCESS); });
  pair.forget();
  CHECK_FALSE(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
  CHECK(pair.order() == "guest:Suspend");
  pair.on_guest([&] { VmbChannelPacketComplete(at_guest[0], nullptr, 0); });
  CHECK(pair.order() == "guest:Suspend host:completed(1) host:Suspend");
  CHECK_FALSE(pair.guest.disabled());
  pair.on_host([&] { VmbChannelPacketComplete(at_host[0], nullptr, 0); });
  // Modelling decision: on an orderly close the answers that the host still gave reach the guest.
  CHECK(pair.order("host") == "completed(1) Suspend Closed");
  CHECK(pair.order("guest") == "Suspend completed(1) Closed");
  CHECK(pair.guest.disabled());
  CHECK(pair.found().empty());
}

TEST_CASE("Answers that the host gave before it let go reach the guest, even when its interrupt comes too late") {
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::signal_guest, 1ms}})}});
  std::vector<VMBPACKETCOMPLETION> at_host;
  pair.host.packet = [&](Arrived& a) { at_host.push_back(a.packet); };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK_FALSE(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
  pair.on_host([&] { VmbChannelPacketComplete(at_host[0], nullptr, 0); });
  REQUIRE(pair.guest.returned.size() == 1);
  CHECK(pair.guest.returned[0].status == STATUS_SUCCESS);
  CHECK(pair.guest.disabled());
  CHECK(pair.found().empty());
}

TEST_CASE("A host that disables ends the guest's transactions in every state with STATUS_DEVICE_REMOVED before Closed",
          "[T13][T15][Q15][Q16]") {
  // Modelling decision: at a close KMCL completes what nobody will answer, after Suspend and before Closed.
  ChannelPair pair({.machines = {.costs = slow_messages()}});
  std::vector<VMBPACKETCOMPLETION> at_host;
  pair.host.packet = [&](Arrived& a) { at_host.push_back(a.packet); };
  pair.on_host([&] { VmbChannelSetTransactionQuota(pair.host.channel, 1); });
  pair.open();
  // 1 is delivered, 2 to 4 lie in the ring, 5 and 6 wait for room.
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 6; ++n) CHECK(pair.guest.send(n, 1000) == STATUS_SUCCESS);
  });
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1});
  CHECK(pair.guest.counters().outgoing_full >= 1);
  pair.forget();
  CHECK_FALSE(pair.on_host([&] { VmbChannelDisable(pair.host.channel); }));
  CHECK(pair.order("guest") == "Suspend removed(1) removed(2) removed(3) removed(4) removed(5) removed(6)");
  for (const Returned& r : pair.guest.returned) CHECK(r.status == STATUS_DEVICE_REMOVED);
  CHECK(pair.on_host([&] { VmbChannelPacketComplete(at_host[0], nullptr, 0); }));
  CHECK(pair.order("host") == closing);
  CHECK(pair.log.back().what == "guest:Closed");
  CHECK(pair.host.disabled());
  CHECK(pair.guest.disabled());
  CHECK(pair.found().empty());
}

TEST_CASE("Sends before the open and during a pause are queued, and go out in order when traffic starts", "[K31]") {
  // VmbPacketSend: packets sent before the channel is opened are queued. EVT_VMB_CHANNEL_STARTED: sends queue packets.
  ChannelPair pair;
  pair.guest.started = [&] { CHECK(pair.guest.send(3) == STATUS_SUCCESS); };
  pair.on_guest([&] {
    CHECK(pair.guest.send(1) == STATUS_SUCCESS);
    CHECK(pair.guest.send(2, 8, 0) == STATUS_SUCCESS);
  });
  pair.open();
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(pair.guest.returned.size() == 3);
  pair.guest.started = nullptr;
  pair.on_guest([&] { VmbChannelPause(pair.guest.channel); });
  pair.on_guest([&] { CHECK(pair.guest.send(4) == STATUS_SUCCESS); });
  CHECK(pair.host.arrived.size() == 3);
  pair.on_guest([&] { VmbChannelStart(pair.guest.channel); });
  CHECK(pair.host.arrived.size() == 4);
  CHECK(pair.machines.findings.count("K31") == 1);
  CHECK(pair.machines.findings.all().size() == 1);
}

TEST_CASE("What is sent after the close waits for the next open; what a close interrupts does not", "[Q17]") {
  // EVT_VMB_CHANNEL_CLOSED: packets sent after it are queued, not transmitted.
  ChannelPair pair;
  pair.open();
  pair.guest.suspend = [&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); };
  pair.guest.completed = [&](Returned& r) {
    VmbPacketFree(r.packet);
    if (r.number == 1) {
      CHECK(r.status == STATUS_DEVICE_REMOVED);
      CHECK(pair.guest.send(2) == STATUS_SUCCESS);  // again from inside the routine: another round's business
    }
  };
  CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
  pair.guest.suspend = nullptr;
  pair.on_guest([&] { CHECK(pair.guest.send(3) == STATUS_SUCCESS); });
  CHECK(pair.guest.returned.size() == 1);
  pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{2, 3});
  CHECK(pair.machines.findings.count("K31") == 2);
  CHECK(pair.machines.findings.all().size() == 2);
}

TEST_CASE("Start, Pause and Disable inside a state callback are reported, not waited for", "[K18][K19]") {
  // The header: Start and Pause never in a state-change callback. VmbChannelDisable there would wait for itself.
  for (const char* where : {"opened", "started", "post_started", "suspend", "closed"})
    for (const char* call : {"Start", "Pause", "Disable"}) {
      CAPTURE(where, call);
      ChannelPair pair;
      const auto misuse = [&] {
        if (*call == 'S') VmbChannelStart(pair.guest.channel);
        if (*call == 'P') VmbChannelPause(pair.guest.channel);
        if (*call == 'D') VmbChannelDisable(pair.guest.channel);
      };
      if (std::string(where) == "opened")
        pair.guest.opened = [&] {
          misuse();
          return STATUS_SUCCESS;
        };
      if (std::string(where) == "started") pair.guest.started = misuse;
      if (std::string(where) == "post_started") pair.guest.post_started = misuse;
      if (std::string(where) == "suspend") pair.guest.suspend = misuse;
      if (std::string(where) == "closed") pair.guest.closed = misuse;
      pair.open();
      CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
      CHECK(pair.guest.disabled());
      CHECK(pair.machines.findings.count(*call == 'D' ? "K19" : "K18") == 1);
      CHECK(pair.machines.findings.all().size() == 1);
    }
}

TEST_CASE("Pause and Disable inside a packet callback are reported: they would wait for the packet that calls") {
  // Blocking needs PASSIVE_LEVEL and a context other than the channel's own callbacks (follows from what the calls wait for).
  const bool passive = GENERATE(false, true);
  ChannelPair pair({.host_passive = passive});
  pair.host.packet = [&](Arrived& a) {
    VmbChannelPause(pair.host.channel);
    VmbChannelDisable(pair.host.channel);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(pair.guest.returned.size() == 1);
  CHECK(pair.machines.findings.count(passive ? "K19" : "IRQL") == 2);
}

TEST_CASE("Misuse of the life cycle is reported with its rule", "[K01][K03][K15][K17][K26]") {
  struct Row {
    const char* rule;
    std::function<void(ChannelPair&)> misuse;
  };
  const Row row = GENERATE(values<Row>({
      {"K15",
       [](ChannelPair& p) { CHECK(p.guest.enable() != STATUS_SUCCESS); }},  // VmbChannelEnable: only from disabled
      {"K03", [](ChannelPair& p) { VmbChannelCleanup(p.guest.channel); }},  // VmbChannelCleanup: only while disabled
      {"K26", [](ChannelPair& p) { VmbChannelSetTransactionQuota(p.guest.channel, 0); }},
      {"K17",
       [](ChannelPair& p) {
         VmbChannelDisable(p.guest.channel);
         VmbChannelStart(p.guest.channel);
       }},
      {"K17",
       [](ChannelPair& p) {
         VmbChannelDisable(p.guest.channel);
         VmbChannelDisable(p.guest.channel);
       }},
      {"IRQL",
       [](ChannelPair& p) {
         const KIRQL before = KeRaiseIrqlToDpcLevel();
         VmbChannelDisable(p.guest.channel);
         KeLowerIrql(before);
       }},
      {"K01",
       [](ChannelPair& p) {
         const KIRQL before = KeRaiseIrqlToDpcLevel();
         VMBCHANNEL channel = nullptr;
         CHECK(VmbChannelAllocate(&p.guest.device.object, FALSE, &channel) != STATUS_SUCCESS);  // PASSIVE_LEVEL exactly
         CHECK(channel == nullptr);
         KeLowerIrql(before);
       }},
  }));
  ChannelPair pair;
  pair.open();
  CHECK(pair.on_guest([&] { row.misuse(pair); }));
  CHECK(pair.machines.findings.count(row.rule) == 1);
  CHECK(pair.machines.findings.all().size() == 1);
}

TEST_CASE("A disabled channel is cleaned up; packets still in use are reported", "[T17]") {
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); });
  SECTION("all given back") {
    pair.on_guest([&] { VmbChannelCleanup(pair.guest.channel); });
    CHECK(pair.found().empty());
  }
  SECTION("one still out") {
    pair.on_guest([&] {
      CHECK(VmbPacketAllocate(pair.guest.channel) != nullptr);
      VmbChannelCleanup(pair.guest.channel);
    });
    CHECK(pair.machines.findings.count("K77") == 1);
  }
}

TEST_CASE("A client whose Disable comes after the host's rescind is not to blame") {
  // The peer may close at any moment, so the driver cannot know that its channel is disabled already.
  ChannelPair pair;
  pair.open();
  CHECK(pair.on_host([&] { VmbChannelDisable(pair.host.channel); }));
  CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
  CHECK(pair.found().empty());
}

TEST_CASE(
    "Rings larger than the guest may share are refused: a finding, and the channel ends disabled, ready for less") {
  // Linux, Documentation/virt/hyperv/vmbus.rst: about 1280 MiB of GPADLs per guest.
  ChannelPair pair({.to_host = {200'000}, .to_guest = {200'000}});
  pair.open();
  CHECK(pair.machines.findings.count("GPADL") == 1);
  CHECK(pair.guest.disabled());
  CHECK(pair.order().empty());
  CHECK(pair.machines.bus.gpadls().count() == 0);
  pair.on_guest([&] {
    CHECK(VmbClientChannelInitSetRingBufferPageCount(pair.guest.channel, 1, 1) == STATUS_SUCCESS);
    CHECK(pair.guest.enable() == STATUS_SUCCESS);
  });
  CHECK(pair.order("guest") == opening_host);
  CHECK(pair.machines.findings.all().size() == 1);
}

TEST_CASE("A relid is used again only after the guest has given it back", "[Q25]") {
  // Linux, vmbus_process_rescind; CHANNELMSG_RELID_RELEASED.
  ChannelPair pair({.machines = {.costs = slow_messages()}});
  pair.open();
  const std::uint32_t first = pair.machines.bus.offer_of(pair.guest.endpoint())->relid();
  std::vector<VMBPACKETCOMPLETION> kept;
  pair.guest.packet = [&](Arrived& a) { kept.push_back(a.packet); };
  pair.on_host([&] { CHECK(pair.host.send(1) == STATUS_SUCCESS); });
  CHECK(pair.on_host([&] {
    VmbChannelDisable(pair.host.channel);
    CHECK(pair.host.enable() == STATUS_SUCCESS);  // while the guest still holds on to the old one
  }));
  CHECK(pair.machines.bus.offer_count() == 2);
  pair.on_guest([&] { VmbChannelPacketComplete(kept[0], nullptr, 0); });
  CHECK(pair.machines.bus.offer_count() == 1);
  CHECK(pair.guest.disabled());
  pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
  CHECK(pair.machines.bus.offer_of(pair.guest.endpoint())->relid() != first);
  CHECK(pair.on_host([&] {
    VmbChannelDisable(pair.host.channel);
    CHECK(pair.host.enable() == STATUS_SUCCESS);
  }));
  CHECK(pair.found().empty());
}

}  // namespace
}  // namespace vmbsim::testing
