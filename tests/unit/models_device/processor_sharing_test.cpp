#include "models/device/processor_sharing.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/models_device/clients.hpp"

using namespace vmbsim;
using namespace vmbsim::device;
using kernel::Simulation;

// Closed forms: with n works in transfer each gets 1/n of the capacity (Kleinrock, Queueing Systems 2).
TEST_CASE("works in flight share the capacity equally") {
  struct Arrival {
    Duration at;
    std::int64_t bytes;
  };
  struct Row {
    const char* situation;
    std::int64_t capacity;
    Duration latency;
    std::vector<Arrival> arrivals;
    Clients::Log done;
  };
  for (const Row& row :
       {Row{"alone", 1'000'000'000, 0us, {{0us, 1000}}, {{1, 1000}}},
        Row{"two at once take twice as long", 1'000'000'000, 0us, {{0us, 1000}, {0us, 1000}}, {{1, 2000}, {2, 2000}}},
        Row{"500 ns apart", 1'000'000'000, 0us, {{0ns, 1000}, {500ns, 1000}}, {{1, 1500}, {2, 2000}}},
        Row{"a short one overtakes a long one",
            1'000'000'000,
            0us,
            {{0ns, 3000}, {1000ns, 500}},
            {{2, 2000}, {1, 3500}}},
        Row{"three, of 1, 2 and 3 parts",
            1'000'000'000,
            0us,
            {{0ns, 1000}, {0ns, 2000}, {0ns, 3000}},
            {{1, 3000}, {2, 5000}, {3, 6000}}},
        Row{"latency is not shared", 1'000'000'000, 5us, {{0ns, 1000}, {500ns, 1000}}, {{1, 6500}, {2, 7000}}},
        Row{"rounded up to whole nanoseconds", 3'000'000'000, 0us, {{0ns, 1000}}, {{1, 334}}},
        Row{"nothing to move", 1'000'000'000, 0us, {{7ns, 0}}, {{1, 7}}}}) {
    INFO(row.situation);
    Simulation world(Seed{1});
    ProcessorSharing wire(world, {.bytes_per_second = row.capacity, .latency = row.latency});
    Clients clients(world, wire);
    int label = 0;
    for (const Arrival& arrival : row.arrivals) clients.submit_at(arrival.at, ++label, Bytes{arrival.bytes});
    world.run_until(SimTime{1s});
    CHECK(clients.log() == row.done);
    CHECK(wire.in_flight() == 0);
  }
}

TEST_CASE("a busy period ends at the first nanosecond not before its bytes over the capacity") {
  for (std::int64_t capacity : {7LL, 999'999'937LL, 1'000'000'000LL, 3'141'592'653LL, 24'999'999'989LL}) {
    for (std::uint32_t depth : {1U, 3U, 50U}) {
      CAPTURE(capacity, depth);
      Simulation world(Seed{1});
      ProcessorSharing disk(world, {.bytes_per_second = capacity});
      ClosedLoop loop(world, disk, depth, 2000, {});
      Wide bytes = 0;
      std::int64_t size = 512;  // sizes are fixed per work, so mix them over the works
      for (Work& work : loop.works()) work.size = Bytes{size += 4099};
      loop.start();
      world.run_until(end_of_time);
      bytes = static_cast<Wide>(disk.counters().bytes.count);
      const Wide ideal = (bytes * 1'000'000'000 + static_cast<Wide>(capacity) - 1) / static_cast<Wide>(capacity);
      CHECK(disk.counters().operations == 2000);
      CHECK(static_cast<Wide>(nanoseconds(loop.last())) == ideal);
    }
  }
}

TEST_CASE("works that finish within one nanosecond come in order of submission") {
  Simulation world(Seed{1});
  ProcessorSharing disk(world, {.bytes_per_second = 100'000'000'000});  // 100 B per ns
  Clients clients(world, disk);
  clients.submit_at(0ns, 1, Bytes{30});
  clients.submit_at(0ns, 2, Bytes{20});
  clients.submit_at(0ns, 3, Bytes{10});
  world.run_until(SimTime{1s});
  CHECK(clients.log() == Clients::Log{{1, 1}, {2, 1}, {3, 1}});
}

TEST_CASE("unrelated events beside a transfer do not change when it ends") {
  Simulation world(Seed{1});
  ProcessorSharing disk(world, {.bytes_per_second = 100'000'000});
  Clients clients(world, disk);
  clients.submit_at(0ns, 1, 64_KiB);
  for (int i = 0; i < 1000; ++i) clients.submit_at(Duration{7 * i}, 100 + i, Bytes{0});
  world.run_until(SimTime{1s});
  CHECK(clients.log().back() == std::pair<int, std::int64_t>{1, 655'360});
}

TEST_CASE("a shared capacity is busy while anything is in transfer") {
  Simulation world(Seed{1});
  ProcessorSharing wire(world, {.bytes_per_second = 1'000'000'000, .latency = 2us});
  Clients clients(world, wire);
  clients.submit_at(0us, 1, Bytes{3000});  // in transfer from 2 to 6 us, the other from 3 to 6
  clients.submit_at(1us, 2, Bytes{1000});
  world.run_until(SimTime{10us});
  CHECK(wire.utilisation(world.now()) == 0.4);
}
