// GPADLs: VmbChannelCreateGpadlFromMdl, VmbChannelCreateGpadlFromBuffer, VmbChannelDeleteGpadl, VmbChannelMapGpadl,
// VmbChannelUnmapGpadl. Source: their KMCL DDI pages.
#include <catch2/catch.hpp>
#include <cstring>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

constexpr UINT32 read_only = VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY;

std::byte* pages(std::size_t bytes) { return static_cast<std::byte*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes, 1)); }

/// The guest shares `bytes` of a buffer that begins with 'g'; both in threads of their own.
struct Sharing {
  ChannelPair pair{PairConfig{.machines = {.costs = costs_of({{&hw::Costs::control_message, 10us}})}}};
  std::byte* buffer = nullptr;
  UINT32 handle = 0;
  NTSTATUS created = STATUS_UNSUCCESSFUL;
  MDL* mapped = nullptr;

  void create(UINT32 bytes = 8192, UINT32 flags = 0) {
    pair.on_guest([&, bytes, flags] {
      buffer = pages(bytes);
      buffer[0] = std::byte{'g'};
      created = VmbChannelCreateGpadlFromBuffer(pair.guest.channel, flags, buffer, bytes, &handle);
    });
  }
  NTSTATUS map(UINT32 flags = 0) {
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    pair.on_host([&] { status = VmbChannelMapGpadl(pair.host.channel, flags, handle, &mapped); });
    return status;
  }
  void unmap() {
    pair.on_host([&] { VmbChannelUnmapGpadl(pair.host.channel, handle); });
  }
  bool erase() {
    return pair.on_guest([&] { VmbChannelDeleteGpadl(pair.guest.channel, handle); });
  }
  std::uint64_t count(const char* rule) const { return pair.machines.findings.count(rule); }
};

TEST_CASE("a buffer that the guest shares is the host's to map when the creation returns", "[kmcl]") {
  Sharing s;
  s.pair.open();
  const SimTime start = s.pair.machines.world.now();
  s.create();
  CHECK(s.created == STATUS_SUCCESS);
  CHECK(s.handle != 0);
  CHECK(s.pair.machines.world.now() - start == 20us);  // described, and confirmed
  REQUIRE(s.map() == STATUS_SUCCESS);
  CHECK(MmGetMdlByteCount(s.mapped) == 8192);
  CHECK((s.mapped->MdlFlags & MDL_PAGES_LOCKED) != 0);
  CHECK((s.mapped->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) == 0);
  s.pair.on_host([&] {
    auto* bytes = static_cast<std::byte*>(MmGetSystemAddressForMdlSafe(s.mapped, NormalPagePriority));
    REQUIRE(bytes != nullptr);
    CHECK(bytes[0] == std::byte{'g'});
    bytes[4096] = std::byte{'h'};  // one memory
  });
  CHECK(s.buffer[4096] == std::byte{'h'});
  s.unmap();
  CHECK(s.erase());
  s.pair.on_guest([&] { VmbChannelDisable(s.pair.guest.channel); });
  CHECK(s.pair.found().empty());
  CHECK(s.pair.machines.bus.gpadls().count() == 0);
}

