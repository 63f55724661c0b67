// Event flags and interrupts of one partition.
// Source: Hyper-V TLFS, Inter-Partition Communication; Linux, vmbus_isr and vmbus_chan_sched.
#include <catch2/catch.hpp>

#include <string>

#include "models/vmbus/synic.hpp"

namespace vmbsim::vmbus {
namespace {

struct Machine {
  explicit Machine(std::uint32_t cpus = 1)
      : partition({.name = "m", .cpus = cpus, .world = world, .stacks = stacks, .costs = costs, .findings = findings}),
        synic(partition) {}
  Synic::Port port(std::uint32_t connection, std::uint32_t cpu, std::uint32_t flag, char name) {
    receivers.push_back(std::make_unique<Receiver>(Receiver{*this, name}));
    return synic.open(
        connection, CpuId{cpu}, flag,
        [](void* self) {
          auto& r = *static_cast<Receiver*>(self);
          r.machine.told += r.name;
          r.machine.at = r.machine.world.now();
        },
        receivers.back().get());
  }
  struct Receiver {
    Machine& machine;
    char name;
  };
  kernel::Simulation world{Seed{1}};
  kernel::StackPool stacks;
  hw::Costs costs;
  os::FindingLog findings{world};
  os::Partition partition;
  Synic synic;
  std::vector<std::unique_ptr<Receiver>> receivers;
  std::string told;
  SimTime at{};
};

TEST_CASE("A signal reaches its port after its latency") {
  Machine m;
  const Synic::Port port = m.port(0, 0, 5, 'a');
  m.synic.signal(port, 3us);
  m.world.run_until(SimTime{10us});
  CHECK(m.told == "a");
  CHECK(m.at == SimTime{3us});
}

TEST_CASE("The first of several interrupts serves all pending ports: by peer, then by ascending flag") {
  Machine m;
  const Synic::Port ports[] = {m.port(1, 0, 2, 'd'), m.port(0, 0, 900, 'c'), m.port(0, 0, 3, 'b'),
                               m.port(0, 0, 1, 'a')};
  for (const Synic::Port& port : ports) m.synic.signal(port, 1us);
  m.world.run_until(SimTime{10us});
  CHECK(m.told == "abcd");
  CHECK(m.synic.spurious() == 3);  // each edge had raised its own
}

TEST_CASE("A second signal before the flag is taken interrupts nobody; one after it does") {
  Machine m;
  const Synic::Port port = m.port(0, 0, 1, 'a');
  m.synic.signal(port, 2us);
  m.synic.signal(port, 1us);  // does not overtake
  m.world.run_until(SimTime{5us});
  CHECK(m.told == "a");
  CHECK(m.at == SimTime{2us});
  m.synic.signal(port, 1us);
  m.world.run_until(SimTime{10us});
  CHECK(m.told == "aa");
}

TEST_CASE("An interrupt whose flag was already taken finds nothing and is counted") {
  Machine m;
  const Synic::Port slow = m.port(0, 0, 1, 'a');
  const Synic::Port fast = m.port(0, 0, 2, 'b');
  m.synic.signal(slow, 5us);
  m.synic.signal(fast, 1us);
  m.world.run_until(SimTime{10us});
  CHECK(m.told == "ab");
  CHECK(m.at == SimTime{1us});
  CHECK(m.synic.spurious() == 1);
}

TEST_CASE("A closed port is signalled in vain; opened again while a flag is set, the next interrupt is its own") {
  Machine m;
  Synic::Port port = m.port(0, 0, 1, 'a');
  const Synic::Port kept = port;
  m.synic.signal(port, 1us);
  m.synic.close(port);
  m.world.run_until(SimTime{2us});
  CHECK(m.told.empty());
  m.synic.signal(port, 1us);  // no page any more
  m.synic.signal(kept, 5us);  // the peer does not know yet
  const Synic::Port again = m.port(0, 0, 1, 'b');
  m.synic.signal(again, 1us);
  m.world.run_until(SimTime{20us});
  CHECK(m.told == "b");
}

TEST_CASE("Each processor has its own flags") {
  Machine m(2);
  const Synic::Port first = m.port(0, 0, 1, 'a');
  const Synic::Port second = m.port(0, 1, 1, 'b');
  m.synic.signal(second, {});
  m.world.run_until(SimTime{1us});
  CHECK(m.told == "b");
  m.synic.signal(first, {});
  m.world.run_until(SimTime{2us});
  CHECK(m.told == "ba");
}

}  // namespace
}  // namespace vmbsim::vmbus
