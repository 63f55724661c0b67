#include "models/device/fifo_servers.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "tests/unit/models_device/clients.hpp"

using namespace vmbsim;
using namespace vmbsim::device;
using kernel::ChoicePoint;
using kernel::Distribution;
using kernel::Simulation;

namespace {

/// Answers the last alternative everywhere, and remembers what it was asked.
struct LastOfAll final : kernel::ChoiceSource {
  std::vector<std::pair<ChoicePoint, std::uint32_t>> asked;
  std::uint32_t choose(const kernel::Choice& choice) override {
    asked.emplace_back(choice.point, choice.alternatives);
    return choice.alternatives - 1;
  }
};

}  // namespace

TEST_CASE("servers take works in order of submission, each for its service time") {
  // By hand: 10 us each, three works at 0, 1 and 2 us, a fourth at 25 us.
  struct Row {
    std::uint32_t servers;
    Clients::Log expected;
  };
  for (const Row& row : {Row{1, {{1, 10'000}, {2, 20'000}, {3, 30'000}, {4, 40'000}}},
                         Row{2, {{1, 10'000}, {2, 11'000}, {3, 20'000}, {4, 35'000}}},
                         Row{0, {{1, 10'000}, {2, 11'000}, {3, 12'000}, {4, 35'000}}}}) {
    INFO(row.servers << " servers (0: unlimited)");
    Simulation world(Seed{1});
    FifoServers disk(world, "disk", {.servers = row.servers, .service = Distribution::fixed(10us)});
    Clients clients(world, disk);
    int label = 0;
    for (Duration at : {Duration{0us}, Duration{1us}, Duration{2us}, Duration{25us}})
      clients.submit_at(at, ++label, 4_KiB);
    world.run_until(SimTime{1s});
    CHECK(clients.log() == row.expected);
    CHECK(disk.in_flight() == 0);
    CHECK(disk.counters().operations == 4);
    CHECK(disk.counters().bytes == 16_KiB);
  }
}

TEST_CASE("a recorded service time wins over the distribution, zero included") {
  Simulation world(Seed{1});
  FifoServers disk(world, "disk", {.servers = 1, .service = Distribution::fixed(10us)});
  Clients clients(world, disk);
  clients.submit_at(0us, 1, 4_KiB, 3us);
  clients.submit_at(0us, 2, 4_KiB, 0us);
  clients.submit_at(0us, 3, 4_KiB);
  world.run_until(SimTime{1s});
  CHECK(clients.log() == Clients::Log{{1, 3'000}, {2, 3'000}, {3, 13'000}});
}

TEST_CASE("works that finish at one instant come in order of submission unless a choice says otherwise") {
  const auto finished = [](kernel::ChoiceSource* choices) {
    Simulation world(Seed{1}, nullptr, choices);
    FifoServers disk(world, "disk", {.servers = 4, .service = {}});
    Clients clients(world, disk);
    clients.submit_at(0us, 1, 4_KiB, 10us);
    clients.submit_at(1us, 2, 4_KiB, 9us);
    clients.submit_at(2us, 3, 4_KiB, 8us);
    clients.submit_at(3us, 4, 4_KiB, 4us);
    world.run_until(SimTime{1s});
    return clients.log();
  };
  CHECK(finished(nullptr) == Clients::Log{{4, 7'000}, {1, 10'000}, {2, 10'000}, {3, 10'000}});
  LastOfAll choices;
  CHECK(finished(&choices) == Clients::Log{{4, 7'000}, {3, 10'000}, {2, 10'000}, {1, 10'000}});
  CHECK(choices.asked == decltype(choices.asked){{ChoicePoint::device_tie, 3}, {ChoicePoint::device_tie, 2}});
}

TEST_CASE("a work may be submitted again from inside its done, and no time is lost between") {
  Simulation world(Seed{1});
  FifoServers disk(world, "disk", {.servers = 2, .service = Distribution::fixed(10us)});
  ClosedLoop loop(world, disk, 8, 1000, 4_KiB);
  loop.start();
  world.run_until(SimTime{1s});
  CHECK(loop.last() == SimTime{5ms});  // 1000 works of 10 us on two servers
  CHECK(disk.counters().operations == 1000);
  CHECK(disk.counters().peak_in_flight == 8);
}

TEST_CASE("the service times of a resource do not depend on what else draws") {
  const auto last = [](bool another) {
    Simulation world(Seed{7});
    FifoServers other(world, "other", {.servers = 1, .service = Distribution::exponential(10us)});
    FifoServers disk(world, "disk", {.servers = 1, .service = Distribution::exponential(10us)});
    ClosedLoop noise(world, other, 1, 500, 4_KiB);
    ClosedLoop loop(world, disk, 1, 500, 4_KiB);
    if (another) noise.start();
    loop.start();
    world.run_until(SimTime{1s});
    return loop.last();
  };
  CHECK(last(true) == last(false));
}

// Source: Kleinrock, Queueing Systems 1: a closed loop with one customer waits exactly its service times.
TEST_CASE("the mean of drawn service times is the mean of the distribution") {
  Simulation world(Seed{3});
  FifoServers disk(world, "disk", {.servers = 1, .service = Distribution::exponential(100us)});
  ClosedLoop loop(world, disk, 1, 100'000, 4_KiB);
  loop.start();
  world.run_until(SimTime{1000s});
  const std::int64_t mean = nanoseconds(loop.last()) / 100'000;
  CHECK(mean > 99'000);  // the standard error is 316 ns
  CHECK(mean < 101'000);
}

// Source: utilisation law, U = X S / c (Kleinrock, "Queueing Systems", volume 1, section 2.1).
TEST_CASE("servers tell the share of their time that went into works, from when measuring began") {
  Simulation world(Seed{1});
  FifoServers disk(world, "disk", {.servers = 2, .service = Distribution::fixed(10us)});
  Clients clients(world, disk);
  CHECK(std::isnan(disk.utilisation(world.now())));
  clients.submit_at(0us, 1, 4_KiB);
  clients.submit_at(5us, 2, 4_KiB);
  clients.submit_at(6us, 3, 4_KiB);  // waits for the first
  world.run_until(SimTime{40us});
  CHECK(disk.utilisation(world.now()) == 30.0 / 80);
  disk.start_measuring(world.now());
  clients.submit_at(45us, 4, 4_KiB);
  world.run_until(SimTime{50us});
  CHECK(disk.utilisation(world.now()) == 5.0 / 20);
  FifoServers delay(world, "delay", {.servers = 0, .service = Distribution::fixed(10us)});
  CHECK(std::isnan(delay.utilisation(SimTime{60us})));
}
