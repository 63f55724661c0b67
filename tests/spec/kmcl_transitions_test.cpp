// From state to state: transitions of a channel that no other test of its life shows, each with the callbacks it makes.
// Source: KMCL DDI (vmbuskernelmodeclientlibapi.h), the header's state model and the page of each function and callback named.
#include <catch2/catch.hpp>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

const std::string opening = "Opened Started PostStarted";

PairConfig slow() { return {.machines = {.costs = costs_of({{&hw::Costs::control_message, 10us}})}}; }

TEST_CASE("an allocated channel is disabled, and is configured without a callback", "[T1][T2]") {
  // VmbChannelAllocate: the channel is created in the Disabled state.
  ChannelPair pair;  // allocates and configures both ends
  const OneEnd one{pair, GENERATE(false, true)};
  VMBCHANNEL channel = nullptr;
  one([&] {
    REQUIRE(VmbChannelAllocate(&one.end().device.object, one.server ? TRUE : FALSE, &channel) == STATUS_SUCCESS);
    CHECK(VmbChannelInitSetMaximumPacketSize(channel, 64) == STATUS_SUCCESS);
    CHECK(VmbChannelInitSetFlags(channel, 0) == STATUS_SUCCESS);
  });
  CHECK(kmcl::Endpoint::of(channel).disabled());
  CHECK(one.end().disabled());
  CHECK(pair.order().empty());
  CHECK(pair.machines.bus.offer_count() == 0);
  CHECK(pair.found().empty());
}

TEST_CASE("a server that was paused while disabled comes up paused, as it does anyway", "[T3][T8][T10]") {
  // VmbChannelPause: on a disabled channel it records that the channel is to come up paused.
  ChannelPair pair;
  CHECK(pair.on_host([&] { VmbChannelPause(pair.host.channel); }));
  CHECK(pair.order().empty());
  pair.on_host([&] { CHECK(pair.host.enable() == STATUS_SUCCESS); });
  pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
  CHECK(pair.order("host") == "Opened");
  CHECK(pair.on_host([&] { VmbChannelStart(pair.host.channel); }));
  CHECK(pair.order("host") == opening);
  CHECK(pair.found().empty());
}

TEST_CASE("a server's Enable offers the channel and returns at once; nobody is called", "[T4]") {
  // VmbChannelEnable: it does not wait for the other side.
  ChannelPair pair(slow());
  const SimTime before = pair.machines.world.now();
  SimTime returned{};
  CHECK(pair.on_host([&] {
    CHECK(pair.host.enable() == STATUS_SUCCESS);
    returned = pair.machines.world.now();
  }));
  CHECK(returned == before);
  CHECK(pair.machines.bus.offer_count() == 1);
  CHECK_FALSE(pair.host.disabled());
  CHECK(pair.order().empty());
}

TEST_CASE("a client's Enable takes the offer that exists and returns at once; the open is told later", "[T5]") {
  ChannelPair pair(slow());
  pair.on_host([&] { CHECK(pair.host.enable() == STATUS_SUCCESS); });
  const SimTime before = pair.machines.world.now();
  CHECK(pair.on_guest([&] {
    CHECK(pair.guest.enable() == STATUS_SUCCESS);
    CHECK(pair.machines.world.now() == before);
    CHECK(pair.order().empty());
  }));
  CHECK(pair.order("guest") == opening);  // active by virtue of Enable
  CHECK(pair.log.front().time > before);
}

TEST_CASE("Start before the open calls nobody; the channel then opens active", "[T6][T7]") {
  // VmbChannelStart: may be called right after Enable.
  ChannelPair pair;
  CHECK(pair.on_host([&] {
    CHECK(pair.host.enable() == STATUS_SUCCESS);
    VmbChannelStart(pair.host.channel);
  }));
  CHECK(pair.order().empty());
  pair.on_guest([&] { CHECK(pair.guest.enable() == STATUS_SUCCESS); });
  CHECK(pair.order("host") == opening);
}

TEST_CASE("Pause before the open calls nobody; the channel then opens paused", "[T8][T11]") {
  ChannelPair pair;
  const OneEnd one{pair, GENERATE(false, true)};
  CHECK(one([&] {
    CHECK(one.end().enable() == STATUS_SUCCESS);
    if (one.server) VmbChannelStart(one.end().channel);
    VmbChannelPause(one.end().channel);
  }));
  CHECK(pair.order().empty());
  const OneEnd other{pair, !one.server};
  other([&] { CHECK(other.end().enable() == STATUS_SUCCESS); });
  CHECK(one.order() == "Opened");
  CHECK(pair.found().empty());
}

TEST_CASE("either end pauses and starts again, and the other notices nothing", "[T10][T11]") {
  ChannelPair pair;
  pair.open();
  const OneEnd one{pair, GENERATE(false, true)};
  const OneEnd other{pair, !one.server};
  pair.forget();
  CHECK(one([&] { VmbChannelPause(one.end().channel); }));
  CHECK(one.order() == "Suspend");
  CHECK(one([&] { VmbChannelStart(one.end().channel); }));
  CHECK(one.order() == "Suspend Started PostStarted");
  CHECK(other.order().empty());
  CHECK(pair.found().empty());
}

TEST_CASE("a guest that dies closes the host's channel, which stays offered", "[T12]") {
  // EVT_VMB_CHANNEL_CLOSED; Linux, vmbus_initiate_unload: what a crashing guest sends.
  ChannelPair pair;
  std::vector<VMBPACKETCOMPLETION> kept;
  pair.host.packet = [&](Arrived& a) { kept.push_back(a.packet); };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  pair.forget();
  pair.machines.bus.post_to_host(vmbus::message_of(vmbus::MessageType::unload));
  pair.machines.quiesce();
  CHECK(pair.order("host") == "Suspend");  // and it waits for what was delivered
  pair.on_host([&] { VmbChannelPacketComplete(kept[0], nullptr, 0); });
  CHECK(pair.order("host") == "Suspend Closed");
  CHECK_FALSE(pair.host.disabled());
  CHECK(pair.machines.bus.offer_count() == 1);
}

TEST_CASE("a paused channel closes without another Suspend, whoever closes it", "[T13][T14][T15]") {
  // EVT_VMB_CHANNEL_SUSPEND: a running channel is paused or closed; this one does not run.
  ChannelPair pair;
  pair.open();
  const OneEnd paused{pair, GENERATE(false, true)};
  const OneEnd closing{pair, GENERATE(false, true)};
  CHECK(paused([&] { VmbChannelPause(paused.end().channel); }));
  pair.forget();
  CHECK(closing([&] { VmbChannelDisable(closing.end().channel); }));
  CHECK(paused.order() == "Closed");
  CHECK(OneEnd{pair, !paused.server}.order() == "Suspend Closed");
  CHECK(pair.guest.disabled());
  CHECK(pair.host.disabled() == closing.server);
  CHECK(pair.found().empty());
}

TEST_CASE("a server that nobody opened is disabled without a callback", "[T13]") {
  ChannelPair pair;
  CHECK(pair.on_host([&] {
    CHECK(pair.host.enable() == STATUS_SUCCESS);
    VmbChannelDisable(pair.host.channel);
  }));
  CHECK(pair.order().empty());
  CHECK(pair.host.disabled());
  CHECK(pair.machines.bus.offer_count() == 0);
}

}  // namespace
}  // namespace vmbsim::testing
