// What is chosen where the documents of KMCL are silent, as far as no test of the calls concerned shows it already.
// Source: tests/coverage/documented_decisions.h says what is chosen; each test names the page that leaves it open.
#include <catch2/catch.hpp>

#include <functional>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

/// A page of nonpaged pool and the descriptor list over it.
struct Page {
  void* bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4096, 1);
  MDL* mdl = IoAllocateMdl(bytes, 4096, FALSE, FALSE, nullptr);
  Page() { MmBuildMdlForNonPagedPool(mdl); }
};

/// Sends packet `number` of the guest with a page of external data.
void send_page(ChannelPair& pair, std::uint64_t number) {
  pair.on_guest([&] {
    const Page page;
    VMBPACKET packet = pair.guest.new_packet(number);
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(number).data(), 8, page.mdl, wait_flag) == STATUS_SUCCESS);
  });
}

// ---- Defaults ----

TEST_CASE("a channel without settings takes packets of 4096 bytes, no external data, and any number at a time",
          "[Q5]") {
  // VmbChannelAllocate: default parameters, which are not published.
  ChannelPair pair;
  pair.on_guest([&] {
    VMBCHANNEL plain = nullptr;
    REQUIRE(VmbChannelAllocate(&pair.guest.device.object, FALSE, &plain) == STATUS_SUCCESS);
    std::vector<std::byte> bytes(4097);
    const Page page;
    VMBPACKET packet = VmbPacketAllocate(plain);
    CHECK(VmbPacketSend(packet, bytes.data(), 4097, nullptr, 0) == STATUS_INVALID_PARAMETER_3);
    CHECK(pair.machines.findings.count("K70") == 1);
    CHECK(VmbPacketSend(packet, bytes.data(), 8, page.mdl, wait_flag) == STATUS_INVALID_PARAMETER);
    CHECK(pair.machines.findings.count("K71") == 1);
    CHECK(VmbPacketSend(packet, bytes.data(), 4096, nullptr, 0) == STATUS_SUCCESS);  // queued until it opens
  });
  pair.host.packet = [](Arrived&) {};
  pair.open();
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 200; ++n) CHECK(pair.guest.send(n) == STATUS_SUCCESS);
  });
  CHECK(pair.host.arrived.size() == 200);
  CHECK(pair.machines.findings.all().size() == 2);
}

TEST_CASE("a packet object grows with the maximum packet size in steps of 8 bytes", "[Q29]") {
  // VmbChannelSizeofPacket: bytes needed; how they come about is not said.
  const auto size = [](UINT32 maximum) {
    ChannelPair pair({.maximum_packet = maximum});
    return VmbChannelSizeofPacket(pair.guest.channel);
  };
  CHECK(size(97) == size(104));
  CHECK(size(105) == size(104) + 8);
  CHECK(size(1000) == size(104) + 896);
  CHECK(size(104) > 104 + sizeof(void*));
}

// ---- IRQL ----

TEST_CASE("what is for PASSIVE_LEVEL is refused at APC_LEVEL, and does nothing", "[Q31]") {
  // The header's _IRQL_requires_(PASSIVE_LEVEL) is an equality; the pages of the other calls give no level.
  ChannelPair pair;
  const auto at_apc = [&](const std::function<void()>& call) {
    pair.on_guest([&] {
      KIRQL before = 0;
      KeRaiseIrql(APC_LEVEL, &before);
      call();
      KeLowerIrql(before);
    });
  };
  VMBCHANNEL another = nullptr;
  at_apc([&] { CHECK(VmbChannelAllocate(&pair.guest.device.object, FALSE, &another) != STATUS_SUCCESS); });
  CHECK(another == nullptr);
  at_apc([&] { CHECK(pair.guest.enable() == STATUS_INVALID_DEVICE_STATE); });
  CHECK(pair.guest.disabled());
  CHECK(pair.machines.findings.all().size() == 2);
  pair.open();
  pair.forget();
  at_apc([&] { VmbChannelPause(pair.guest.channel); });
  at_apc([&] { VmbChannelDisable(pair.guest.channel); });
  at_apc([&] {
    UINT32 handle = 0;
    CHECK(VmbChannelCreateGpadlFromBuffer(pair.guest.channel, 0, Page().bytes, 4096, &handle) ==
          STATUS_INVALID_DEVICE_STATE);
  });
  CHECK(pair.order().empty());
  CHECK_FALSE(pair.guest.disabled());
  CHECK(pair.machines.findings.all().size() == 5);
}

