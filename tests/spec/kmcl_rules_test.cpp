// Rules of the client library that no call answers for: each broken once, and kept once by a twin.
// Source: include/vmbsim/rules.hpp names the document of each. Rules that belong to one group of calls are tested with it.
#include <catch2/catch.hpp>

#include "models/kmcl/vmbus_handle.hpp"
#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

/// "K59 K59": the rules that were broken, in order.
std::string broken(const ChannelPair& pair) {
  std::string text;
  for (const Finding& finding : pair.machines.findings.all()) text += (text.empty() ? "" : " ") + finding.rule;
  return text;
}

VMBCHANNEL another(ChannelPair& pair) {
  VMBCHANNEL channel = nullptr;
  CHECK(VmbChannelAllocate(&pair.guest.device.object, FALSE, &channel) == STATUS_SUCCESS);
  return channel;
}

/// A block of nonpaged pool with a descriptor list over it.
struct External {
  explicit External(bool locked = true) : bytes(ExAllocatePool2(POOL_FLAG_NON_PAGED, 4096, 1)) {
    mdl = IoAllocateMdl(bytes, 4096, FALSE, FALSE, nullptr);
    if (locked) MmBuildMdlForNonPagedPool(mdl);
  }
  ~External() { ExFreePool(bytes); }
  PVOID bytes;
  PMDL mdl;
};

PairConfig with_external() { return {.external_data = 65536}; }

// ---- Channels ----

TEST_CASE("A channel that was cleaned up is used no more, by no call", "[K04][K02]") {
  ChannelPair pair;
  pair.on_guest([&] {
    const VMBCHANNEL gone = another(pair);
    VmbChannelCleanup(gone);
    CHECK(VmbChannelEnable(gone) == STATUS_INVALID_PARAMETER_1);
    VmbChannelStart(gone);
    CHECK(VmbChannelInitSetFlags(gone, 0) == STATUS_INVALID_PARAMETER_1);
    CHECK(VmbPacketAllocate(gone) == nullptr);
    CHECK(VmbChannelGetPointer(gone) == nullptr);
    CHECK(VmbChannelSendSynchronousRequest(gone, nullptr, 0, nullptr, 0, nullptr, nullptr, nullptr) ==
          STATUS_DEVICE_REMOVED);
    CHECK(broken(pair) == "K04 K04 K04 K04 K04 K04");
    VmbChannelCleanup(gone);
    CHECK(pair.machines.findings.count("K02") == 1);
  });
}

TEST_CASE("A channel that is left when its driver is unloaded is told; one that was cleaned up is not", "[K02]") {
  ChannelPair pair;
  pair.on_guest([&] { another(pair); });
  kmcl::Endpoint::report_left(pair.guest.device);
  CHECK(broken(pair) == "K02 K02");  // the pair's own, and the other
}

TEST_CASE("A channel is allocated, cleaned up once, and forgotten", "[K02][K04][K03][kept]") {
  ChannelPair pair;
  pair.on_guest([&] {
    VmbChannelCleanup(another(pair));
    VmbChannelCleanup(pair.guest.channel);
  });
  kmcl::Endpoint::report_left(pair.guest.device);
  CHECK(broken(pair).empty());
}

TEST_CASE("Every setting of a channel is made at PASSIVE_LEVEL and before it is enabled", "[K05]") {
  ChannelPair pair;
  const auto settings = [&](VMBCHANNEL at) {
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
    VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
    WCHAR text[] = {'n', 0};
    const UNICODE_STRING name = {2, 4, text};
    return std::vector<NTSTATUS>{VmbChannelInitSetMaximumPacketSize(at, 64),
                                 VmbChannelInitSetMaximumExternalData(at, 4096, 1),
                                 VmbChannelInitSetClientContextSize(at, 8),
                                 VmbChannelInitSetProcessPacketCallbacks(at, nullptr, nullptr),
                                 VmbChannelInitSetStateChangeCallbacks(at, &callbacks),
                                 VmbChannelInitSetFriendlyName(at, &name),
                                 VmbChannelInitSetFlags(at, 0),
                                 VmbClientChannelInitSetRingBufferPageCount(at, 1, 1)};
  };
  std::vector<NTSTATUS> high;
  pair.on_guest([&] {
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    high = settings(pair.guest.channel);
    KeLowerIrql(before);
  });
  CHECK(high == std::vector<NTSTATUS>(8, STATUS_INVALID_DEVICE_STATE));
  CHECK(pair.machines.findings.count("IRQL") == 8);
  pair.open();
  std::vector<NTSTATUS> late;
  pair.on_guest([&] { late = settings(pair.guest.channel); });
  CHECK(late == std::vector<NTSTATUS>(8, STATUS_INVALID_PARAMETER_1));
  CHECK(pair.machines.findings.all().size() == 8);
}

