// Packets that no KMCL function sends, and what a driver sees of them. Source of the types and of their layout: Linux,
// hyperv.h (enum vmbus_packet_type); EMCL, VmbusPacketFormat.h.
#include <catch2/catch.hpp>
#include <cstring>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

/// Puts a packet into the ring to the guest, as another implementation at the host might.
void write(ChannelPair& pair, const vmbus::OutgoingPacket& packet) {
  pair.on_host([&] {
    vmbus::Channel& channel = pair.channel();
    channel.to_guest.entered(nullptr, vmbus::Lane::Kind::request, pair.machines.world.now());
    CHECK(std::get<vmbus::SignalNeeded>(channel.to_guest.writer.write(packet)) == vmbus::SignalNeeded::yes);
    pair.machines.guest_synic.signal(channel.guest_port, Duration{});
  });
}

TEST_CASE("a cancel request is taken and shown to nobody: the driver answers the packet as it would have", "[kmcl]") {
  ChannelPair pair;
  VMBPACKETCOMPLETION kept = nullptr;
  pair.guest.packet = [&](Arrived& a) { kept = a.packet; };
  pair.open();
  pair.on_host([&] { pair.host.send(1); });
  write(pair, {.type = vmbus::PacketType::cancel,
               .transaction_id = 1,
               .ranges = {},
               .header = {},
               .payload = {},
               .transfer = nullptr});
  CHECK(pair.guest.arrived == std::vector<std::uint64_t>{1});
  CHECK(pair.rings_empty());
  pair.on_guest([&] { VmbChannelPacketComplete(kept, nullptr, 0); });
  CHECK(pair.host.returned.size() == 1);
  CHECK(pair.found().empty());
}

/// The guest's driver maps what transfer pages name, and keeps the bytes of each range.
struct Transfers {
  ChannelPair pair;
  std::byte* buffer = nullptr;
  UINT32 handle = 0;
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  std::vector<std::string> ranges;
  UINT32 flags = 0;

  Transfers() {
    pair.guest.packet = [this](Arrived& a) {
      flags = a.flags;
      MDL* mdl = nullptr;
      status = VmbChannelPacketGetExternalData(a.packet, 0, &mdl);
      for (; status == STATUS_SUCCESS && mdl != nullptr; mdl = mdl->Next) {
        auto* bytes = static_cast<char*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
        ranges.emplace_back(bytes, mdl->ByteCount);
        MmUnmapLockedPages(bytes, mdl);
      }
      VmbChannelPacketComplete(a.packet, nullptr, 0);
    };
    pair.open();
    pair.on_guest([this] {
      buffer = static_cast<std::byte*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, 16384, 1));
      std::memcpy(buffer + 4094, "across", 6);
      std::memcpy(buffer + 12288, "page", 4);
      CHECK(VmbChannelCreateGpadlFromBuffer(pair.guest.channel, 0, buffer, 16384, &handle) == STATUS_SUCCESS);
    });
  }
  void send(std::span<const vmbus::TransferRange> sent, std::uint16_t set) {
    const std::uint64_t number = 9;
    const vmbus::TransferSet transfer{.id = set, .sender_owns = false, .ranges = sent};
    write(pair, {.type = vmbus::PacketType::transfer_pages,
                 .completion_requested = false,
                 .transaction_id = 3,
                 .ranges = {},
                 .header = {},
                 .payload = std::as_bytes(std::span(&number, 1)),
                 .transfer = &transfer});
  }
};

TEST_CASE("transfer pages are external data: parts of a buffer that the guest shares", "[kmcl]") {
  // Chosen: the set is called by the low half of the buffer's GPADL handle.
  Transfers t;
  const vmbus::TransferRange ranges[] = {{6, 4094}, {4, 12288}};
  t.send(ranges, static_cast<std::uint16_t>(t.handle));
  CHECK(t.flags == VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA);
  CHECK(t.status == STATUS_SUCCESS);
  CHECK(t.ranges == std::vector<std::string>{"across", "page"});
  CHECK(t.pair.found() == "");
}

TEST_CASE("transfer pages that name no buffer, or what lies outside it, give no data", "[kmcl]") {
  Transfers t;
  struct Row {
    const char* what;
    vmbus::TransferRange range;
    std::uint16_t off;
  };
  const auto row = GENERATE(Row{"another set", {8, 0}, 1}, Row{"beyond the end", {8, 16380}, 0},
                            Row{"an offset that wraps", {0xFFFFFFFF, 0xFFFFFFFF}, 0}, Row{"no bytes", {0, 0}, 0});
  INFO(row.what);
  t.send({&row.range, 1}, static_cast<std::uint16_t>(t.handle + row.off));
  CHECK(t.status == STATUS_INVALID_PARAMETER);
}

}  // namespace
}  // namespace vmbsim::testing
