// Who may say what when on the control path, and what follows.
// Source: OpenVMM, vmbus_server: channels.rs; Linux, channel.c and channel_mgmt.c; EMCL, ChannelMessages.h.
#include <catch2/catch.hpp>

#include "tests/support/bus_machines.hpp"

namespace vmbsim::testing {
namespace {

using namespace vmbus;

TEST_CASE("Guest and host agree on the newest version both speak") {
  // Linux, vmbus_connect: versions are tried from the newest down.
  struct Row {
    Version host, guest, agreed;
  };
  for (const Row& row :
       {Row{Version::v6_0, Version::v6_0, Version::v6_0}, Row{Version::v5_3, Version::v6_0, Version::v5_3},
        Row{Version::v6_0, Version::v4_1, Version::v4_1}, Row{Version::v0_13, Version::v6_0, Version::v0_13}}) {
    CAPTURE(row.host, row.guest);
    BusMachines m(row.host, row.guest);
    CHECK(m.bus.contact() == Bus::Contact::none);
    m.opened();
    CHECK(m.bus.contact() == Bus::Contact::made);
    CHECK(m.bus.version() == row.agreed);
    CHECK(m.ends.told == "offer gpadl open opened ");
    CHECK(m.found() == "");
  }
}

TEST_CASE("A guest whose host speaks none of its versions says so, and asks again when somebody asks it") {
  BusMachines m(static_cast<Version>(0));
  m.bus.connect(m.id, m.ends);
  m.settle();
  CHECK(m.bus.contact() == Bus::Contact::none);
  CHECK(m.found() == "guest: the host speaks no version that the guest knows\n");
}

TEST_CASE("Offers made before the contact follow the request for them, in their order; later ones come by themselves") {
  BusMachines m;
  Sides sides[3];
  OfferId ids[3] = {m.id, m.id, m.id};
  for (ULONG i = 0; i < 3; ++i) ids[i].instance.Data1 = i + 1;
  m.bus.offer(ids[0], sides[0]);
  m.bus.offer(ids[1], sides[1]);
  m.settle();
  CHECK_FALSE(m.bus.all_offers_delivered());
  for (int i = 0; i < 3; ++i) m.bus.connect(ids[i], sides[i]);
  m.settle();
  CHECK(m.bus.all_offers_delivered());
  CHECK(sides[0].told + sides[1].told + sides[2].told == "offer offer ");
  m.bus.offer(ids[2], sides[2]);
  m.settle();
  CHECK(sides[2].told == "offer ");
  CHECK(m.bus.offer_of(sides[0])->relid() == 1);
  CHECK(m.bus.offer_of(sides[1])->relid() == 2);
}

TEST_CASE("A burst of offers uses up the guest's message buffers, and every one arrives all the same, in order") {
  // TLFS: 16 buffers a port.
  BusMachines m;
  std::vector<Sides> sides(100);
  OfferId id = m.id;
  for (Sides& side : sides) {
    ++id.instance.Data1;
    m.bus.offer(id, side);
    m.bus.connect(id, side);
  }
  m.settle();
  for (const Sides& side : sides) CHECK(side.told == "offer ");
  CHECK(m.bus.sender_to_guest().refused() > 0);
  CHECK(m.found() == "");
}

TEST_CASE("Large rings take many GPADL messages; the host knows the memory once the last is there") {
  BusMachines m;
  Offer& offer = *m.bus.offer(m.id, m.ends);
  m.bus.connect(m.id, m.ends);
  m.settle();
  m.bus.create_gpadl(offer, m.pages(2000));  // 1 header, 71 bodies
  m.settle();
  CHECK(m.ends.told == "offer gpadl ");
  CHECK(m.bus.gpadls().find(m.ends.handle)->pfns.size() == 2000);
  CHECK(m.bus.sender_to_host().refused() > 0);
  m.bus.tear_down_gpadl(offer);
  m.settle();
  CHECK(m.bus.gpadls().count() == 0);
  m.bus.create_gpadl(offer, m.pages(8191));  // no length field is wide enough
  m.settle();
  CHECK(m.ends.told == "offer gpadl torn-down gpadl-refused ");
  CHECK(m.found() == "");
}

TEST_CASE("A rescind at any moment leaves nothing behind, whatever was on its way") {
  // OpenVMM: an open on a rescinded channel gets no response, a GPADL request does.
  struct Row {
    const char* moment;
    int step;         // of the life below
    bool on_its_way;  // the step's message is still travelling when the host rescinds
    const char* told;
  };
  for (const Row& row : {Row{"the offer is on its way", 0, true, "offer rescind "},
                         Row{"the offer was taken up", 0, false, "offer rescind "},
                         Row{"the GPADL is on its way", 1, true, "offer rescind gpadl torn-down "},
                         Row{"the GPADL exists", 1, false, "offer gpadl rescind torn-down "},
                         Row{"the open is on its way", 2, true, "offer gpadl rescind torn-down "},
                         Row{"the server opens", 2, false, "offer gpadl open rescind torn-down "},
                         Row{"the result is on its way", 3, true, "offer gpadl open opened rescind torn-down "},
                         Row{"the channel is open", 3, false, "offer gpadl open opened rescind torn-down "},
                         Row{"the close is on its way", 4, true, "offer gpadl open opened rescind torn-down "},
                         Row{"the server closes", 4, false, "offer gpadl open opened close rescind torn-down "},
                         Row{"all is given back", 5, false, "offer gpadl open opened close torn-down rescind "}}) {
    INFO(row.moment);
    BusMachines m;
    Offer& offer = *m.bus.offer(m.id, m.ends);
    const std::uint32_t relid = offer.relid();
    const auto reached = [&](int step) {
      if (row.step != step || !row.on_its_way) m.settle();
      return row.step == step;
    };
    m.bus.connect(m.id, m.ends);
    if (row.step == 0 && row.on_its_way) m.world.run_until(SimTime{} + Duration{3500});
    bool over = reached(0);
    bool used = false, shared = false;
    if (!over) {
      m.bus.create_gpadl(offer, m.pages(4));
      shared = true;
      over = reached(1);
    }
    if (!over) {
      m.bus.open(offer, {1}, {1}, {});
      over = reached(2);
      used = m.ends.channel != nullptr;
    }
    if (!over) {
      m.bus.answer_open(offer, true);
      over = reached(3);
    }
    if (!over) {
      m.bus.close(offer);
      m.bus.tear_down_gpadl(offer);
      shared = false;
      over = reached(4);
    }
    if (!over) {
      m.bus.server_closed(offer);
      used = false;
      m.settle();
    }
    // The host takes the offer back, its server lets go a little later, the guest after that.
    m.bus.rescind(offer);
    m.world.run_until(m.world.now() + Duration{200});
    if (used) m.bus.server_closed(offer);
    m.settle();
    CHECK(offer.rescinded());
    if (shared) m.bus.tear_down_gpadl(offer);
    m.settle();
    CHECK(m.bus.offer_count() == 1);
    CHECK(m.bus.gpadls().count() == 0);
    m.bus.release(offer);
    m.settle();
    CHECK(m.ends.told == row.told);
    CHECK(m.bus.offer_count() == 0);
    CHECK(m.found() == "");
    CHECK(m.bus.offer(m.id, m.ends)->relid() == relid);
  }
}

TEST_CASE("A relid that the guest has not released names the old channel and no other") {
  // Linux, CHANNELMSG_RELID_RELEASED; the relid is also the event flag.
  BusMachines m;
  Offer& old = m.opened();
  const std::uint32_t relid = old.relid();
  m.bus.rescind(old);
  m.bus.server_closed(old);
  m.settle();
  Sides next;
  Offer& fresh = *m.bus.offer(m.id, next);
  CHECK(fresh.relid() != relid);
  m.bus.connect(m.id, next);
  m.settle();
  CHECK(next.told == "offer ");
  CHECK(&m.bus.offer_of(next)[0] == &fresh);
  m.bus.tear_down_gpadl(old);
  m.settle();
  m.bus.release(old);
  m.settle();
  Sides third;
  OfferId other = m.id;
  other.instance.Data1 = 99;
  CHECK(m.bus.offer(other, third)->relid() == relid);
  CHECK(m.found() == "");
}

TEST_CASE("Modify and GPADL requests on a rescinded channel are answered") {
  // OpenVMM, channels.rs: so that a guest never waits for them.
  BusMachines m;
  m.opened();
  Offer& offer = *m.bus.offer_of(m.ends);
  const Synic::Port port = m.guest_synic.open(
      0, CpuId{1}, offer.relid(), [](void*) {}, nullptr);
  m.bus.rescind(offer);
  m.bus.modify(offer, port);
  m.bus.create_gpadl(offer, m.pages(3));
  m.settle();
  CHECK(m.ends.told == "offer gpadl open opened rescind unmodified gpadl ");
}

struct Signals {
  int old_processor = 0, new_processor = 0;
};

TEST_CASE("A moved channel interrupts its new processor; an interrupt on its way still goes to the old one") {
  // Linux, vmbus_send_modifychannel: interrupts may arrive at the old processor after the change.
  struct Row {
    Version version;
    bool possible;
    const char* told;
  };
  for (const Row& row : {Row{Version::v6_0, true, "modified "}, Row{Version::v5_3, true, "modified "},
                         Row{Version::v5_2, true, ""}, Row{Version::v4_1, true, ""}, Row{Version::v4_0, false, ""}}) {
    CAPTURE(row.version);
    BusMachines m(row.version);
    Signals seen;
    Offer& offer = *m.bus.offer(m.id, m.ends);
    m.bus.connect(m.id, m.ends);
    m.settle();
    const Synic::Port first = m.guest_synic.open(
        0, CpuId{1}, offer.relid(), [](void* s) { ++static_cast<Signals*>(s)->old_processor; }, &seen);
    m.open(offer, first);
    m.ends.told.clear();
    Synic::Port& port = offer.channel()->guest_port;
    const Synic::Port second = m.guest_synic.open(
        0, CpuId{0}, offer.relid(), [](void* s) { ++static_cast<Signals*>(s)->new_processor; }, &seen);
    CHECK(m.bus.modify(offer, second) == row.possible);
    m.guest_synic.signal(port, 5us);  // the host does not know yet, and its signal takes longer than the change
    m.world.run_until(m.world.now() + Duration{3us});
    CHECK(seen.old_processor + seen.new_processor == 0);
    m.settle();
    CHECK(seen.old_processor == 1);
    m.guest_synic.signal(port, 1us);
    m.settle();
    CHECK(seen.old_processor == (row.possible ? 1 : 2));
    CHECK(seen.new_processor == (row.possible ? 1 : 0));
    CHECK(m.ends.told == row.told);
    CHECK(m.found() == "");
  }
}

TEST_CASE("Who opens without interrupts has none for good") {
  // OpenVMM, VP_INDEX_DISABLE_INTERRUPT: cannot be undone by a modification.
  BusMachines m;
  Offer& offer = m.opened();
  CHECK(offer.channel()->guest_port.page == nullptr);
  const Synic::Port port = m.guest_synic.open(
      0, CpuId{0}, offer.relid(), [](void*) {}, nullptr);
  m.bus.modify(offer, port);
  m.settle();
  CHECK(offer.channel()->guest_port.page == nullptr);
  CHECK(m.ends.told == "offer gpadl open opened unmodified ");
}

struct WithSubchannels : BusMachines {
  WithSubchannels() {
    for (std::uint16_t i = 0; i < 2; ++i) {
      sub_ids[i] = id;
      sub_ids[i].subchannel = static_cast<std::uint16_t>(i + 1);
    }
  }
  OfferId sub_ids[2];
  Sides subs[2];
};

TEST_CASE("Subchannels are offered when their primary is open, and not before") {
  WithSubchannels m;
  for (int i = 0; i < 2; ++i) {
    m.bus.offer(m.sub_ids[i], m.subs[i]);
    m.bus.connect(m.sub_ids[i], m.subs[i]);
  }
  Offer& primary = *m.bus.offer(m.id, m.ends);
  m.bus.connect(m.id, m.ends);
  m.settle();
  CHECK(m.ends.told == "offer ");
  CHECK(m.subs[0].told == "");
  m.open(primary);
  CHECK(m.subs[0].told == "offer ");
  CHECK(m.subs[1].told == "offer ");
  CHECK(m.found() == "");
}

TEST_CASE("A host that takes the primary back takes its subchannels back first") {
  // OpenVMM: on revoke the guest must hear of the subchannels first.
  WithSubchannels m;
  Offer& primary = m.opened();
  Offer& sub = m.opened(m.sub_ids[0], m.subs[0]);
  std::string order;
  m.bus.rescind(primary);
  m.world.run_until(m.world.now() + Duration{10us});
  CHECK(m.subs[0].told == "offer gpadl open opened close rescind ");
  CHECK(m.ends.told == "offer gpadl open opened rescind ");
  CHECK(m.bus.sender_to_guest().refused() == 0);
  m.bus.server_closed(sub);
  m.bus.server_closed(primary);
  for (Offer* offer : {&sub, &primary}) {
    m.bus.tear_down_gpadl(*offer);
    m.settle();
    m.bus.release(*offer);
  }
  m.settle();
  CHECK(m.bus.offer_count() == 1);  // the subchannel's server has not taken it back
  CHECK(m.bus.gpadls().count() == 0);
  CHECK(m.found() == "");
}

TEST_CASE("A guest that closes the primary over open subchannels is found out, and loses them") {
  // Linux, vmbus_close: subchannels are closed before their primary.
  WithSubchannels m;
  Offer& primary = m.opened();
  Offer& sub = m.opened(m.sub_ids[1], m.subs[1]);
  m.bus.close(primary);
  m.bus.tear_down_gpadl(primary);
  m.settle();
  CHECK(m.found() == "guest: the primary channel is closed while its subchannel 2 is open\n");
  CHECK(m.subs[1].told == "offer gpadl open opened close rescind ");
  m.bus.server_closed(sub);
  m.bus.server_closed(primary);
  m.bus.tear_down_gpadl(sub);
  m.settle();
  m.bus.release(sub);
  m.settle();
  // Another round: the primary opens again, and the same subchannel is offered again.
  m.bus.connect(m.sub_ids[1], m.subs[1]);
  m.settle();
  CHECK(m.subs[1].told == "offer gpadl open opened close rescind torn-down ");
  m.open(primary);
  CHECK(m.subs[1].told == "offer gpadl open opened close rescind torn-down offer ");
}

TEST_CASE(
    "Unload ends the contact once the servers have let go; a client that still wants its channel begins another") {
  // Linux, vmbus_initiate_unload; CHANNELMSG_UNLOAD_RESPONSE.
  BusMachines m;
  Offer& offer = m.opened();
  m.bus.unload();
  CHECK(m.found() == "guest: unload while a channel is open\n");
  m.bus.close(offer);
  m.bus.tear_down_gpadl(offer);
  m.settle();
  m.bus.unload();
  CHECK(m.found() == "guest: unload while a channel is open\nguest: unload while memory is shared\n");
  m.bus.server_closed(offer);
  m.settle();
  m.bus.unload();
  m.settle();
  // The client had not given the offer back, so it still wants it: contact is made again.
  CHECK(m.ends.told == "offer gpadl open opened close torn-down offer ");
  CHECK(m.bus.contact() == Bus::Contact::made);
  m.open(offer);
  CHECK(m.ends.told == "offer gpadl open opened close torn-down offer gpadl open opened ");
  // A guest that unloads over an open channel gets its answer once the server has let go.
  m.bus.post_to_host(message_of(MessageType::unload));
  m.settle();
  CHECK(m.findings.all().size() == 2);
  m.bus.server_closed(offer);
  m.settle();
  CHECK(m.bus.gpadls().count() == 0);
  CHECK(m.findings.all().back().text == "guest: unload complete, but nobody unloads");
}

TEST_CASE(
    "A guest that makes contact again without unloading has been reset: its channels close, its offers come again") {
  BusMachines m;
  Offer& offer = m.opened();
  m.bus.post_to_host(message_of(InitiateContact{.version = 0x60000}));
  m.settle();
  CHECK(m.ends.told == "offer gpadl open opened close ");
  m.bus.server_closed(offer);
  m.settle();
  CHECK(m.bus.gpadls().count() == 0);
  CHECK(m.found() == "guest: a version is answered that nobody asked for\n");
}

TEST_CASE("An open that comes while the server still closes is opened when it has closed") {
  // OpenVMM: state ClosingReopen.
  BusMachines m;
  Offer& offer = m.opened();
  m.bus.close(offer);
  m.bus.tear_down_gpadl(offer);
  m.bus.create_gpadl(offer, m.pages(4));
  m.settle();
  m.bus.open(offer, {1}, {1}, {});
  m.settle();
  CHECK(m.ends.told == "offer gpadl open opened close gpadl ");
  m.bus.server_closed(offer);
  m.bus.answer_open(offer, true);
  m.settle();
  CHECK(m.ends.told == "offer gpadl open opened close gpadl open torn-down opened ");
  CHECK(m.found() == "");
}

TEST_CASE("A mapped GPADL is torn down when the server unmaps it, and belongs to its own channel only") {
  // KMCL DDI, VmbChannelUnmapGpadl, VmbChannelDeleteGpadl.
  struct Owner final : GpadlOwner {
    std::string told;
    GpadlHandle handle{};
    void on_created(GpadlHandle created) override {
      told += "created ";
      handle = created;
    }
    void on_torn_down() override { told += "gone "; }
  };
  BusMachines m;
  Offer& offer = m.opened();
  Sides other_ends;
  OfferId other_id = m.id;
  other_id.instance.Data1 = 77;
  Offer& other = m.opened(other_id, other_ends);
  Owner owner;
  Gpadl memory = m.pages(2);
  memory.read_only = true;
  m.bus.share(offer, std::move(memory), owner);
  m.settle();
  REQUIRE(owner.told == "created ");
  CHECK(m.bus.map_gpadl(other, owner.handle) == nullptr);
  REQUIRE(m.bus.map_gpadl(offer, owner.handle) != nullptr);
  CHECK(m.bus.find_gpadl(offer, owner.handle)->read_only);
  CHECK(m.bus.map_gpadl(offer, owner.handle) == nullptr);  // once at a time
  m.bus.unshare(offer, owner.handle, owner);
  m.settle();
  CHECK(owner.told == "created ");
  CHECK(m.bus.unmap_gpadl(offer, owner.handle));
  CHECK_FALSE(m.bus.unmap_gpadl(offer, owner.handle));
  m.settle();
  CHECK(owner.told == "created gone ");
  CHECK(m.found() == "");
}

TEST_CASE("While its machine is saved a guest does not notice that its servers go and others come") {
  // KMCL DDI, VmbServerChannelInitSetFlags: FORCE_NEW_CHANNEL; VmbChannelSaveBegin.
  struct Row {
    const char* what;
    bool open, again, forced;
    const char* told;
  };
  for (const Row& row : {Row{"open, and served again", true, true, false, "open "},
                         Row{"open, and nobody comes", true, false, false, "rescind "},
                         Row{"open, and the new one wants its own", true, true, true, "rescind offer "},
                         Row{"not open, and offered again", false, true, false, ""},
                         Row{"not open, and nobody comes", false, false, false, "rescind "}}) {
    INFO(row.what);
    BusMachines m;
    Offer* offer = m.bus.offer(m.id, m.ends);
    m.bus.connect(m.id, m.ends);
    m.settle();
    if (row.open) m.open(*offer);
    Channel* channel = offer->channel();
    m.ends.told.clear();
    m.bus.save();
    m.bus.rescind(*offer);
    if (row.open) m.bus.server_closed(*offer);
    m.settle();
    CHECK(m.ends.told == "");
    CHECK(m.bus.gpadls().count() == (row.open ? 1 : 0));
    Offer* again = nullptr;
    if (row.again) again = m.bus.offer(m.id, m.ends, {.flags = row.forced ? 8u : 0u});
    m.settle();
    m.bus.resume();
    m.settle();
    if (row.again && row.open && !row.forced) {
      CHECK(again == offer);
      CHECK(m.ends.channel == channel);
      m.bus.answer_open(*again, true);
      m.settle();
    }
    if (row.forced) {  // the client lets go of the old one, then takes up the new one
      CHECK(again != offer);
      m.bus.tear_down_gpadl(*offer);
      m.settle();
      m.bus.release(*offer);
      m.ends.told = "rescind ";
      m.bus.connect(m.id, m.ends);
      m.settle();
    }
    CHECK(m.ends.told == row.told);
    CHECK(m.found() == "");
  }
}

// ---- Hostile peers ----

TEST_CASE("What a guest says that makes no sense is refused or found, and the channel goes on") {
  struct Row {
    const char* what;
    MessageBytes bytes;
    const char* found;
  };
  const auto bytes_of_size = [](MessageBytes bytes, std::size_t size) {
    bytes.resize(size);
    return bytes;
  };
  const auto gpadl = [](std::uint32_t relid, std::uint32_t handle, hw::Pfn pfn, std::int64_t count = 2) {
    Gpadl range{.byte_offset = {}, .length = Pages{count}.bytes(), .pfns = {}};
    range.pfns.assign(static_cast<std::size_t>(count), pfn);
    return gpadl_messages(relid, {handle}, range)->front();
  };
  const std::vector<Row> rows{
      {"no header", MessageBytes(7), "host: a message without a header\n"},
      {"no type", MessageBytes(240), "host: message 0 is none that a guest sends\n"},
      {"a host's message", message_of(OfferMessage{}), "host: message 1 is none that a guest sends\n"},
      {"cut off", bytes_of_size(message_of(CloseMessage{1}), 11), "host: close of 11 bytes is too short\n"},
      {"contact cut off", bytes_of_size(message_of(InitiateContact{}), 39),
       "host: initiate contact of 39 bytes is too short\n"},
      {"open of relid 0", message_of(OpenMessage{}), "host: open of relid 0, which the guest was not offered\n"},
      {"open of a far relid", message_of(OpenMessage{.relid = 0xFFFFFFFF}),
       "host: open of relid 4294967295, which the guest was not offered\n"},
      {"open of an open channel", message_of(OpenMessage{.relid = 1, .gpadl = 1, .downstream_page = 2}),
       "host: open of relid 1, which is open\n"},
      {"close of a closed channel", message_of(CloseMessage{2}), "host: close of relid 2, which is not open\n"},
      {"close of nothing", message_of(CloseMessage{2047}), "host: close of relid 2047, which is not open\n"},
      {"release of a live channel", message_of(RelidReleased{1}), "host: relid 1 is released, but was not rescinded\n"},
      {"teardown of an unknown GPADL", message_of(GpadlTeardown{1, 500}),
       "host: teardown of GPADL 500, which relid 1 does not have\n"},
      {"teardown for another channel", message_of(GpadlTeardown{2, 1}),
       "host: teardown of GPADL 1, which relid 2 does not have\n"},
      {"a GPADL for nobody", gpadl(9, 500, 1), "host: a GPADL for relid 9, which the guest was not offered\n"},
      {"a GPADL twice", gpadl(1, 1, 1), "host: GPADL 1 exists already, or is none\n"},
      {"GPADL 0", gpadl(1, 0, 1), "host: GPADL 0 exists already, or is none\n"},
      {"a body without a header", message_of(GpadlBody{0, 500}), "host: more of GPADL 500, which has no header\n"},
      {"a processor that is not there", message_of(ModifyChannel{1, 64}),
       "host: modification of relid 1 to processor 64 is not possible\n"},
      {"offers again", message_of(MessageType::request_offers), "host: offers are requested twice\n"}};
  for (const Row& row : rows) {
    INFO(row.what);
    BusMachines m;
    Offer& offer = m.opened();
    OfferId second = m.id;
    second.instance.Data1 = 3;
    Sides idle;
    m.bus.offer(second, idle);
    m.settle();
    m.bus.post_to_host(row.bytes);
    m.settle();
    const std::string found = m.found();
    CHECK(found.substr(0, found.find('\n') + 1) == row.found);
    m.bus.close(offer);
    m.bus.tear_down_gpadl(offer);
    m.settle();
    m.bus.server_closed(offer);
    m.settle();
    const std::string told = m.ends.told;
    CHECK(told.substr(told.size() - 16) == "close torn-down ");
  }
}

TEST_CASE("Rings that do not lie in the guest's memory, or not as rings, are refused with a status") {
  struct Row {
    const char* what;
    std::uint32_t gpadl, downstream_page, processor;
  };
  for (const Row& row :
       {Row{"no GPADL", 99, 2, 0}, Row{"no ring to the host", 50, 0, 0}, Row{"a control page alone", 50, 1, 0},
        Row{"no ring to the guest", 50, 4, 0}, Row{"one page for it", 50, 3, 0},
        Row{"beyond the GPADL", 50, 0xFFFFFFFF, 0}, Row{"a processor that is not there", 50, 2, 2},
        Row{"memory that is not there", 51, 2, 0}, Row{"scattered memory", 52, 2, 0}}) {
    INFO(row.what);
    BusMachines m;
    Offer& offer = *m.bus.offer(m.id, m.ends);
    m.bus.connect(m.id, m.ends);
    m.settle();
    const Gpadl good = m.pages(4);
    Gpadl outside = good, scattered = good;
    for (std::size_t i = 0; i < 4; ++i) outside.pfns[i] = 0xFFFFFFFFFF + i;
    scattered.pfns[3] = good.pfns[0];
    for (const auto& [handle, description] : {std::pair{50u, good}, std::pair{51u, outside}, std::pair{52u, scattered}})
      m.bus.post_to_host(gpadl_messages(offer.relid(), {handle}, description)->front());
    m.bus.post_to_host(message_of(OpenMessage{.relid = offer.relid(),
                                              .open_id = 5,
                                              .gpadl = row.gpadl,
                                              .target_vp = row.processor,
                                              .downstream_page = row.downstream_page}));
    m.settle();
    CHECK(m.ends.told == "offer ");
    CHECK(m.found().find("host: open of relid 1: ") != std::string::npos);
    CHECK(m.found().find("guest: an open of relid 1 is answered") != std::string::npos);  // so there was a result
  }
}

TEST_CASE("What a host says that makes no sense is found and has no effect") {
  for (const MessageBytes& bytes :
       {message_of(RescindMessage{5}), message_of(OpenResult{1, 77, 0}), message_of(OpenResult{0xFFFFFFFF, 1, 0}),
        message_of(GpadlCreated{1, 1, 0}), message_of(GpadlTornDown{1}), message_of(VersionResponse{.supported = 1}),
        message_of(OfferMessage{.relid = 1}), message_of(OfferMessage{.relid = 3000}),
        message_of(MessageType::unload_complete), message_of(MessageType::open), MessageBytes(3)}) {
    BusMachines m;
    m.opened();
    m.bus.post_to_guest(bytes);
    m.settle();
    CHECK(m.findings.count("VMBUS") == 1);
    CHECK(m.ends.told == "offer gpadl open opened ");
  }
}

/// Anything at all, or something that looks like a message.
MessageBytes noise(kernel::Stream& random) {
  MessageBytes bytes(1 + random.next() % 240);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
  if (random.next() % 8 != 0 && bytes.size() >= 8) {
    const auto type = static_cast<std::uint32_t>(random.next() % 26);
    std::memcpy(bytes.data(), &type, 4);
    for (std::size_t at = 8; at + 4 <= bytes.size() && at < 28; at += 4) {
      const auto small = static_cast<std::uint32_t>(random.next() % 6);
      if (random.next() % 4 != 0) std::memcpy(bytes.data() + at, &small, 4);
    }
  }
  return bytes;
}

TEST_CASE("Noise from either end, ten thousand messages of it, breaks nothing") {
  BusMachines m;
  kernel::Stream random(Seed{3}, "test", "noise");
  m.opened();
  for (int i = 0; i < 10'000; ++i) {
    if (random.next() % 2 == 0)
      m.bus.post_to_host(noise(random));
    else
      m.bus.post_to_guest(noise(random));
    if (i % 8 == 0) m.world.run_until(m.world.now() + Duration{20us});
  }
  m.settle();
  CHECK(m.findings.count("VMBUS") > 1000);
  CHECK(m.bus.offer_count() <= 1);
}

}  // namespace
}  // namespace vmbsim::testing
