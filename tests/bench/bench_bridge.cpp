// What an I/O on a SimGrid disk costs, beside the same I/O on a closed-form disk.
//
//   client --submit--> disk (1 GB/s, shared) --done--> interrupt 1 us later --> think 1 us --> submit ...
//
// Closed loop of reads of 4 KiB and more, `depth` in flight, two calendar events per I/O besides the completion. CPU time per I/O
// (getrusage), median of the rounds, bridge and closed form in turn. SimGrid keeps its engine for the life of the process, so
// all rounds run on one platform, each going on where the last one ended.
//
//   bench_bridge            prints the table; status 1 when the bridge misses its goals by more than 30 %
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "models/device/processor_sharing.hpp"
#include "models/platform/platform.hpp"

namespace {

using namespace vmbsim;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

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

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  Problems problems;
  const auto platform = platform::Platform::load("default", problems);
  if (platform == nullptr) return 3;
  kernel::Simulation shared(Seed{1});
  platform->attach(shared);
  device::Resource* disk = platform->disk("server:ssd0", {}, problems);

  struct Row { std::uint32_t depth; std::uint64_t operations; double goal_us; };
  constexpr Row rows[] = {{1, 100'000, 2.5}, {10, 100'000, 4}, {64, 20'000, 0}};
  bool missed = false;
  std::printf("in flight   closed form us/IO   bridge us/IO   ratio   goal us/IO\n");
  for (const Row& row : rows) {
    std::vector<double> closed, bridged;
    for (int round = 0; round < 5; ++round) {
      const double start = cpu_seconds();
      {
        kernel::Simulation world(Seed{1});
        device::ProcessorSharing sharing(world, {.bytes_per_second = 3'200'000'000});
        Load load(world, sharing, row.depth, row.operations);
        world.run_until(end_of_time);
      }
      const double middle = cpu_seconds();
      {
        Load load(shared, *disk, row.depth, row.operations);
        platform->run(shared, end_of_time);
      }
      const double per_io = 1e6 / static_cast<double>(row.operations);
      closed.push_back((middle - start) * per_io);
      bridged.push_back((cpu_seconds() - middle) * per_io);
    }
    const double bridge = median(bridged);
    std::printf("%9u   %17.3f   %12.3f   %5.1f", row.depth, median(closed), bridge, bridge / median(closed));
    if (row.goal_us > 0) {
      std::printf("   %10.1f%s", row.goal_us, bridge <= row.goal_us ? "" : " missed");
      missed = missed || bridge > row.goal_us * 1.3;
    }
    std::printf("\n");
  }
  return missed ? 1 : 0;
}
