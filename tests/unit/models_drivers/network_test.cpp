// The built-in network pair over its own channels, and its server against a guest that makes things up.
// Source: Linux, netvsc.c, netvsc_drv.c and hyperv_net.h, for sections, limits and flow control.
#include <catch2/catch.hpp>
#include <cstring>

#include "models/device/fifo_servers.hpp"
#include "models/drivers/network.hpp"
#include "tests/support/channel_pair.hpp"
#include "tests/support/driver_bench.hpp"

namespace vmbsim::drivers {
namespace {

/// A network pair that is up, with a wire of `frame_time` and rings of one page.
struct Network : Bench {
  explicit Network(std::uint16_t channels = 1, Duration frame_time = 1us, UINT32 wires = 1)
      : Bench(channels),
        wire(machines.world, "wire", {.servers = wires, .service = kernel::Distribution::fixed(frame_time)}),
        server_driver(server_config()),
        client_driver({.channels = client(), .process_time = {}, .stream = machines.world.stream("g", "t")}) {
    machines.start(machines.host, 0, [&] { server_driver.start(); });
    start(machines.guest, client_driver);
  }
  NetworkServer::Config server_config() {
    NetworkServer::Config config{.ports = {}, .process_time = {}};
    for (const auto& device : at_host) {
      adapters.push_back(std::make_unique<DeviceAdapter>(machines.host, device->target, wire, device->name));
      config.ports.push_back({*device, *adapters.back(), machines.world.stream("h", "t")});
    }
    return config;
  }
  /// Submits `count` requests at one instant and lets all become quiet.
  std::deque<Request> round(std::size_t count, device::Operation operation, Bytes size, std::uint32_t cpu = 0) {
    std::deque<Request> requests(count);
    for (Request& request : requests) {
      request.operation = operation;
      request.size = size;
      request.owner = this;
      request.done = [](Request& over) {
        auto& self = *static_cast<Bench*>(over.owner);
        self.done.push_back({&over, hw::Processor::current()->name(), self.machines.world.now()});
      };
    }
    machines.start(machines.guest, cpu, [&] {
      for (Request& request : requests) client_driver.submit(request);
    });
    machines.quiesce();
    return requests;
  }
  const kmcl::Endpoint& guest_end(std::size_t i = 0) {
    return *static_cast<const kmcl::Endpoint*>(at_guest[i]->channels.front().get());
  }