TEST_CASE("A server's settings within their limits are taken, and its guest finds them",
          "[K09][K10][K11][K12][K14][K23][kept]") {
  UINT64 address = 0;
  UINT64 size = 0;
  ChannelPair pair({.host_channel = [](VMBCHANNEL at) {
    CHECK(VmbChannelInitSetFlags(at, 0) == STATUS_SUCCESS);
    CHECK(VmbServerChannelInitSetFlags(at, VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE) ==
          STATUS_SUCCESS);
    CHECK(VmbServerChannelInitSetMmioMegabytes(at, 1, 0) == STATUS_SUCCESS);
    CHECK(VmbServerChannelInitSetTargetVtl(at, 0) == STATUS_SUCCESS);
  }});
  pair.open();
  pair.on_guest([&] { VmbChannelGetMmioSpace(pair.guest.channel, &address, &size); });
  CHECK(size == 1u << 20);
  CHECK(broken(pair).empty());
}

TEST_CASE("A handle is converted, used and closed", "[K24][K25][kept]") {
  ChannelPair pair({.host_device = [](kmcl::Device& device) { device.needs_vmbus_handle = true; }});
  pair.on_host([&] {
    HANDLE kernel = nullptr;
    const HANDLE user = kmcl::VmbusHandle::open(pair.machines.host, pair.machines.bus);
    CHECK(VmbConvertVmbusHandleToKernelHandle(user, &kernel) == STATUS_SUCCESS);
    CHECK(VmbServerChannelInitSetVmbusHandle(pair.host.channel, kernel) == STATUS_SUCCESS);
    CHECK(ZwClose(kernel) == STATUS_SUCCESS);
    CHECK(ZwClose(user) == STATUS_SUCCESS);
  });
  pair.open();
  CHECK(pair.open_status == STATUS_SUCCESS);
  CHECK(broken(pair).empty());
}

TEST_CASE("What a client has closed is enabled before it is started again", "[K21]") {
  ChannelPair pair;
  pair.open();
  pair.on_host([&] { VmbChannelDisable(pair.host.channel); });
  pair.on_guest([&] { VmbChannelStart(pair.guest.channel); });
  CHECK(broken(pair) == "K21");
}

TEST_CASE("A client that was closed comes back by being enabled", "[K21][kept]") {
  ChannelPair pair;
  pair.open();
  pair.on_host([&] {
    VmbChannelDisable(pair.host.channel);
    CHECK(pair.host.enable() == STATUS_SUCCESS);
    VmbChannelStart(pair.host.channel);
  });
  pair.on_guest([&] {
    CHECK(pair.guest.enable() == STATUS_SUCCESS);
    CHECK(pair.guest.send(1) == STATUS_SUCCESS);
  });
  CHECK(pair.guest.returned.size() == 1);
  CHECK(broken(pair).empty());
}

TEST_CASE("Starting a channel that could not be enabled shows that nobody looked at the result", "[K16]") {
  ChannelPair pair({.host_device = [](kmcl::Device& device) { device.needs_vmbus_handle = true; }});
  pair.open();
  CHECK(pair.open_status != STATUS_SUCCESS);
  CHECK(pair.machines.findings.count("K16") == 1);
}