// ---- Quota ----

TEST_CASE("a packet that was deferred counts for the quota until it is completed", "[Q23]") {
  // VmbChannelSetTransactionQuota: delivered and not completed.
  ChannelPair pair({.host_quota = 2});
  std::vector<VMBPACKETCOMPLETION> kept;
  pair.host.packet = [&](Arrived& a) {
    if (a.number == 2 && hw::Processor::current()->irql() == Irql::dispatch)
      return VmbChannelPacketDeferToPassive(a.packet);
    kept.push_back(a.packet);
  };
  pair.open();
  pair.forget();
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 4; ++n) CHECK(pair.guest.send(n) == STATUS_SUCCESS);
  });
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1, 2, 2});
  pair.on_host([&] { VmbChannelPacketComplete(kept[1], nullptr, 0); });
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1, 2, 2, 3});
  CHECK(pair.found().empty());
}

TEST_CASE("a packet whose data is pending counts for the quota until it is completed", "[Q23]") {
  ChannelPair pair({.external_data = 4096, .host_quota = 1, .host_device = [](kmcl::Device& device) {
                      device.policies.pending_permille = 1000;
                      device.policies.page_in = 50us;
                    }});
  VMBPACKETCOMPLETION kept = nullptr;
  pair.host.packet = [&](Arrived& a) {
    MDL* mdl = nullptr;
    if (VmbChannelPacketGetExternalData(a.packet, 0, &mdl) == STATUS_SUCCESS) kept = a.packet;
  };
  pair.open();
  send_page(pair, 1);
  send_page(pair, 2);
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1, 1});
  pair.on_host([&] { VmbChannelPacketComplete(kept, nullptr, 0); });
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1, 1, 2, 2});
  CHECK(pair.found().empty());
}

TEST_CASE("a packet that failed is nothing that a pause would wait for, or a quota count", "[Q23][Q9]") {
  ChannelPair pair({.host_quota = 1});
  pair.host.packet = [](Arrived& a) { VmbChannelPacketFail(a.packet); };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(pair.on_host([&] { VmbChannelPause(pair.host.channel); }));
  CHECK(pair.guest.returned.empty());
  CHECK(pair.found().empty());
}

// ---- Going down ----

TEST_CASE("KMCL ends what the server sent and nobody will answer: removed after Suspend, before Closed", "[Q35][Q15]") {
  // EVT_VMB_CHANNEL_SUSPEND: the server is to retire its own transactions; no call exists that could cancel one.
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] { VmbChannelPause(pair.guest.channel); });
  pair.on_host([&] {
    CHECK(pair.host.send(1) == STATUS_SUCCESS);  // in the ring
    for (std::uint64_t n = 2; n <= 5; ++n) CHECK(pair.host.send(n, 1000) == STATUS_SUCCESS);
  });
  pair.forget();
  const bool by_guest = GENERATE(false, true);
  if (by_guest)
    CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
  else
    CHECK(pair.on_host([&] { VmbChannelDisable(pair.host.channel); }));
  CHECK(pair.order("host") == "Suspend removed(1) removed(2) removed(3) removed(4) removed(5) Closed");
  for (const Returned& r : pair.host.returned) CHECK(r.status == STATUS_DEVICE_REMOVED);
}

