// A channel's lesser settings: flags, pipes, MMIO space, trust levels, handles, plug and play, interrupt latency.
// Sources: the KMCL DDI page of the function named in each test.
#include <catch2/catch.hpp>

#include "models/kmcl/vmbus_handle.hpp"
#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

// ---- Offers ----

TEST_CASE("server-only settings are refused with the documented status", "[K10][K11][K12][K14]") {
  ChannelPair pair;
  const VMBCHANNEL server = pair.host.channel;
  const VMBCHANNEL client = pair.guest.channel;
  CHECK(VmbServerChannelInitSetFlags(server, 0x1F) == STATUS_SUCCESS);
  CHECK(VmbServerChannelInitSetFlags(server, 0x20) == STATUS_INVALID_PARAMETER_2);        // K10
  CHECK(VmbServerChannelInitSetMmioMegabytes(server, 0, 0) == STATUS_INVALID_PARAMETER);  // K11
  CHECK(VmbServerChannelInitSetTargetVtl(server, 0) == STATUS_SUCCESS);
  CHECK(VmbServerChannelInitSetTargetVtl(server, 3) == STATUS_INVALID_PARAMETER_2);  // K12
  CHECK(pair.found().empty());
  CHECK(VmbServerChannelInitSetFlags(client, 0) == STATUS_INVALID_PARAMETER_1);  // K14
  CHECK(VmbServerChannelInitSetMmioMegabytes(client, 1, 0) == STATUS_INVALID_PARAMETER_1);
  CHECK(VmbServerChannelInitSetTargetVtl(client, 0) == STATUS_INVALID_PARAMETER_1);
  CHECK(VmbServerChannelInitSetSaveRestorePacketCallbacks(client, nullptr, nullptr) == STATUS_INVALID_PARAMETER_1);
  CHECK(VmbClientChannelInitSetTargetPnp(server, &pair.host.device.id.type, nullptr, nullptr) ==
        STATUS_INVALID_PARAMETER_1);
  CHECK(pair.machines.findings.count("K14") == 5);
  CHECK(VmbServerChannelInitSetFlags(server, 0) == STATUS_SUCCESS);
  pair.open();
  CHECK(VmbServerChannelInitSetFlags(server, 0) == STATUS_INVALID_PARAMETER_1);  // K05: configured before Enable only
  CHECK(VmbServerChannelInitSetMmioMegabytes(server, 1, 0) == STATUS_INVALID_PARAMETER_1);
  CHECK(VmbServerChannelInitSetTargetVtl(server, 0) == STATUS_INVALID_PARAMETER_1);
  CHECK(VmbClientChannelInitSetTargetPnp(client, &pair.host.device.id.type, nullptr, nullptr) ==
        STATUS_INVALID_PARAMETER_1);
}

TEST_CASE("the guest finds the MMIO space that the host reserved, once the channel has opened", "[K23]") {
  ChannelPair pair({.host_channel = [](VMBCHANNEL at) { VmbServerChannelInitSetMmioMegabytes(at, 8, 4); }});
  UINT64 address = 1;
  UINT64 size = 1;
  VmbChannelGetMmioSpace(pair.guest.channel, &address, &size);
  CHECK((address == 0 && size == 0));
  CHECK(pair.machines.findings.count("K23") == 1);
  pair.open();
  VmbChannelGetMmioSpace(pair.guest.channel, &address, &size);
  CHECK(address == 0xFE0000000);
  CHECK(size == 12u << 20);
  CHECK(pair.machines.findings.count("K23") == 1);
}

TEST_CASE("an offer for another virtual trust level is not seen", "[kmcl]") {
  const std::uint8_t guest_vtl = GENERATE(std::uint8_t{0}, std::uint8_t{2});
  ChannelPair pair({.guest_device = [&](kmcl::Device& device) { device.vtl = guest_vtl; },
                    .host_channel = [](VMBCHANNEL at) { VmbServerChannelInitSetTargetVtl(at, 2); }});
  pair.open();
  CHECK(pair.order("guest") == (guest_vtl == 2 ? "Opened Started PostStarted" : ""));
}

// ---- Which guest ----