TEST_CASE("A channel that could not be enabled is left alone", "[K16][kept]") {
  ChannelPair pair({.host_device = [](kmcl::Device& device) { device.needs_vmbus_handle = true; }});
  pair.on_host([&] { CHECK(pair.host.enable() != STATUS_SUCCESS); });
  CHECK(pair.machines.findings.count("K16") == 0);
}

TEST_CASE("Packets queued on a channel that nobody enables are told when the run ends", "[K91]") {
  ChannelPair pair;
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  kmcl::Endpoint::report_waiting(pair.guest.device);
  REQUIRE(broken(pair) == "K91");
  CHECK(pair.machines.findings.all()[0].severity == Severity::warning);
}

TEST_CASE("Packets queued before the channel opens go out", "[K91][kept]") {
  ChannelPair pair;
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  pair.open();
  kmcl::Endpoint::report_waiting(pair.guest.device);
  CHECK(pair.guest.returned.size() == 1);
  CHECK(broken(pair).empty());
}

// ---- Callbacks ----

TEST_CASE("A packet that nobody completes holds the close up for ever, and is told", "[K32]") {
  ChannelPair pair;
  pair.host.packet = [](Arrived&) {};
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK_FALSE(pair.on_host([&] { VmbChannelDisable(pair.host.channel); }));
  kmcl::Endpoint::report_waiting(pair.host.device);
  CHECK(broken(pair) == "K32");
}

TEST_CASE("A packet may be completed after EvtChannelSuspend", "[K32][kept]") {
  ChannelPair pair;
  VMBPACKETCOMPLETION held = nullptr;
  pair.host.packet = [&](Arrived& a) { held = a.packet; };
  pair.host.suspend = [&] { VmbChannelPacketComplete(held, nullptr, 0); };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(pair.on_host([&] { VmbChannelDisable(pair.host.channel); }));
  kmcl::Endpoint::report_waiting(pair.host.device);
  CHECK(broken(pair).empty());
}

TEST_CASE("A server that leaves its transactions to the library is told, where a scenario asks for it", "[K33]") {
  ChannelPair pair;
  const bool asked = GENERATE(false, true);
  if (asked) pair.machines.findings.set_severity(*find_rule("K33"), Severity::warning);
  VMBPACKETCOMPLETION held = nullptr;
  pair.guest.packet = [&](Arrived& a) { held = a.packet; };
  pair.open();
  pair.on_host([&] { CHECK(pair.host.send(1) == STATUS_SUCCESS); });
  pair.on_host([&] { VmbChannelDisable(pair.host.channel); });
  pair.on_guest([&] { VmbChannelPacketComplete(held, nullptr, 0); });
  CHECK(broken(pair) == (asked ? "K33" : ""));
}

TEST_CASE("A server without transactions has none to retire", "[K33][kept]") {
  ChannelPair pair;
  pair.machines.findings.set_severity(*find_rule("K33"), Severity::warning);
  pair.open();
  pair.on_host([&] { CHECK(pair.host.send(1) == STATUS_SUCCESS); });
  CHECK(pair.on_host([&] { VmbChannelDisable(pair.host.channel); }));
  CHECK(broken(pair).empty());
}

TEST_CASE("A callback that returns at another IRQL is told, and the IRQL is put back", "[K38]") {
  ChannelPair pair;
  const std::string where = GENERATE("opened", "packet", "batch", "completed");
  CAPTURE(where);
  if (where == "opened")
    pair.guest.opened = [] {
      KeRaiseIrqlToDpcLevel();
      return STATUS_SUCCESS;
    };
  if (where == "packet")
    pair.host.packet = [](Arrived& a) {
      VmbChannelPacketComplete(a.packet, nullptr, 0);
      KeLowerIrql(PASSIVE_LEVEL);
    };
  if (where == "batch") pair.host.batch_over = [](UINT32) { KeLowerIrql(PASSIVE_LEVEL); };
  if (where == "completed")
    pair.guest.completed = [](Returned& r) {
      VmbPacketFree(r.packet);
      KeLowerIrql(PASSIVE_LEVEL);
    };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(pair.machines.findings.count("K38") == 1);
  CHECK(pair.guest.returned.size() == 1);
}

