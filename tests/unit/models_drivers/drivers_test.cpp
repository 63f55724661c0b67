// The built-in pairs, each over its own channels: what is submitted at the top of the guest's driver comes back done.
#include <catch2/catch.hpp>

#include "models/device/fifo_servers.hpp"
#include "models/drivers/echo.hpp"
#include "models/drivers/storage.hpp"
#include "tests/support/channel_pair.hpp"
#include "tests/support/driver_bench.hpp"

namespace vmbsim::drivers {
namespace {

TEST_CASE("Echo: subchannels open one after the other, and a request comes back on the processor it was submitted on") {
  // OpenVMM guide, storvsp channels; Linux, storvsc: the outgoing channel is chosen by the submitting processor.
  Bench bench(3);
  std::vector<std::unique_ptr<EchoServer>> servers;
  for (const auto& device : bench.at_host) {
    servers.push_back(
        std::make_unique<EchoServer>(EchoServer::Config{.device = *device,
                                                        .maximum_packet_size = 256,
                                                        .process_time = {},
                                                        .stream = bench.machines.world.stream("s", "t")}));
    bench.start(bench.machines.host, *servers.back());
  }
  EchoClient client({.channels = bench.client(), .process_time = {}, .stream = bench.machines.world.stream("c", "t")});
  bench.start(bench.machines.guest, client);
  CHECK(bench.ready == 1);
  std::array<Request, 4> requests;
  for (std::uint32_t cpu = 0; cpu < 4; ++cpu) {
    requests[cpu].size = Bytes{8 + 8 * cpu};
    bench.submit(client, requests[cpu], cpu);
    bench.machines.quiesce();
  }
  REQUIRE(bench.done.size() == 4);
  for (std::uint32_t cpu = 0; cpu < 3; ++cpu) CHECK(bench.done[cpu].processor == "guest.cpu" + std::to_string(cpu));
  CHECK(bench.done[3].processor == "guest.cpu0");  // no channel there: in turn
  CHECK(bench.machines.found().empty());
}

struct Storage {
  explicit Storage(bool in_worker, bool recorded = false)
      : bench(1, 2),
        disk(bench.machines.world, "disk", {.servers = 2, .service = kernel::Distribution::fixed(100us)}),
        adapter(bench.machines.host, CpuId{1}, disk, "disk"),
        server({.device = *bench.at_host[0],
                .disk = adapter,
                .maximum_request = Bytes{65536},
                .complete_in_worker = in_worker,
                .recorded_service = recorded,
                .process_time = {},
                .stream = bench.machines.world.stream("s", "t")}),
        client({.channels = bench.client(),
                .maximum_request = Bytes{65536},
                .process_time = {},
                .stream = bench.machines.world.stream("c", "t")}) {
    bench.start(bench.machines.host, server);
    bench.start(bench.machines.guest, client);
  }
  Bench bench;
  device::FifoServers disk;
  DeviceAdapter adapter;
  StorageServer server;
  StorageClient client;
};

TEST_CASE("Storage: reads, writes and flushes take the disk's time and come back, completed in a DPC or in a worker") {
  const bool in_worker = GENERATE(false, true);
  Storage s(in_worker);
  const SimTime begin = s.bench.machines.world.now();
  std::array<Request, 6> requests;
  for (std::size_t i = 0; i < 6; ++i) {
    requests[i].operation = static_cast<device::Operation>(i % 3);
    requests[i].size = Bytes{i % 3 == 2 ? 0 : 4096 * static_cast<std::int64_t>(i + 1)};
    s.bench.submit(s.client, requests[i], 0);
  }
  s.bench.machines.quiesce();
  REQUIRE(s.bench.done.size() == 6);
  CHECK(s.bench.done.back().time - begin >= 300us);  // two at a time
  CHECK(s.disk.counters().operations == 6);
  CHECK(s.disk.counters().bytes == Bytes{4096 * (1 + 2 + 4 + 5)});
  CHECK(s.bench.machines.found().empty());
}

TEST_CASE("Storage: a recorded service time is used instead of the disk's own where the server is told so") {
  const bool recorded = GENERATE(false, true);
  Storage s(false, recorded);
  const SimTime begin = s.bench.machines.world.now();
  Request request{.size = Bytes{4096}, .service = Duration{30us}};
  s.bench.submit(s.client, request, 0);
  s.bench.machines.quiesce();
  REQUIRE(s.bench.done.size() == 1);
  CHECK(s.bench.done[0].time - begin == (recorded ? 31us : 101us));
}

TEST_CASE("A storage server refuses what a hostile guest makes up, and goes on serving") {
  // EVT_VMB_CHANNEL_PROCESS_PACKET: the guest is not trusted; lengths and values are checked before use.
  struct Row {
    const char* what;
    UINT32 length, operation, bytes;
    ULONG described;  ///< bytes of external data, 0: none
    bool refused;
  };
  const Row row = GENERATE(values<Row>({{"a good read", 64, StorageRead, 4096, 4096, false},
                                        {"half a request", 32, StorageRead, 4096, 4096, true},
                                        {"an unknown operation", 64, 7, 4096, 4096, true},
                                        {"a read without a buffer", 64, StorageRead, 4096, 0, true},
                                        {"a flush with a buffer", 64, StorageFlush, 0, 4096, true},
                                        {"more than is described", 64, StorageWrite, 4097, 4096, true}}));
  CAPTURE(row.what);
  testing::ChannelPair pair({.maximum_packet = 64, .external_data = 65536});
  device::FifoServers disk(pair.machines.world, "disk", {.service = kernel::Distribution::fixed(1us)});
  DeviceAdapter adapter(pair.machines.host, CpuId{0}, disk, "disk");
  kmcl::Device device("storage", pair.machines.host, pair.machines.bus);
  device.id = pair.guest.device.id;
  StorageServer server({.device = device,
                        .disk = adapter,
                        .maximum_request = Bytes{65536},
                        .process_time = {},
                        .stream = pair.machines.world.stream("s", "t")});
  pair.on_host([&] { server.start(); });
  NTSTATUS answered = STATUS_PENDING;
  pair.guest.completed = [&](testing::Returned& r) {
    StorageReply reply{};
    REQUIRE(r.answer.size() == sizeof reply);
    std::memcpy(&reply, r.answer.data(), sizeof reply);
    answered = reply.Status;
    VmbPacketFree(r.packet);
  };
  pair.on_guest([&] {
    CHECK(pair.guest.enable() == STATUS_SUCCESS);
    VMBPACKET packet = pair.guest.new_packet(1, 64);
    const StorageRequest request{
        .Operation = row.operation, .Length = row.bytes, .Offset = 0, .ServiceTime = -1, .Reserved = {}};
    std::memcpy(pair.guest.bytes_of(1).data(), &request, sizeof request);
    PMDL mdl = nullptr;
    if (row.described != 0) {
      mdl = IoAllocateMdl(ExAllocatePool2(POOL_FLAG_NON_PAGED, row.described, 1), row.described, FALSE, FALSE, nullptr);
      MmBuildMdlForNonPagedPool(mdl);
    }
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), row.length, mdl, testing::wait_flag) == STATUS_SUCCESS);
  });
  CHECK(answered == (row.refused ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS));
  CHECK(disk.counters().operations == (row.refused ? 0 : 1));
  CHECK(pair.found().empty());
}

