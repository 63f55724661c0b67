// Offers, GPADLs, opening and closing, message by message.
// Source: Linux, drivers/hv/channel.c and channel_mgmt.c; EMCL, ChannelMessages.h; OpenVMM, vmbus_server.
#include <catch2/catch.hpp>

#include <string>

#include "models/vmbus/bus.hpp"

namespace vmbsim::vmbus {
namespace {

struct Sides final : ServerEnd, ClientEnd {
  std::string told;
  Channel* channel = nullptr;
  GpadlHandle handle{};
  void on_open(Channel& opened) override {
    told += "open ";
    channel = &opened;
  }
  void on_close() override { told += "close "; }
  void on_offer() override { told += "offer "; }
  void on_gpadl_created(GpadlHandle created) override {
    told += "gpadl ";
    handle = created;
  }
  void on_open_result(bool opened) override { told += opened ? "opened " : "refused "; }
  void on_gpadl_torn_down() override { told += "torn-down "; }
  void on_rescind() override { told += "rescind "; }
};

struct Machines {
  Machines() { costs.control_message = kernel::Distribution::fixed(1us); }
  os::Partition::Config config(const char* name) {
    return {.name = name, .cpus = 1, .world = world, .stacks = stacks, .costs = costs, .findings = findings};
  }
  void settle() { world.run_until(world.now() + Duration{100us}); }
  Gpadl rings() {
    const hw::Pfn first = *guest.memory().allocate_zeroed({4});
    return {.byte_offset = {}, .length = Pages{4}.bytes(), .pfns = {first, first + 1, first + 2, first + 3}};
  }
  /// An offer that was taken up and opened.
  Offer& opened() {
    Offer& offer = *bus.offer(id, server);
    bus.connect(id, client);
    settle();
    bus.create_gpadl(offer, rings());
    settle();
    bus.open(offer, {1}, {1}, {});
    settle();
    bus.answer_open(offer, true);
    settle();
    return offer;
  }

  kernel::Simulation world{Seed{1}};
  kernel::StackPool stacks;
  hw::Costs costs;
  os::FindingLog findings{world};
  os::Partition host{config("host")};
  os::Partition guest{config("guest")};
  Synic host_synic{host};
  Synic guest_synic{guest};
  Bus bus{{.host = host_synic, .guest = guest_synic, .connection = 0}};
  OfferId id{.type = {1, 0, 0, {}}, .instance = {2, 0, 0, {}}, .subchannel = 0};
  Sides server, client;
};

TEST_CASE("An offer is opened and closed in the protocol's order; the teardown waits for the server") {
  Machines m;
  Offer& offer = m.opened();
  CHECK(m.client.told == "offer gpadl opened ");
  CHECK(m.server.told == "open ");
  CHECK(m.client.handle == GpadlHandle{1});
  CHECK(offer.channel() == m.server.channel);
  m.bus.close(offer);
  m.bus.tear_down_gpadl(offer);
  m.settle();
  CHECK(m.server.told == "open close ");
  CHECK(m.client.told == "offer gpadl opened ");  // the rings are still mapped
  m.bus.server_closed(offer);
  m.settle();
  CHECK(m.client.told == "offer gpadl opened torn-down ");
  CHECK(m.bus.gpadls().count() == 0);
}

TEST_CASE("A message takes its latency, and none overtakes another") {
  Machines m;
  m.bus.connect(m.id, m.client);
  m.bus.offer(m.id, m.server);
  // Contact, its answer, the request for offers, the offer.
  m.world.run_until(SimTime{3999ns});
  CHECK(m.client.told.empty());
  m.world.run_until(SimTime{4us});
  CHECK(m.client.told == "offer ");
}

TEST_CASE("Only the client that asked for this type, instance and subchannel is told") {
  Machines m;
  Sides other;
  OfferId sub = m.id;
  sub.subchannel = 1;
  m.bus.connect(sub, other);
  m.bus.connect(m.id, m.client);
  m.bus.offer(m.id, m.server);
  m.settle();
  CHECK(m.client.told == "offer ");
  CHECK(other.told.empty());
  CHECK(m.bus.offer_of(other) == nullptr);
}

TEST_CASE("An offer that is given back unopened is there for the next client") {
  Machines m;
  m.bus.offer(m.id, m.server);
  m.bus.connect(m.id, m.client);
  m.settle();
  m.bus.disconnect(m.client);
  Sides second;
  m.bus.connect(m.id, second);
  CHECK(second.told == "offer ");
}

TEST_CASE("A rescinded offer is gone once the guest has released it, and only then its relid is free") {
  Machines m;
  Offer* offer = m.bus.offer(m.id, m.server);
  const std::uint32_t relid = offer->relid();
  const bool taken = GENERATE(false, true);
  if (taken) m.bus.connect(m.id, m.client);
  m.settle();
  m.bus.rescind(*offer);
  m.settle();
  CHECK(m.bus.offer_count() == (taken ? 1 : 0));
  if (taken) {
    CHECK(m.client.told == "offer rescind ");
    CHECK(offer->rescinded());
    CHECK(m.bus.offer(m.id, m.server)->relid() != relid);
    m.bus.disconnect(m.client);  // told of the rescind already, so this releases it
    m.settle();
    CHECK(m.bus.offer_count() == 1);
  }
  CHECK(m.bus.offer({.type = {9, 0, 0, {}}, .instance = {}, .subchannel = 0}, m.server)->relid() == relid);
}

TEST_CASE("An open that meets a rescind gets no answer; the channel's memory stays until the guest has let go") {
  Machines m;
  Offer& offer = m.opened();
  Channel* channel = offer.channel();
  m.bus.rescind(offer);
  m.bus.server_closed(offer);
  m.settle();
  CHECK(m.client.told == "offer gpadl opened rescind ");
  m.bus.tear_down_gpadl(offer);
  m.settle();
  CHECK(m.client.told == "offer gpadl opened rescind torn-down ");
  CHECK(offer.channel() == channel);  // the client may still be looking at it
  m.bus.release(offer);
  m.settle();
  CHECK(m.bus.offer_count() == 0);
}

TEST_CASE("Rings beyond the guest's limit are refused with handle 0") {
  Machines m;
  Offer& offer = *m.bus.offer(m.id, m.server);
  m.bus.connect(m.id, m.client);
  m.settle();
  Gpadl huge{.byte_offset = {}, .length = Pages{400'000}.bytes(), .pfns = std::vector<hw::Pfn>(400'000, 1)};
  m.client.handle = {7};
  m.bus.create_gpadl(offer, std::move(huge));
  m.settle();
  CHECK(m.client.told == "offer gpadl ");
  CHECK(m.client.handle == GpadlHandle{});
}

}  // namespace
}  // namespace vmbsim::vmbus