TEST_CASE("a converted handle says which guest a channel is offered to", "[K24][K25][Q40]") {
  // Chosen: the scenario owns one user-mode handle per guest, and any thread may convert it.
  ChannelPair pair({.host_device = [](kmcl::Device& device) { device.needs_vmbus_handle = true; }});
  NTSTATUS enabled = STATUS_SUCCESS;
  pair.on_host([&] { enabled = pair.host.enable(); });
  CHECK(enabled == STATUS_INVALID_DEVICE_STATE);
  CHECK(pair.machines.findings.count("K25") == 1);

  HANDLE user = kmcl::VmbusHandle::open(pair.machines.host, pair.machines.bus);
  CHECK(VmbServerChannelInitSetVmbusHandle(pair.host.channel, user) == STATUS_INVALID_PARAMETER_2);
  CHECK(pair.machines.findings.count("K25") == 2);
  HANDLE kernel = nullptr;
  NTSTATUS closed = STATUS_UNSUCCESSFUL;
  pair.on_host([&] {
    HANDLE nothing = &pair;
    CHECK(VmbConvertVmbusHandleToKernelHandle(&nothing, &nothing) == STATUS_INVALID_HANDLE);
    CHECK(VmbConvertVmbusHandleToKernelHandle(user, &kernel) == STATUS_SUCCESS);
    CHECK(VmbServerChannelInitSetVmbusHandle(pair.host.channel, kernel) == STATUS_SUCCESS);
    closed = ZwClose(kernel);
    CHECK(ZwClose(kernel) == STATUS_INVALID_HANDLE);
  });
  CHECK(closed == STATUS_SUCCESS);
  CHECK(pair.machines.findings.count("K24") == 1);
  pair.open();
  CHECK(pair.order("guest") == "Opened Started PostStarted");
}

// ---- Plug and play ----

/// A client's channel that is found through plug and play, and what its driver was told.
struct Pnp {
  static inline std::vector<NTSTATUS> failures;  // callbacks get no context but the channel
  static void on_failure(VMBCHANNEL, NTSTATUS status) { failures.push_back(status); }
  Pnp() { failures.clear(); }
};

TEST_CASE("a client that takes any instance learns which one it got, even when it is offered late", "[kmcl]") {
  const Pnp pnp;
  ChannelPair pair({.instance = 77, .guest_channel = [](VMBCHANNEL at) {
                      const GUID type{0x11, 0x22, 0x33, {}};
                      VmbClientChannelInitSetTargetPnp(at, &type, nullptr, Pnp::on_failure);
                    }});
  GUID instance{1, 2, 3, {}};
  VmbChannelGetInterfaceInstance(pair.guest.channel, &instance);
  CHECK(instance == GUID{});
  pair.on_guest([&] { static_cast<void>(pair.guest.enable()); });
  CHECK(pair.order().empty());  // Enable does not wait
  pair.open();
  VmbChannelGetInterfaceInstance(pair.guest.channel, &instance);
  CHECK(instance.Data1 == 77);
  VmbChannelGetInterfaceInstance(pair.host.channel, &instance);
  CHECK(instance.Data1 == 77);
  CHECK(pair.order("guest") == "Opened Started PostStarted");
  CHECK(Pnp::failures.empty());
}

TEST_CASE("a client that names an instance takes no other", "[kmcl]") {
  ChannelPair pair({.instance = 77, .guest_channel = [](VMBCHANNEL at) {
                      const GUID type{0x11, 0x22, 0x33, {}};
                      const GUID instance{78, 0, 0, {}};
                      VmbClientChannelInitSetTargetPnp(at, &type, &instance, nullptr);
                    }});
  pair.open();
  CHECK(pair.order().empty());
}

TEST_CASE("when connecting fails the callback tells, and the channel stays enabled until it is disabled",
          "[kmcl][T16][Q4][Q30]") {
  // EVT_VMB_CHANNEL_PNP_FAILURE; that the state is "enabled and not open" is chosen.
  const Pnp pnp;
  const auto find_it = [](VMBCHANNEL at) {
    const GUID type{0x11, 0x22, 0x33, {}};
    const PFN_VMB_CHANNEL_PNP_FAILURE tell = Pnp::on_failure;
    VmbClientChannelInitSetTargetPnp(at, &type, nullptr, tell);
  };
  PairConfig config{.guest_channel = find_it};
  NTSTATUS expected = STATUS_DEVICE_NOT_CONNECTED;
  bool refuse = false;
  SECTION("by a fault") {
    expected = STATUS_IO_TIMEOUT;
    config.guest_device = [](kmcl::Device& device) { device.policies.pnp_failure = STATUS_IO_TIMEOUT; };
  }
  SECTION("because the server's EvtChannelOpened fails") { refuse = true; }
  ChannelPair pair(config);
  if (refuse) pair.host.opened = [] { return STATUS_UNSUCCESSFUL; };
  pair.open();
  CHECK(Pnp::failures == std::vector<NTSTATUS>{expected});
  CHECK_FALSE(pair.guest.disabled());
  CHECK(pair.order("guest").empty());
  CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
  CHECK(pair.guest.disabled());
  CHECK(pair.found().empty());
}

// ---- Interrupt latency ----

