// Configuring a channel: every status the pages name, and what the pointers remember.
// Source: KMCL DDI (vmbuskernelmodeclientlibapi.h), the page of each function.
#include <catch2/catch.hpp>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

void ignore(VMBCHANNEL, VMBPACKETCOMPLETION packet, PVOID, UINT32, UINT32) {
  VmbChannelPacketComplete(packet, nullptr, 0);
}

NTSTATUS set_callbacks(VMBCHANNEL channel, ULONG version, ULONG size) {
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
  callbacks.Version += version - 1;
  callbacks.Size += size;
  return VmbChannelInitSetStateChangeCallbacks(channel, &callbacks);
}

struct Row {
  const char* call;
  NTSTATUS disabled;  ///< what it answers before Enable; afterwards every one answers STATUS_INVALID_PARAMETER_1
  std::function<NTSTATUS(VMBCHANNEL)> make;
  bool server = false;
};

const std::vector<Row>& rows() {
  static UNICODE_STRING name = [] {
    static WCHAR text[] = {'S', 'C', 'S', 'I'};
    return UNICODE_STRING{sizeof text, sizeof text, text};
  }();
  static const std::vector<Row> table = {
      {"MaximumPacketSize 1", STATUS_SUCCESS, [](VMBCHANNEL c) { return VmbChannelInitSetMaximumPacketSize(c, 1); }},
      {"MaximumPacketSize 0", STATUS_INVALID_PARAMETER_2,
       [](VMBCHANNEL c) { return VmbChannelInitSetMaximumPacketSize(c, 0); }},
      {"MaximumExternalData", STATUS_SUCCESS,
       [](VMBCHANNEL c) { return VmbChannelInitSetMaximumExternalData(c, 4096, 1); }},
      {"MaximumExternalData of 0 bytes", STATUS_INVALID_PARAMETER_2,
       [](VMBCHANNEL c) { return VmbChannelInitSetMaximumExternalData(c, 0, 1); }},
      {"MaximumExternalData in chains of 0", STATUS_INVALID_PARAMETER_3,
       [](VMBCHANNEL c) { return VmbChannelInitSetMaximumExternalData(c, 1, 0); }},
      {"ClientContextSize", STATUS_SUCCESS, [](VMBCHANNEL c) { return VmbChannelInitSetClientContextSize(c, 64); }},
      {"ProcessPacketCallbacks", STATUS_SUCCESS,
       [](VMBCHANNEL c) { return VmbChannelInitSetProcessPacketCallbacks(c, ignore, nullptr); }},
      {"StateChangeCallbacks", STATUS_SUCCESS, [](VMBCHANNEL c) { return set_callbacks(c, 1, 0); }},
      {"StateChangeCallbacks version 2", STATUS_INVALID_PARAMETER_2,
       [](VMBCHANNEL c) { return set_callbacks(c, 2, 0); }},
      {"StateChangeCallbacks too long", STATUS_INVALID_PARAMETER_2,
       [](VMBCHANNEL c) { return set_callbacks(c, 1, 8); }},
      {"FriendlyName", STATUS_SUCCESS, [](VMBCHANNEL c) { return VmbChannelInitSetFriendlyName(c, &name); }},
      {"Flags 0", STATUS_SUCCESS, [](VMBCHANNEL c) { return VmbChannelInitSetFlags(c, 0); }},
      {"Flags pipe", STATUS_SUCCESS,
       [](VMBCHANNEL c) { return VmbChannelInitSetFlags(c, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE); }},
      {"Flags unknown", STATUS_INVALID_PARAMETER_2, [](VMBCHANNEL c) { return VmbChannelInitSetFlags(c, 2); }},
      {"RingBufferPageCount", STATUS_SUCCESS,
       [](VMBCHANNEL c) { return VmbClientChannelInitSetRingBufferPageCount(c, 4, 8); }},
      {"TargetInterfaceId", STATUS_SUCCESS,
       [](VMBCHANNEL c) {
         return VmbServerChannelInitSetTargetInterfaceId(c, GUID{0x11, 0x22, 0x33, {}}, GUID{1, 0, 0, {}});
       },
       true},
  };
  return table;
}

TEST_CASE("Each configuring function answers as its page says while disabled, and _1 once the channel is enabled",
          "[K06][K07][K08][K09][Q1]") {
  // Modelling decision: the pages' wrong state is every state but disabled.
  for (const Row& row : rows()) {
    CAPTURE(row.call);
    ChannelPair pair;
    const auto in_context = [&](auto body) { return row.server ? pair.on_host(body) : pair.on_guest(body); };
    End& end = row.server ? pair.host : pair.guest;
    in_context([&] { CHECK(row.make(end.channel) == row.disabled); });
    in_context([&] { CHECK(end.enable() == STATUS_SUCCESS); });
    in_context([&] { CHECK(row.make(end.channel) == STATUS_INVALID_PARAMETER_1); });
    in_context([&] { VmbChannelDisable(end.channel); });
    in_context([&] { CHECK(row.make(end.channel) == row.disabled); });
    CHECK(pair.found().empty());
  }
}

