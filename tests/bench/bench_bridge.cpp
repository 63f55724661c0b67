/// What an I/O on a SimGrid disk costs, beside the same I/O on a closed-form disk.
///
///   client ──submit──► disk (1 GB/s, shared) ──done──► interrupt 1 us later ──► think 1 us ──► submit ...
///
///   bench_bridge [ROUNDS]     5 rounds unless told; exit status 0 only when every goal holds
///
/// Closed loop of reads of 4 KiB and more, `depth` in flight, two calendar events per I/O besides the completion. CPU time per
/// I/O, median of the rounds, bridge and closed form in turn. SimGrid keeps its engine for the life of the process, so all
/// rounds run on one platform, each going on where the last one ended.
#include <cstdlib>

#include "models/device/processor_sharing.hpp"
#include "models/platform/platform.hpp"
#include "tests/bench/harness.hpp"

namespace vmbsim::bench {
namespace {

class Load {
 public:
  Load(kernel::Simulation& world, device::Resource& disk, std::uint32_t depth, std::uint64_t operations)
      : world_(world), disk_(disk), actor_(world.new_actor()), left_(operations), clients_(depth) {
    Bytes size = 4_KiB;
    for (Client& client : clients_) {
      client.load = this;
      client.work.size = size += Bytes{137};  // equal sizes would march in step and complete all at once
      client.work.owner = &client;
      client.work.done = [](device::Work& work) {
        auto& done = *static_cast<Client*>(work.owner);
        done.load->world_.after<&Client::interrupt>(1us, done.load->actor_, done);
      };
      client.submit();
    }
  }

 private:
  struct Client {
    Load* load = nullptr;
    device::Work work;
    void interrupt() { load->world_.after<&Client::submit>(1us, load->actor_, *this); }
    void submit() {
      if (load->left_ == 0) return;
      --load->left_;
      load->disk_.submit(work);
    }
  };
  kernel::Simulation& world_;
  device::Resource& disk_;
  ActorId actor_;
  std::uint64_t left_;
  std::vector<Client> clients_;
};

struct Row {
  std::uint32_t depth;
  std::uint64_t operations;
  double goal_us;  ///< of the bridge; 0: information
};

/// CPU time of one round, in microseconds per I/O.
template <class Run>
double us_each(std::uint64_t operations, Run run) {
  const std::int64_t start = cpu_ns();
  run();
  return static_cast<double>(cpu_ns() - start) / 1e3 / static_cast<double>(operations);
}

}  // namespace
}  // namespace vmbsim::bench

int main(int argc, char** argv) {
  using namespace vmbsim;
  using namespace vmbsim::bench;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  if (rounds < 1) {
    fmt::print(stderr, "usage: bench_bridge [ROUNDS]\n");
    return 2;
  }
  Problems problems;
  const auto platform = platform::Platform::load("default", problems);
  if (platform == nullptr) return 2;
  kernel::Simulation shared(Seed{1});
  platform->attach(shared);
  device::Resource* disk = platform->disk("server:ssd0", {}, problems);
  if (disk == nullptr) return 2;

  Verdicts verdicts;
  fmt::print("{:<12}{:>14}{:>12}{:>10}\n", "in flight", "closed form us", "bridge us", "ratio");
  for (const Row& row : {Row{1, 100'000, 2.5}, Row{10, 100'000, 4}, Row{64, 20'000, 0}}) {
    std::vector<double> closed, bridged;
    for (int round = 0; round != rounds; ++round) {
      closed.push_back(us_each(row.operations, [&] {
        kernel::Simulation world(Seed{1});
        device::ProcessorSharing sharing(world, {.bytes_per_second = 3'200'000'000});
        Load load(world, sharing, row.depth, row.operations);
        world.run_until(end_of_time);
      }));
      bridged.push_back(us_each(row.operations, [&] {
        Load load(shared, *disk, row.depth, row.operations);
        platform->run(shared, end_of_time);
      }));
    }
    const double bridge = median(bridged);
    fmt::print("{:<12}{:>14.3f}{:>12.3f}{:>10.1f}\n", row.depth, median(closed), bridge, bridge / median(closed));
    if (row.goal_us > 0)
      verdicts.at_most(fmt::format("bridge, us per I/O at {} in flight", row.depth), bridge, row.goal_us);
  }
  fmt::print("\n");
  verdicts.print();
  return verdicts.exit_status();
}