TEST_CASE("A callback that keeps a spin lock is told", "[K38]") {
  ChannelPair pair;
  KSPIN_LOCK lock = 0;
  pair.host.packet = [&](Arrived& a) {
    KeAcquireSpinLockAtDpcLevel(&lock);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(broken(pair) == "K38");
}

TEST_CASE("A callback may take a lock and raise the IRQL, if it puts both back", "[K38][kept]") {
  ChannelPair pair;
  KSPIN_LOCK lock = 0;
  pair.host.packet = [&](Arrived& a) {
    KIRQL before = 0;
    KeAcquireSpinLock(&lock, &before);
    KeReleaseSpinLock(&lock, before);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.guest.opened = [] {
    KeLowerIrql(KeRaiseIrqlToDpcLevel());
    return STATUS_SUCCESS;
  };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(broken(pair).empty());
}

TEST_CASE("Waiting in a packet callback at DISPATCH_LEVEL is the kernel's finding, bug check 0xB8", "[K39]") {
  ChannelPair pair;
  KEVENT never;
  KeInitializeEvent(&never, NotificationEvent, FALSE);
  pair.host.packet = [&](Arrived& a) {
    KeWaitForSingleObject(&never, Executive, KernelMode, FALSE, nullptr);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  REQUIRE(broken(pair) == "IRQL");
  CHECK(pair.machines.findings.all()[0].bug_check == BugCheck::attempted_switch_from_dpc);
}

TEST_CASE("A packet callback at PASSIVE_LEVEL may wait", "[K39][kept]") {
  ChannelPair pair({.host_passive = true});
  pair.host.packet = [&](Arrived& a) {
    LARGE_INTEGER span;
    span.QuadPart = -10;
    KeDelayExecutionThread(KernelMode, FALSE, &span);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(pair.guest.returned.size() == 1);
  CHECK(broken(pair).empty());
}

// ---- Incoming packets ----

TEST_CASE("A packet's bytes are dead once it is completed: written, sent or answered with, they are told", "[K59]") {
  ChannelPair pair;
  std::byte* bytes = nullptr;
  pair.host.packet = [&](Arrived& a) {
    bytes = a.buffer;
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  SECTION("written") {
    pair.on_host([&] { bytes[0] = std::byte{1}; });
    pair.on_guest([&] { CHECK(pair.guest.send(2) == STATUS_SUCCESS); });
  }
  SECTION("sent") {
    pair.on_host([&] {
      VMBPACKET packet = pair.host.new_packet(1);
      CHECK(VmbPacketSend(packet, bytes, 8, nullptr, 0) == STATUS_SUCCESS);
    });
  }
  SECTION("answered with") {
    std::uint64_t copy = 0;
    pair.on_host([&] { std::memcpy(&copy, bytes, sizeof copy); });
    pair.host.packet = [&](Arrived& a) { VmbChannelPacketComplete(a.packet, &copy, sizeof copy); };
    pair.on_guest([&] { CHECK(pair.guest.send(2) == STATUS_SUCCESS); });
  }
  CHECK(broken(pair) == "K59");
}

TEST_CASE("A packet's bytes may be its answer", "[K59][kept]") {
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 5; ++n) CHECK(pair.guest.send(n, 64) == STATUS_SUCCESS);
  });
  CHECK(pair.guest.returned.size() == 5);
  CHECK(broken(pair).empty());
}

TEST_CASE("Unknown flags for external data are refused", "[K57]") {
  ChannelPair pair(with_external());
  pair.host.packet = [](Arrived& a) {
    PMDL mdl = nullptr;
    CHECK(VmbChannelPacketGetExternalData(a.packet, 2, &mdl) == STATUS_INVALID_PARAMETER);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  pair.on_guest([&] {
    External data;
    VMBPACKET packet = pair.guest.new_packet(1);
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, data.mdl, wait_flag) == STATUS_SUCCESS);
    KeLowerIrql(KeRaiseIrqlToDpcLevel());
  });
  CHECK(pair.machines.findings.count("K57") == 1);
}

/// What the host does with the list of a packet's external data, and after it has completed the packet.
std::string with_list(UINT32 flags, const std::function<void(PMDL)>& before, const std::function<void(PMDL)>& after) {
  ChannelPair pair(with_external());
  External* data = nullptr;
  pair.on_guest([&] { data = new External; });
  pair.host.packet = [&](Arrived& a) {
    PMDL mdl = nullptr;
    REQUIRE(VmbChannelPacketGetExternalData(a.packet, flags, &mdl) == STATUS_SUCCESS);
    before(mdl);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
    after(mdl);
  };
  pair.open();
  pair.on_guest([&] {
    VMBPACKET packet = pair.guest.new_packet(1);
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, data->mdl, wait_flag) == STATUS_SUCCESS);
  });
  CHECK(pair.guest.returned.size() == 1);
  pair.on_guest([&] {
    IoFreeMdl(data->mdl);
    delete data;
  });
  return broken(pair);
}
void nothing(PMDL) {}
void map(PMDL mdl) { CHECK(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) != nullptr); }
void map_and_unmap(PMDL mdl) {
  map(mdl);
  MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
}
void write(PMDL mdl) {
  map(mdl);
  static_cast<char*>(mdl->MappedSystemVa)[0] ^= 1;
  MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
}