TEST_CASE("Ring sizes are the client's to set, an interface the server's to offer", "[K13][K14]") {
  // The header's split into client and server functions.
  ChannelPair pair;
  pair.on_host([&] { CHECK(VmbClientChannelInitSetRingBufferPageCount(pair.host.channel, 1, 1) != STATUS_SUCCESS); });
  CHECK(pair.machines.findings.count("K13") == 1);
  pair.on_guest(
      [&] { CHECK(VmbServerChannelInitSetTargetInterfaceId(pair.guest.channel, GUID{}, GUID{}) != STATUS_SUCCESS); });
  CHECK(pair.machines.findings.count("K14") == 1);
}

TEST_CASE("A channel remembers one pointer, a packet another, until they are set again") {
  // VmbChannelSetPointer, VmbPacketSetPointer. Modelling decision: null before the first set; kept when a packet is used again.
  ChannelPair pair;
  pair.on_guest([&] {
    VMBCHANNEL channel = nullptr;
    REQUIRE(VmbChannelAllocate(&pair.guest.device.object, FALSE, &channel) == STATUS_SUCCESS);
    CHECK(VmbChannelGetPointer(channel) == nullptr);
    int mine = 0;
    VmbChannelSetPointer(channel, &mine);
    CHECK(VmbChannelGetPointer(channel) == &mine);
    VMBPACKET packet = VmbPacketAllocate(channel);
    CHECK(VmbPacketGetPointer(packet) == nullptr);
    CHECK(VmbPacketGetChannel(packet) == channel);
    VmbPacketSetPointer(packet, &mine);
    CHECK(VmbPacketGetPointer(packet) == &mine);
    VmbPacketFree(packet);
    VmbChannelCleanup(channel);
  });
  CHECK(pair.found().empty());
}

TEST_CASE("Caller-supplied packet memory must hold VmbChannelSizeofPacket bytes", "[K73][Q29]") {
  // VmbPacketInitialize: STATUS_INVALID_PARAMETER_3 unless ByteCount exceeds the maximum packet size and one pointer.
  ChannelPair pair({.maximum_packet = 100});
  pair.on_guest([&] {
    const UINT32 bytes = VmbChannelSizeofPacket(pair.guest.channel);
    CHECK(bytes > 100 + sizeof(void*));
    std::vector<std::uint64_t> memory(bytes / 8 + 1);
    const auto packet = reinterpret_cast<VMBPACKET>(memory.data());
    CHECK(VmbPacketInitialize(pair.guest.channel, packet, 100 + sizeof(void*)) == STATUS_INVALID_PARAMETER_3);
    CHECK(VmbPacketInitialize(pair.guest.channel, packet, bytes - 1) == STATUS_INVALID_PARAMETER_3);
    CHECK(VmbPacketInitialize(pair.guest.channel, packet, bytes) == STATUS_SUCCESS);
    CHECK(VmbPacketGetChannel(packet) == pair.guest.channel);
  });
  CHECK(pair.found().empty());
}

TEST_CASE("Rings grow until the largest packet fits; without a wish they hold sixteen of them", "[Q5][Q19]") {
  // VmbChannelInitSetMaximumExternalData: rings are sized so that a packet within the limits can be sent.
  // Modelling decision: without page counts at least 4 pages each and room for 16 largest packets; control pages are extra.
  struct Rings {
    UINT32 packet, external;
    std::int64_t asked_pages, to_host_pages, to_guest_pages;
  };
  const Rings rings = GENERATE(values<Rings>({{1024, 0, 1, 1, 1},          // fits into what was asked for
                                              {1024, 0, 0, 5, 5},          // 16 * 1048 bytes
                                              {64, 0, 0, 4, 4},            // at least 4
                                              {5000, 0, 1, 2, 2},          // one page would be too small
                                              {64, 1024 * 1024, 1, 1, 1},  // 257 frame numbers are 2056 bytes
                                              {64, 4 * 1024 * 1024, 1, 3, 1}}));
  CAPTURE(rings.packet, rings.external, rings.asked_pages);
  ChannelPair pair({.maximum_packet = rings.packet,
                    .external_data = rings.external,
                    .to_host = {rings.asked_pages},
                    .to_guest = {rings.asked_pages}});
  pair.open();
  CHECK(pair.channel().to_host.writer.memory().size() == Pages{rings.to_host_pages}.bytes());
  CHECK(pair.channel().to_guest.writer.memory().size() == Pages{rings.to_guest_pages}.bytes());
}

}  // namespace
}  // namespace vmbsim::testing