TEST_CASE("external pages are the guest's again when the host has completed, or at once when the host goes away",
          "[Q36]") {
  // EVT_VMB_PACKET_COMPLETION_ROUTINE: the transaction is over. What a close does to its pages is not said.
  ChannelPair pair({.external_data = 4096});
  VMBPACKETCOMPLETION kept = nullptr;
  pair.host.packet = [&](Arrived& a) { kept = a.packet; };
  pair.open();
  send_page(pair, 1);
  pair.forget();
  SECTION("the guest closes") {
    CHECK_FALSE(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
    CHECK(pair.order() == "guest:Suspend host:Suspend");
    CHECK(pair.on_host([&] { VmbChannelPacketComplete(kept, nullptr, 0); }));
    CHECK(pair.order("guest") == "Suspend completed(1) Closed");
  }
  SECTION("the host goes away") {
    CHECK_FALSE(pair.on_host([&] { VmbChannelDisable(pair.host.channel); }));
    CHECK(pair.order("guest") == "Suspend removed(1)");
    CHECK(pair.on_host([&] { VmbChannelPacketComplete(kept, nullptr, 0); }));
    CHECK(pair.order("guest") == "Suspend removed(1) Closed");
  }
  CHECK(pair.order("host") == "Suspend Closed");
  CHECK(pair.found().empty());
}

TEST_CASE("whoever closes, the host has closed and unmapped before the guest's Closed, which deletes without waiting",
          "[Q37]") {
  // VmbChannelDeleteGpadl: blocks while the server has it mapped; to be called in EvtChannelClosed at the latest.
  ChannelPair pair;
  UINT32 handle = 0;
  VMBPACKETCOMPLETION kept = nullptr;
  pair.guest.opened = [&] {
    return VmbChannelCreateGpadlFromBuffer(pair.guest.channel, 0, Page().bytes, 4096, &handle);
  };
  pair.guest.closed = [&] {
    VmbChannelDeleteGpadl(pair.guest.channel, handle);
    pair.log.push_back({{}, {}, {}, "guest:deleted"});
  };
  pair.host.closed = [&] { VmbChannelUnmapGpadl(pair.host.channel, handle); };
  pair.host.packet = [&](Arrived& a) { kept = a.packet; };
  pair.open();
  pair.on_host([&] {
    MDL* mdl = nullptr;
    CHECK(VmbChannelMapGpadl(pair.host.channel, 0, handle, &mdl) == STATUS_SUCCESS);
  });
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  pair.forget();
  const OneEnd closing{pair, GENERATE(false, true)};
  CHECK_FALSE(closing([&] { VmbChannelDisable(closing.end().channel); }));  // the host waits for its packet
  CHECK(pair.order("host") == "Suspend");
  CHECK(pair.order("guest") == (closing.server ? "Suspend removed(1)" : "Suspend"));
  CHECK(pair.on_host([&] { VmbChannelPacketComplete(kept, nullptr, 0); }));
  const std::string tail = "guest:Closed guest:deleted";
  CHECK(pair.order().find("host:Closed") < pair.order().find(tail));
  CHECK(pair.order().find(tail) != std::string::npos);
  CHECK(pair.guest.disabled());
  CHECK(pair.found().empty());
}

// ---- Buffers ----

TEST_CASE("an inline buffer is needed until its packet is in the ring; with PAGED_BUFFER the send has copied it",
          "[Q38]") {
  // VmbPacketSend says nothing of the buffer's life; VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER: copied before the IRQL is raised.
  const bool paged = GENERATE(false, true);
  ChannelPair pair;
  pair.open();
  pair.on_host([&] { VmbChannelPause(pair.host.channel); });
  std::vector<std::uint64_t> seen;
  pair.host.packet = [&](Arrived& a) {
    std::uint64_t last = 0;
    std::memcpy(&last, a.buffer + a.length - 8, 8);
    seen.push_back(last);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 4; ++n) {  // the fourth waits for room
      CHECK(pair.guest.send(n, 1000, paged ? wait_flag | VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER : wait_flag) ==
            STATUS_SUCCESS);
      std::memset(pair.guest.bytes_of(n).data() + 992, 0, 8);
    }
  });
  pair.on_host([&] { VmbChannelStart(pair.host.channel); });
  REQUIRE(seen.size() == 4);
  for (std::size_t i = 0; i < 3; ++i) CHECK(seen[i] != 0);
  CHECK((seen[3] != 0) == paged);
}