TEST_CASE("A disk adapter hands completions back in order, at DISPATCH_LEVEL on the processor it is wired to") {
  // WDK, Servicing interrupts: the interrupt routine queues a DPC, the DPC completes.
  TwoPartitions machines({.costs = testing::costs_of({{&hw::Costs::device_isr, 1us}}), .host_cpus = 2});
  device::FifoServers disk(machines.world, "disk", {.service = kernel::Distribution::fixed(10us)});
  DeviceAdapter adapter(machines.host, CpuId{1}, disk, "disk");
  static std::string told;
  told.clear();
  std::array<DeviceAdapter::Io, 3> ios;
  for (std::size_t i = 0; i < 3; ++i) {
    ios[i].owner = reinterpret_cast<void*>(i);
    ios[i].completed = [](DeviceAdapter::Io& io) {
      const hw::Processor& here = *hw::Processor::current();
      told += std::to_string(reinterpret_cast<std::size_t>(io.owner)) + " " + here.name() + " " + name_of(here.irql()) +
              ", ";
    };
  }
  machines.start(machines.host, 0, [&] {
    for (DeviceAdapter::Io& io : ios) adapter.start(io);
  });
  machines.quiesce();
  CHECK(told == "0 host.cpu1 dispatch, 1 host.cpu1 dispatch, 2 host.cpu1 dispatch, ");
  CHECK(machines.world.now() == SimTime{31us});
}

}  // namespace
}  // namespace vmbsim::drivers
