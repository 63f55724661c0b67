#include "models/device/remote.hpp"

#include <catch2/catch.hpp>

#include "models/device/fifo_servers.hpp"
#include "models/device/processor_sharing.hpp"
#include "tests/unit/models_device/clients.hpp"

using namespace vmbsim;
using namespace vmbsim::device;

namespace {

/// A disk of 10 us behind ways of 1 byte per nanosecond.
struct Network {
  kernel::Simulation world{Seed{1}};
  FifoServers disk{world, "disk", {.servers = 1, .service = kernel::Distribution::fixed(10us)}};
  ProcessorSharing there{world, {.bytes_per_second = 1'000'000'000, .latency = 1us}};
  ProcessorSharing back{world, {.bytes_per_second = 1'000'000'000, .latency = 2us}};
  Remote remote{disk, {there, back}};
  Clients clients{world, remote};

  Clients::Log run() {
    world.run_until(end_of_time);
    return clients.log();
  }
};

}  // namespace

TEST_CASE("a read asks in 64 bytes and brings its data back") {
  Network network;
  network.clients.submit_at(0ns, 1, 4096_B);
  // 1 us + 64 ns there, 10 us at the disk, 2 us + 16 + 4096 ns back.
  CHECK(network.run() == Clients::Log{{1, 1064 + 10'000 + 2000 + 4112}});
}

TEST_CASE("a write takes its data along and brings 16 bytes back") {
  Network network;
  network.clients.submit_at(0ns, 1, 4096_B, Duration{-1}, Operation::write);
  CHECK(network.run() == Clients::Log{{1, 1000 + 64 + 4096 + 10'000 + 2000 + 16}});
  CHECK(network.there.counters().bytes == 4160_B);
  CHECK(network.back.counters().bytes == 16_B);
}

TEST_CASE("a recorded service time counts at the device, not on the way") {
  Network network;
  network.clients.submit_at(0ns, 1, 0_B, 3us, Operation::flush);
  CHECK(network.run() == Clients::Log{{1, 1064 + 3000 + 2016}});
}

TEST_CASE("requests share the ways and queue at the device") {
  Network network;
  for (int label : {1, 2}) network.clients.submit_at(0ns, label, 0_B);
  // Both are there after 1128 ns, for they share the way; the second waits for the first, and each goes back alone.
  CHECK(network.run() == Clients::Log{{1, 1128 + 10'000 + 2016}, {2, 1128 + 20'000 + 2016}});
  CHECK(network.remote.in_flight() == 0);
  CHECK(network.remote.counters().operations == 2);
}