TEST_CASE("A list of external data is the library's: not freed, not locked, unmapped in time, dead in the end",
          "[K58]") {
  CHECK(with_list(
            0, [](PMDL mdl) { IoFreeMdl(mdl); }, nothing) == "K58");
  CHECK(with_list(
            0, [](PMDL mdl) { MmProbeAndLockPages(mdl, KernelMode, IoReadAccess); }, nothing) == "K58");
  CHECK(with_list(0, map, nothing) == "K58");
  CHECK(with_list(0, nothing, [](PMDL mdl) { MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority); }) == "K58");
}

TEST_CASE("External data that was asked for to be read has not changed when the packet is completed", "[K60]") {
  CHECK(with_list(VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY, write, nothing) == "K60");
}

TEST_CASE("External data is mapped, unmapped, and written where that was asked for", "[K57][K58][K60][K55][kept]") {
  CHECK(with_list(0, write, nothing).empty());
  CHECK(with_list(VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY, map_and_unmap, nothing).empty());
}

// ---- Outgoing packets ----

TEST_CASE("A packet that the driver keeps is missing when the channel is cleaned up; a queued one is under way",
          "[K77][K78]") {
  ChannelPair pair;
  pair.on_guest([&] {
    CHECK(VmbPacketAllocate(pair.guest.channel) != nullptr);
    CHECK(pair.guest.send(1) == STATUS_SUCCESS);
    VmbChannelCleanup(pair.guest.channel);
  });
  CHECK(broken(pair) == "K78 K77");
}

TEST_CASE("Packets that were freed, or freed themselves, are not missing", "[K77][K78][kept]") {
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] {
    std::uint64_t data = 1;
    VmbPacketFree(VmbPacketAllocate(pair.guest.channel));
    CHECK(VmbPacketSend(VmbPacketAllocate(pair.guest.channel), &data, 8, nullptr, 0) == STATUS_SUCCESS);
    VmbChannelDisable(pair.guest.channel);
    VmbChannelCleanup(pair.guest.channel);
  });
  CHECK(broken(pair).empty());
}

TEST_CASE("External data without WAIT_FOR_COMPLETION is pointed out", "[K80]") {
  ChannelPair pair(with_external());
  pair.open();
  pair.on_guest([&] {
    External data;
    VMBPACKET packet = pair.guest.new_packet(1);
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, data.mdl, 0) == STATUS_SUCCESS);
    IoFreeMdl(data.mdl);
  });
  REQUIRE(broken(pair) == "K80");
  CHECK(pair.machines.findings.all()[0].severity == Severity::warning);
}