TEST_CASE("a latency delays the host's interrupt and lets several packets share it", "[K22][kept][Q27]") {
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::signal_host, 1us}, {&hw::Costs::hypercall, 3us}})}});
  UINT16 before = 0xFFFF;
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  pair.guest.opened = [&] {  // legal from here on
    status = VmbChannelSetInterruptLatency(pair.guest.channel, 1000, &before);
    return STATUS_SUCCESS;
  };
  pair.open();
  CHECK(status == STATUS_SUCCESS);
  CHECK(before == 0);
  const SimTime start = pair.machines.world.now();
  pair.forget();
  pair.on_guest([&] {
    pair.guest.send(1, 8, 0);
    pair.machines.guest.consume(40us);
    pair.guest.send(2, 8, 0);
    CHECK(pair.machines.world.now() - start == 40us);  // setting a bit costs no hypercall
  });
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1, 2});
  CHECK(pair.machines.world.now() - start == 101us);  // 1000 units of 100 ns, then the interrupt
  CHECK(pair.host.batches == std::vector<UINT32>{2});
  CHECK(pair.guest.counters().outgoing.data_signals == 1);
  pair.on_guest([&] { status = VmbChannelSetInterruptLatency(pair.guest.channel, 0, &before); });
  CHECK(before == 1000);
  CHECK(pair.found().empty());
}

TEST_CASE("the latency is the guest's and an open channel's", "[K22]") {
  ChannelPair pair;
  UINT16 before = 0;
  CHECK(VmbChannelSetInterruptLatency(pair.guest.channel, 10, &before) == STATUS_INVALID_DEVICE_STATE);
  NTSTATUS in_closed = STATUS_UNSUCCESSFUL;
  pair.guest.closed = [&] { in_closed = VmbChannelSetInterruptLatency(pair.guest.channel, 10, &before); };
  pair.open();
  CHECK(VmbChannelSetInterruptLatency(pair.host.channel, 10, &before) == STATUS_INVALID_DEVICE_STATE);
  CHECK(pair.machines.findings.count("K22") == 2);
  pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); });
  CHECK(in_closed == STATUS_SUCCESS);  // "to the end of EvtChannelClosed inclusive"
  CHECK(VmbChannelSetInterruptLatency(pair.guest.channel, 10, &before) == STATUS_INVALID_DEVICE_STATE);
  CHECK(pair.machines.findings.count("K22") == 3);
}

// ---- Pipes ----

PairConfig pipes() {
  return {.maximum_packet = 20000,
          .to_host = {16},
          .to_guest = {16},
          .host_channel =
              [](VMBCHANNEL at) { VmbServerChannelInitSetFlags(at, VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE); },
          .guest_channel = [](VMBCHANNEL at) { VmbChannelInitSetFlags(at, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE); }};
}

TEST_CASE("a pipe's datagrams arrive with their own length, behind a header of 8 bytes on the wire", "[kmcl]") {
  // EMCL, VmbusPacketFormat.h: type 1, then the size.
  ChannelPair pair(pipes());
  std::vector<UINT32> lengths;
  pair.host.packet = [&](Arrived& a) {
    lengths.push_back(a.length);
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  pair.on_guest([&] { pair.guest.send(1, 13, 0); });
  CHECK(lengths == std::vector<UINT32>{13});
  const auto image = pair.channel().to_host.writer.memory().image();
  const std::uint32_t header[2] = {1, 13};
  CHECK(std::memcmp(image.data() + 4096 + 16, header, sizeof header) == 0);
  CHECK(pair.found().empty());
}

TEST_CASE("a pipe has no transactions, no external data, and datagrams of at most 16384 bytes", "[kmcl]") {
  ChannelPair pair(pipes());
  pair.open();
  std::vector<NTSTATUS> statuses;
  pair.on_guest([&] {
    statuses.push_back(pair.guest.send(1, 16384, 0));
    statuses.push_back(pair.guest.send(2, 16385, 0));
    statuses.push_back(pair.guest.send(3, 8, wait_flag));
  });
  CHECK(statuses == std::vector<NTSTATUS>{STATUS_SUCCESS, STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER});
  CHECK(pair.machines.findings.count("PIPE") == 2);
}

TEST_CASE("what is no datagram stops a pipe's incoming queue", "[kmcl]") {
  PairConfig config = pipes();
  config.guest_channel = nullptr;  // a guest that does not know of the pipe
  ChannelPair pair(config);
  pair.open();
  CHECK(pair.machines.findings.count("PIPE") == 1);  // and is told so
  pair.on_guest([&] { pair.guest.send(5, 16, 0); });
  CHECK(pair.host.arrived.empty());
  CHECK(pair.machines.findings.count("PIPE") == 2);
}

}  // namespace
}  // namespace vmbsim::testing
