// Handles that outlive what they mean: a driver's mistake that must never reach another packet.
// Source: KMCL DDI: VmbChannelPacketComplete (the context is dead afterwards), VmbChannelPacketFail, VmbPacketFree,
// EVT_VMB_PACKET_COMPLETION_ROUTINE. Driver Verifier's special pool finds the same mistakes on Windows.
#include <catch2/catch.hpp>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

struct Delivered {
  ChannelPair pair;
  std::vector<VMBPACKETCOMPLETION> handles;
  std::vector<std::byte*> buffers;

  Delivered() {
    pair.host.packet = [this](Arrived& a) {
      handles.push_back(a.packet);
      buffers.push_back(a.buffer);
    };
    pair.open();
  }
  void send(std::uint64_t number) {
    pair.on_guest([&] { CHECK(pair.guest.send(number) == STATUS_SUCCESS); });
  }
  /// Everything a driver can do with a delivered packet.
  static void use(VMBPACKETCOMPLETION handle) {
    PMDL mdl = nullptr;
    std::uint64_t answer = 99;
    VmbChannelPacketDeferToPassive(handle);
    VmbChannelPacketFail(handle);
    CHECK(VmbChannelPacketGetExternalData(handle, 0, &mdl) != STATUS_SUCCESS);
    VmbChannelPacketComplete(handle, &answer, sizeof answer);
  }
};

TEST_CASE("A completed packet's handle reaches none of the packets that come after it", "[K51]") {
  Delivered d;
  d.send(1);
  d.pair.on_host([&] { VmbChannelPacketComplete(d.handles[0], nullptr, 0); });
  d.send(2);
  REQUIRE(d.handles.size() == 2);
  CHECK(d.buffers[0] == d.buffers[1]);  // its memory is used again, its handle is not
  d.pair.on_host([&] { Delivered::use(d.handles[0]); });
  CHECK(d.pair.machines.findings.count("K51") == 4);
  CHECK(d.pair.machines.findings.all().size() == 4);
  CHECK(d.pair.guest.returned.size() == 1);
  d.pair.on_host([&] { VmbChannelPacketComplete(d.handles[1], nullptr, 0); });
  REQUIRE(d.pair.guest.returned.size() == 2);
  CHECK(d.pair.guest.returned[1].answer.empty());
}

TEST_CASE("A failed packet's handle reaches none of the packets of the next round", "[K51]") {
  Delivered d;
  VMBPACKETCOMPLETION failed = nullptr;
  d.pair.host.packet = [&](Arrived& a) {
    if (failed == nullptr) return VmbChannelPacketFail(failed = a.packet);
    d.handles.push_back(a.packet);
  };
  d.send(1);
  REQUIRE(failed != nullptr);
  d.pair.on_guest([&] {
    VmbChannelDisable(d.pair.guest.channel);
    CHECK(d.pair.guest.enable() == STATUS_SUCCESS);
  });
  d.send(2);
  REQUIRE(d.handles.size() == 1);
  d.pair.on_host([&] { Delivered::use(failed); });
  CHECK(d.pair.machines.findings.count("K51") == 4);
  d.pair.on_host([&] { VmbChannelPacketComplete(d.handles[0], nullptr, 0); });
  CHECK(d.pair.guest.returned.back().number == 2);
  CHECK(d.pair.guest.returned.back().status == STATUS_SUCCESS);
}

TEST_CASE("A handle stays good from delivery to completion, however often the packet is presented", "[K51][kept]") {
  Delivered d;
  d.pair.host.packet = [&](Arrived& a) {
    d.handles.push_back(a.packet);
    if (d.handles.size() == 1) return VmbChannelPacketDeferToPassive(a.packet);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  d.send(1);
  REQUIRE(d.handles.size() == 2);
  CHECK(d.handles[0] == d.handles[1]);
  CHECK(d.pair.found().empty());
}

TEST_CASE("The handle of a packet that is gone reaches no other packet", "[K76]") {
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] {
    const VMBPACKET gone = VmbPacketAllocate(pair.guest.channel);
    std::uint64_t data = 1;
    // The default routine frees the packet; without WAIT_FOR_COMPLETION that is before the send returns.
    CHECK(VmbPacketSend(gone, &data, sizeof data, nullptr, 0) == STATUS_SUCCESS);
    const VMBPACKET next = pair.guest.new_packet(1);
    CHECK(VmbPacketSend(gone, &data, sizeof data, nullptr, 0) != STATUS_SUCCESS);
    CHECK(VmbPacketSendWithExternalMdl(gone, &data, sizeof data, nullptr, 0, 0, wait_flag) != STATUS_SUCCESS);
    CHECK(VmbPacketSendWithExternalPfns(gone, &data, sizeof data, nullptr, 0, wait_flag) != STATUS_SUCCESS);
    CHECK(VmbPacketGetPointer(gone) == nullptr);
    CHECK(VmbPacketGetChannel(gone) == nullptr);
    VmbPacketSetPointer(gone, nullptr);
    VmbPacketSetCompletionRoutine(gone, nullptr);
    VmbPacketFree(gone);
    CHECK(pair.machines.findings.count("K76") == 8);
    CHECK(VmbPacketSend(next, pair.guest.bytes_of(1).data(), 8, nullptr, wait_flag) == STATUS_SUCCESS);
  });
  CHECK(pair.machines.findings.count("K76") == 8);
  REQUIRE(pair.guest.returned.size() == 1);
  CHECK(pair.guest.returned[0].number == 1);
}

TEST_CASE("A packet of the driver's own memory that was never initialised is told from one that was", "[K76]") {
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] {
    const UINT32 size = VmbChannelSizeofPacket(pair.guest.channel);
    std::vector<std::uint64_t> memory(size / 8 + 1);
    const auto packet = reinterpret_cast<VMBPACKET>(memory.data());
    VmbPacketSetPointer(packet, nullptr);
    CHECK(pair.machines.findings.count("K76") == 1);
    CHECK(VmbPacketInitialize(pair.guest.channel, packet, size) == STATUS_SUCCESS);
    VmbPacketSetPointer(packet, &pair);
    CHECK(VmbPacketGetPointer(packet) == &pair);
  });
  CHECK(pair.machines.findings.count("K76") == 1);
}

TEST_CASE("A packet with a routine of its own may be used again from that routine on", "[K76][kept]") {
  ChannelPair pair;
  pair.open();
  int sent = 1;
  pair.guest.completed = [&](Returned& r) {
    if (sent++ == 3) return VmbPacketFree(r.packet);
    CHECK(VmbPacketSend(r.packet, pair.guest.bytes_of(1).data(), 8, nullptr, wait_flag) == STATUS_SUCCESS);
  };
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(pair.guest.returned.size() == 3);
  CHECK(pair.found().empty());
}

TEST_CASE("A handle never comes back, however often its packet's memory is used") {
  ChannelPair pair;
  pair.on_guest([&] {
    const VMBPACKET first = VmbPacketAllocate(pair.guest.channel);
    VmbPacketFree(first);
    constexpr int more_than_uses = 600'000;  // a handle counts 2^19 uses
    bool came_back = false;
    for (int i = 0; i < more_than_uses; ++i) {
      const VMBPACKET packet = VmbPacketAllocate(pair.guest.channel);
      came_back = came_back || packet == first;
      VmbPacketFree(packet);
    }
    CHECK_FALSE(came_back);
    VmbPacketFree(first);
  });
  CHECK(pair.machines.findings.count("K76") == 1);
}

}  // namespace
}  // namespace vmbsim::testing