TEST_CASE("Pages are locked before a packet describes them, and until it is complete", "[K86]") {
  ChannelPair pair(with_external());
  VMBPACKETCOMPLETION held = nullptr;
  pair.host.packet = [&](Arrived& a) { held = a.packet; };
  pair.open();
  SECTION("not before") {
    pair.on_guest([&] {
      External data(false);
      VMBPACKET packet = pair.guest.new_packet(1);
      static_cast<void>(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, data.mdl, wait_flag));
      IoFreeMdl(data.mdl);
    });
    CHECK(pair.machines.findings.count("K86") == 1);
  }
  SECTION("not until then") {
    pair.on_guest([&] {
      External data;
      VMBPACKET packet = pair.guest.new_packet(1);
      CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, data.mdl, wait_flag) == STATUS_SUCCESS);
      IoFreeMdl(data.mdl);
    });
    pair.on_host([&] { VmbChannelPacketComplete(held, nullptr, 0); });
    CHECK(broken(pair) == "K86");
  }
}

TEST_CASE("A list may be freed by the completion routine", "[K80][K86][K79][kept]") {
  ChannelPair pair(with_external());
  External* data = nullptr;
  pair.guest.completed = [&](Returned& r) {
    IoFreeMdl(data->mdl);
    VmbPacketFree(r.packet);
  };
  pair.open();
  pair.on_guest([&] {
    data = new External;
    VMBPACKET packet = pair.guest.new_packet(1);
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, data->mdl, wait_flag) == STATUS_SUCCESS);
  });
  pair.on_guest([&] { delete data; });
  CHECK(pair.guest.returned.size() == 1);
  CHECK(broken(pair).empty());
}

/// Sends eight bytes of paged pool.
std::string from_paged_pool(UINT32 flags, bool raised) {
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] {
    PVOID bytes = ExAllocatePool2(POOL_FLAG_PAGED, 8, 1);
    VMBPACKET packet = pair.guest.new_packet(1);
    const KIRQL before = raised ? KeRaiseIrqlToDpcLevel() : KIRQL{PASSIVE_LEVEL};
    static_cast<void>(VmbPacketSend(packet, bytes, 8, nullptr, flags));
    if (raised) KeLowerIrql(before);
    ExFreePool(bytes);
  });
  return broken(pair);
}

TEST_CASE("A pageable buffer needs PAGED_BUFFER, and an IRQL up to APC_LEVEL", "[K83]") {
  CHECK(from_paged_pool(0, false) == "K83");
  CHECK(from_paged_pool(VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER, true).find("K83") != std::string::npos);
}

TEST_CASE("A pageable buffer is sent with PAGED_BUFFER", "[K83][kept]") {
  CHECK(from_paged_pool(VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER, false).empty());
}

TEST_CASE("A packet of the driver's own memory needs a completion routine", "[K72]") {
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] {
    const UINT32 size = VmbChannelSizeofPacket(pair.guest.channel);
    std::vector<std::uint64_t> memory(size / 8 + 1);
    const auto packet = reinterpret_cast<VMBPACKET>(memory.data());
    CHECK(VmbPacketInitialize(pair.guest.channel, packet, size) == STATUS_SUCCESS);
    std::uint64_t data = 1;
    CHECK(VmbPacketSend(packet, &data, sizeof data, nullptr, 0) == STATUS_INVALID_PARAMETER_1);
  });
  CHECK(broken(pair) == "K72");
}

TEST_CASE("A packet that is under way is not initialised anew", "[K75]") {
  ChannelPair pair;
  pair.host.packet = [](Arrived&) {};
  pair.open();
  std::vector<std::uint64_t> memory;
  pair.on_guest([&] {
    const UINT32 size = VmbChannelSizeofPacket(pair.guest.channel);
    memory.resize(size / 8 + 1);
    const auto packet = reinterpret_cast<VMBPACKET>(memory.data());
    CHECK(VmbPacketInitialize(pair.guest.channel, packet, size) == STATUS_SUCCESS);
    pair.guest.prepare(packet, 1);
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, nullptr, wait_flag) == STATUS_SUCCESS);
    CHECK(VmbPacketInitialize(pair.guest.channel, packet, size) == STATUS_INVALID_PARAMETER_2);
  });
  CHECK(broken(pair) == "K75");
}

