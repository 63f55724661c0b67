#pragma once
/// Parallel servers behind one queue: the closed-form model of a disk or of anything that serves requests one by one.
///
///   FifoServers disk(world, "disk", {.servers = 4, .service = Distribution::exponential(80us)});
///   disk.submit(work);
///
/// Rules    first submitted, first started; a work keeps its server for its service time
/// Service  Work::service where it is not negative, else drawn from the stream (name, "service") when the work starts
/// Ties     works that finish at one instant come in order of submission, or as ChoicePoint::device_tie says
/// Source   the G/G/c queue of queueing theory (Kleinrock, Queueing Systems, volume 1)
#include <string_view>
#include <vector>

#include "models/device/resource.hpp"
#include "sim/kernel/distribution.hpp"
#include "sim/kernel/simulation.hpp"

namespace vmbsim::device {

class FifoServers final : public Resource {
 public:
  struct Config {
    std::uint32_t servers = 1;  ///< 0: as many as there are works, a pure delay
    kernel::Distribution service;
  };

  FifoServers(kernel::Simulation& world, std::string_view name, Config config);

  void submit(Work& work) override;
  std::uint64_t in_flight() const override { return queued_ + serving_.size() + finishing_.size(); }

 private:
  struct Served {
    SimTime finish;
    std::uint64_t order;  // of starting, which is the order of submission
    Work* work;
  };
  struct Later {
    bool operator()(const Served& a, const Served& b) const {
      return a.finish != b.finish ? a.finish > b.finish : a.order > b.order;
    }
  };
  void start(Work& work);
  void arm();
  void on_finish();

  kernel::Simulation& world_;
  Config config_;
  kernel::Stream stream_;
  ActorId actor_;
  Work* first_ = nullptr;  // queue, linked through Work::next
  Work* last_ = nullptr;
  std::uint64_t queued_ = 0;
  std::vector<Served> serving_;  // heap, earliest finish on top
  std::vector<Work*> finishing_;
  std::uint64_t started_ = 0;
  kernel::EventHandle timer_;
  SimTime armed_ = end_of_time;  // when timer_ fires; end_of_time: there is none
};

}  // namespace vmbsim::device