TEST_CASE("part of a chain is shared as one range per descriptor list", "[kmcl]") {
  Sharing s;
  s.pair.open();
  s.pair.on_guest([&] {
    std::byte* first = pages(8192);
    std::byte* second = pages(8192);
    first[4096 + 100] = std::byte{'a'};
    second[512] = std::byte{'b'};
    MDL* head = IoAllocateMdl(first + 4096, 4096, FALSE, FALSE, nullptr);
    head->Next = IoAllocateMdl(second + 512, 1000, FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(head);
    MmBuildMdlForNonPagedPool(head->Next);
    UINT32 none = 7;
    CHECK(VmbChannelCreateGpadlFromMdl(s.pair.guest.channel, 0, head, 100, 5000, &none) == STATUS_INVALID_PARAMETER_4);
    CHECK(none == 0);
    CHECK(VmbChannelCreateGpadlFromMdl(s.pair.guest.channel, 0, head, 100, 0, &s.handle) == STATUS_SUCCESS);
  });
  REQUIRE(s.map() == STATUS_SUCCESS);
  s.pair.on_host([&] {
    CHECK(s.mapped->ByteCount == 3996);
    CHECK(s.mapped->ByteOffset == 100);
    REQUIRE(s.mapped->Next != nullptr);
    CHECK(s.mapped->Next->ByteCount == 1000);
    CHECK(s.mapped->Next->ByteOffset == 512);
    CHECK(s.mapped->Next->Next == nullptr);
    CHECK(*static_cast<std::byte*>(MmGetSystemAddressForMdlSafe(s.mapped, NormalPagePriority)) == std::byte{'a'});
    CHECK(*static_cast<std::byte*>(MmGetSystemAddressForMdlSafe(s.mapped->Next, NormalPagePriority)) == std::byte{'b'});
  });
  s.unmap();
  CHECK(s.erase());
  CHECK(s.pair.found().empty());
}

TEST_CASE("deleting waits while the host has the buffer mapped", "[K34][K100][K101][K102][K103][K105][K106][kept]") {
  Sharing s;
  s.pair.open();
  s.create();
  REQUIRE(s.map() == STATUS_SUCCESS);
  CHECK_FALSE(s.erase());
  const auto& deleting = s.pair.machines.running.back();
  CHECK(s.map() == STATUS_INVALID_DEVICE_STATE);
  s.unmap();
  CHECK(deleting.ended);
  CHECK(s.map() == STATUS_INVALID_PARAMETER_3);  // it names nothing any more
}

TEST_CASE("what may be mapped, and how often", "[K102][K104]") {
  Sharing s;
  s.pair.open();
  s.create(4096, read_only);
  CHECK(s.map() == STATUS_ACCESS_DENIED);  // K104; the page gives no code
  CHECK(s.map(read_only) == STATUS_SUCCESS);
  CHECK(s.pair.found().empty());
  CHECK(s.map(read_only) == STATUS_INVALID_DEVICE_STATE);  // K102: one mapping at a time
  CHECK(s.count("K102") == 1);
  s.unmap();
  CHECK(s.map(read_only) == STATUS_SUCCESS);
  s.unmap();
  s.unmap();  // K103: no mapping is left
  CHECK(s.count("K103") == 1);
  CHECK(s.map(2) == STATUS_INVALID_PARAMETER_2);  // K106
  CHECK(s.count("K106") == 1);
  s.handle = 999;  // a number that the guest made up is no mistake of the host's driver
  CHECK(s.map() == STATUS_INVALID_PARAMETER_3);
}

TEST_CASE("memory is shared by the guest, from EvtChannelOpened to EvtChannelClosed", "[K100][K101][K106]") {
  Sharing s;
  s.create();
  CHECK(s.created == STATUS_INVALID_DEVICE_STATE);
  CHECK(s.count("K100") == 1);
  UINT32 kept = 0;
  s.pair.guest.opened = [&] {
    std::byte* page = pages(4096);
    CHECK(VmbChannelCreateGpadlFromBuffer(s.pair.guest.channel, 0, page, 4096, &kept) == STATUS_SUCCESS);
    return STATUS_SUCCESS;
  };
  s.pair.guest.closed = [&] { VmbChannelDeleteGpadl(s.pair.guest.channel, kept); };
  s.pair.open();
  s.create(4096, 2);
  CHECK(s.created == STATUS_INVALID_PARAMETER_2);
  CHECK(s.count("K106") == 1);
  s.pair.on_guest([&] {
    UINT32 none = 0;
    int elsewhere = 0;
    CHECK(VmbChannelCreateGpadlFromBuffer(s.pair.guest.channel, 0, &elsewhere, 4, &none) == STATUS_INVALID_PARAMETER_3);
    VmbChannelDeleteGpadl(s.pair.guest.channel, 1234);
  });
  CHECK(s.count("K101") == 1);
  s.pair.on_host([&] {
    UINT32 none = 0;
    CHECK(VmbChannelCreateGpadlFromBuffer(s.pair.host.channel, 0, pages(4096), 4096, &none) ==
          STATUS_INVALID_PARAMETER_1);
    VmbChannelDisable(s.pair.host.channel);
  });
  CHECK(s.count("K100") == 2);
  CHECK(s.count("K34") == 0);
  CHECK(s.pair.order("guest") == "Opened Started PostStarted Suspend Closed");
  CHECK(s.pair.machines.bus.gpadls().count() == 0);
}

TEST_CASE("what is still shared or mapped at the end of EvtChannelClosed is taken back, and told", "[K34][K103]") {
  Sharing s;
  s.pair.open();
  s.create();
  REQUIRE(s.map() == STATUS_SUCCESS);
  SECTION("the guest closes") {
    CHECK(s.pair.on_guest([&] { VmbChannelDisable(s.pair.guest.channel); }));
  }
  SECTION("the host goes away") {
    CHECK(s.pair.on_host([&] { VmbChannelDisable(s.pair.host.channel); }));
  }
  CHECK(s.count("K103") == 1);
  CHECK(s.count("K34") == 1);
  CHECK(s.pair.guest.disabled());
  CHECK(s.pair.machines.bus.gpadls().count() == 0);
}

TEST_CASE("memory that was shared in an EvtChannelOpened which then failed is taken back, and told", "[kmcl][Q3]") {
  Sharing s;
  s.pair.guest.opened = [&] {
    static_cast<void>(VmbChannelCreateGpadlFromBuffer(s.pair.guest.channel, 0, pages(4096), 4096, &s.handle));
    return STATUS_UNSUCCESSFUL;
  };
  s.pair.open();
  CHECK(s.count("K34") == 1);
  CHECK(s.pair.guest.disabled());
  CHECK(s.pair.order("guest") == "Opened");
  CHECK(s.pair.machines.bus.gpadls().count() == 0);
}

TEST_CASE("a channel that is rescinded while memory is being shared ends cleanly", "[kmcl]") {
  // OpenVMM, vmbus_server: GPADL requests on a rescinded channel are answered.
  Sharing s;
  s.pair.open();
  s.pair.machines.start(s.pair.machines.host, 0, [&] { VmbChannelDisable(s.pair.host.channel); });
  s.create();
  CHECK(s.pair.guest.disabled());
  CHECK(s.pair.host.disabled());
  CHECK(s.pair.machines.bus.gpadls().count() == 0);
}

}  // namespace
}  // namespace vmbsim::testing