TEST_CASE("FORCE_MDL_LENGTH may go to the end of the page", "[K81][kept]") {
  ChannelPair pair(with_external());
  pair.open();
  External* data = nullptr;
  pair.on_guest([&] {
    data = new External;
    data->mdl->ByteCount = 100;
    VMBPACKET packet = pair.guest.new_packet(1);
    CHECK(VmbPacketSendWithExternalMdl(packet, pair.guest.bytes_of(1).data(), 8, data->mdl, 0, 4096,
                                       wait_flag | VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH) == STATUS_SUCCESS);
  });
  pair.on_guest([&] {
    IoFreeMdl(data->mdl);
    delete data;
  });
  CHECK(pair.guest.returned.size() == 1);
  CHECK(broken(pair).empty());
}

TEST_CASE("A host tries a synchronous request, and does not wait", "[K88][kept]") {
  ChannelPair pair;
  pair.open();
  pair.on_host([&] {
    LARGE_INTEGER none;
    none.QuadPart = 0;
    std::uint64_t data = 1;
    CHECK(VmbChannelSendSynchronousRequest(pair.host.channel, &data, sizeof data, nullptr, 0, nullptr, nullptr,
                                           &none) == STATUS_SUCCESS);
  });
  CHECK(pair.guest.arrived.size() == 1);
  CHECK(broken(pair).empty());
}

// ---- Shared memory ----

TEST_CASE("A read-only GPADL is mapped read-only", "[K104][kept]") {
  ChannelPair pair;
  UINT32 handle = 0;
  pair.open();
  pair.on_guest([&] {
    PVOID bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4096, 1);
    CHECK(VmbChannelCreateGpadlFromBuffer(pair.guest.channel, VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY, bytes, 4096,
                                          &handle) == STATUS_SUCCESS);
  });
  pair.on_host([&] {
    PMDL mdl = nullptr;
    CHECK(VmbChannelMapGpadl(pair.host.channel, VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY, handle, &mdl) == STATUS_SUCCESS);
    VmbChannelUnmapGpadl(pair.host.channel, handle);
  });
  pair.on_guest([&] { VmbChannelDeleteGpadl(pair.guest.channel, handle); });
  CHECK(broken(pair).empty());
}

TEST_CASE("A GPADL that the server never unmaps holds its deletion up for ever, and is told", "[K105]") {
  ChannelPair pair;
  UINT32 handle = 0;
  pair.open();
  pair.on_guest([&] {
    PVOID bytes = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4096, 1);
    CHECK(VmbChannelCreateGpadlFromBuffer(pair.guest.channel, 0, bytes, 4096, &handle) == STATUS_SUCCESS);
  });
  pair.on_host([&] {
    PMDL mdl = nullptr;
    CHECK(VmbChannelMapGpadl(pair.host.channel, 0, handle, &mdl) == STATUS_SUCCESS);
  });
  CHECK_FALSE(pair.on_guest([&] { VmbChannelDeleteGpadl(pair.guest.channel, handle); }));
  kmcl::Endpoint::report_waiting(pair.guest.device);
  CHECK(broken(pair) == "K105");
  pair.on_host([&] { VmbChannelUnmapGpadl(pair.host.channel, handle); });
  CHECK(pair.machines.running[pair.machines.running.size() - 2].ended);
}

// ---- What becomes of a finding ----

TEST_CASE("A finding has its rule's severity, source and call; a rule that is off is not even counted") {
  for (const Severity severity : {Severity::off, Severity::warning, Severity::error}) {
    ChannelPair pair;
    pair.machines.findings.set_severity(*find_rule("K26"), severity);
    pair.on_guest([&] { VmbChannelSetTransactionQuota(pair.guest.channel, 0); });
    CHECK(pair.machines.findings.count("K26") == (severity == Severity::off ? 0 : 1));
    if (severity == Severity::off) continue;
    const Finding& finding = pair.machines.findings.all().at(0);
    CHECK(finding.severity == severity);
    CHECK(finding.call == "VmbChannelSetTransactionQuota");
    CHECK(finding.source == "KMCL DDI, VmbChannelSetTransactionQuota");
  }
}

}  // namespace
}  // namespace vmbsim::testing