  device::FifoServers wire;
  std::vector<std::unique_ptr<DeviceAdapter>> adapters;
  NetworkServer server_driver;
  NetworkClient client_driver;
};

TEST_CASE("A frame goes out and comes back, whatever its size, and its sections are used again") {
  // A section of the send buffer has 6144 bytes; a received frame of 64 KiB takes 38 sections of 1728.
  Network n;
  REQUIRE(n.ready == 1);
  const std::int64_t size = GENERATE(1, 64, 1500, 6144, 6145, 65536);
  const auto operation = GENERATE(device::Operation::read, device::Operation::write);
  CAPTURE(size, operation);
  constexpr std::size_t rounds = 3;
  for (std::size_t i = 0; i < rounds; ++i) n.round(400, operation, Bytes{size});  // more than there are sections
  CHECK(n.done.size() == rounds * 400);
  CHECK(n.wire.counters().operations == rounds * 400);
  CHECK(n.machines.findings.all().empty());
}

TEST_CASE("Only a frame that fits a section of the send buffer is copied; the rest is described") {
  Network n;
  const auto described = [&](std::int64_t size) {
    const std::uint64_t before = n.done.size();
    n.round(1, device::Operation::write, Bytes{size});
    REQUIRE(n.done.size() == before + 1);
    return n.guest_end().counters().outgoing_peak;
  };
  CHECK(described(6144) == Bytes{64});       // 16 + 40 + 8, Source: OpenVMM, vmbus_ring
  CHECK(described(6145) == Bytes{64 + 32});  // and a range of two pages
}

TEST_CASE("A network queue stops below 10 % free ring space and never finds the ring full") {
  Network n(1, 5us);
  n.round(500, device::Operation::write, Bytes{1500});
  CHECK(n.done.size() == 500);
  CHECK(n.guest_end().counters().outgoing_full == 0);
  // (4096 - 58 * 64) / 4096 is the first below 10 %.
  CHECK(n.wire.counters().peak_in_flight <= 58);
}

TEST_CASE("Frames that come in wait for sections of the receive buffer and keep their order") {
  // 16 MiB of 1728-byte sections hold 255 frames of 64 KiB.
  Network n(1, 1ns);
  const auto requests = n.round(300, device::Operation::read, Bytes{65536});
  REQUIRE(n.done.size() == 300);
  for (std::size_t i = 0; i < requests.size(); ++i) CHECK(n.done[i].request == &requests[i]);
}

TEST_CASE("A network request is done on the processor it was submitted on, over the subchannel there") {
  Network n(3);
  for (std::uint32_t cpu = 0; cpu < 3; ++cpu) n.round(1, device::Operation::read, Bytes{1500}, cpu);
  REQUIRE(n.done.size() == 3);
  for (std::uint32_t cpu = 0; cpu < 3; ++cpu) CHECK(n.done[cpu].processor == "guest.cpu" + std::to_string(cpu));
}

TEST_CASE("A network server refuses what a hostile guest makes up, and goes on serving") {
  // EVT_VMB_CHANNEL_PROCESS_PACKET: the guest is not trusted; lengths and values are checked before use.
  struct Row {
    const char* what;
    UINT32 length;
    NetworkMessage message;
    ULONG described;  ///< bytes of external data, 0: none
    NTSTATUS answer;
  };
  const auto frame = [](UINT32 section, UINT32 bytes) {
    NetworkMessage message{};
    message.Type = NetworkSendFrame;
    message.SectionIndex = section;
    message.FrameBytes = bytes;
    return message;
  };
  const auto control = [](UINT32 type, UINT32 version, UINT32 gpadl, UINT32 bytes) {
    NetworkMessage message{};
    message.Type = type;
    message.Version = version;
    message.GpadlHandle = gpadl;
    message.BufferBytes = bytes;
    return message;
  };
  const Row row = GENERATE_COPY(values<Row>({
      {"the right version", 40, control(NetworkInitialize, NetworkVersion, 0, 0), 0, STATUS_SUCCESS},
      {"a version nobody speaks", 40, control(NetworkInitialize, 1, 0, 0), 0, STATUS_NOT_SUPPORTED},
      {"half a message", 16, control(NetworkInitialize, NetworkVersion, 0, 0), 0, STATUS_INVALID_PARAMETER},
      {"an unknown type", 40, control(77, 0, 0, 0), 0, STATUS_INVALID_PARAMETER},
      {"a GPADL that does not exist", 40, control(NetworkShareSendBuffer, 0, 4711, 1 << 20), 0,
       STATUS_INVALID_PARAMETER_3},
      {"a section before there is a buffer", 40, frame(0, 64), 0, STATUS_INVALID_PARAMETER},
      {"external data that is not there", 40, frame(NetworkNoSection, 64), 0, STATUS_INVALID_PARAMETER},
      {"a section and external data", 40, frame(0, 64), 4096, STATUS_INVALID_PARAMETER},
  }));
  CAPTURE(row.what);
  testing::ChannelPair pair({.maximum_packet = 64, .external_data = 65536});
  device::FifoServers wire(pair.machines.world, "wire", {.service = kernel::Distribution::fixed(1us)});
  DeviceAdapter adapter(pair.machines.host, CpuId{0}, wire, "wire");
  kmcl::Device device("network", pair.machines.host, pair.machines.bus);
  device.id = pair.guest.device.id;
  NetworkServer::Config config{.ports = {}, .process_time = {}};
  config.ports.push_back({device, adapter, pair.machines.world.stream("s", "t")});
  NetworkServer server(std::move(config));
  pair.on_host([&] { server.start(); });
  NTSTATUS answered = STATUS_PENDING;
  pair.guest.completed = [&](testing::Returned& r) {
    NetworkReply reply{};
    REQUIRE(r.answer.size() == sizeof reply);
    std::memcpy(&reply, r.answer.data(), sizeof reply);
    answered = reply.Status;
    VmbPacketFree(r.packet);
  };
  pair.on_guest([&] {
    CHECK(pair.guest.enable() == STATUS_SUCCESS);
    VMBPACKET packet = pair.guest.new_packet(1, 64);
    std::memcpy(pair.guest.bytes_of(1).data(), &row.message, sizeof row.message);
    PMDL mdl = nullptr;
    if (row.described != 0) {
      mdl = IoAllocateMdl(ExAllocatePool2(POOL_FLAG_NON_PAGED, row.described, 1), row.described, FALSE, FALSE, nullptr);
      MmBuildMdlForNonPagedPool(mdl);
    }
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), row.length, mdl, testing::wait_flag) == STATUS_SUCCESS);
  });
  CHECK(answered == row.answer);
  CHECK(wire.counters().operations == 0);
  CHECK(pair.found().empty());
}

}  // namespace
}  // namespace vmbsim::drivers