TEST_CASE("the answer to a synchronous request may take the place of the question", "[Q38]") {
  ChannelPair pair;
  pair.host.packet = [](Arrived& a) {
    std::uint64_t answer = 77;
    VmbChannelPacketComplete(a.packet, &answer, 8);
  };
  pair.open();
  std::uint64_t both = 1;
  CHECK(pair.on_guest([&] {
    UINT32 size = 8;
    CHECK(VmbChannelSendSynchronousRequest(pair.guest.channel, &both, 8, nullptr, wait_flag, &both, &size, nullptr) ==
          STATUS_SUCCESS);
  }));
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1});
  CHECK(both == 77);
  CHECK(pair.found().empty());
}

// ---- Packets, saving ----

TEST_CASE("pointer and routine of a packet survive its use, and not its initialisation", "[Q41]") {
  // VmbPacketSetPointer, VmbPacketSetCompletionRoutine, VmbPacketInitialize.
  ChannelPair pair;
  pair.open();
  pair.guest.completed = [](Returned&) {};
  pair.on_guest([&] {
    const UINT32 bytes = VmbChannelSizeofPacket(pair.guest.channel);
    auto* memory = static_cast<std::byte*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes, 1));
    const auto packet = reinterpret_cast<VMBPACKET>(memory);
    CHECK(VmbPacketInitialize(pair.guest.channel, packet, bytes) == STATUS_SUCCESS);
    pair.guest.prepare(packet, 1);
    const PVOID pointer = VmbPacketGetPointer(packet);
    for (int round = 1; round <= 3; ++round) {
      CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, nullptr, 0) == STATUS_SUCCESS);
      CHECK(VmbPacketGetPointer(packet) == pointer);
      CHECK(pair.guest.returned.size() == static_cast<std::size_t>(round));
    }
    CHECK(pair.found().empty());
    CHECK(VmbPacketInitialize(pair.guest.channel, packet, bytes) == STATUS_SUCCESS);
    CHECK(VmbPacketGetPointer(packet) == nullptr);
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, nullptr, 0) != STATUS_SUCCESS);
    CHECK(pair.machines.findings.count("K72") == 1);
  });
}

TEST_CASE("a channel is restored between Enable and Start, and saved while paused or not open", "[Q39]") {
  // VmbChannelSaveBegin, VmbChannelRestoreFromBuffer: the state they need is not said.
  ChannelPair pair;
  std::vector<std::byte> image(256);
  std::vector<NTSTATUS> saved, restored;
  const auto save = [&] {
    saved.push_back(VmbChannelSaveBegin(pair.host.channel));
    if (saved.back() != STATUS_SUCCESS) return;
    ULONG filled = 0, required = 0;
    CHECK(VmbChannelSaveContinue(pair.host.channel, image.data(), 256, &filled, &required) == STATUS_SUCCESS);
    VmbChannelSaveEnd(pair.host.channel);
    image.resize(filled);
  };
  const auto restore = [&] {
    restored.push_back(VmbChannelRestoreFromBuffer(pair.host.channel, image.data(), static_cast<ULONG>(image.size())));
  };
  pair.on_host([&] {
    save();  // disabled
    CHECK(pair.host.enable() == STATUS_SUCCESS);
    save();
    VmbChannelDisable(pair.host.channel);
    restore();  // disabled
    CHECK(pair.host.enable() == STATUS_SUCCESS);
    restore();
    VmbChannelStart(pair.host.channel);
    restore();  // active
  });
  CHECK(saved == std::vector<NTSTATUS>{STATUS_INVALID_DEVICE_STATE, STATUS_SUCCESS});
  CHECK(restored == std::vector<NTSTATUS>{STATUS_INVALID_DEVICE_STATE, STATUS_SUCCESS, STATUS_INVALID_DEVICE_STATE});
  CHECK(pair.found().empty());
}

}  // namespace
}  // namespace vmbsim::testing
