#pragma once
/// A capacity that all works in flight share equally: the closed-form model of a link or of a disk's bandwidth.
///
///   ProcessorSharing wire(world, {.bytes_per_second = 1'250'000'000, .latency = 5us});
///
/// Rules    with n works in transfer each gets 1/n of the capacity; a work first waits `latency`, which is not shared
/// Exact    integers only. Service is counted in nano-bytes (1e-9 B); what a division leaves over, and what a work did not
///          need of its last nanosecond, is carried to those that go on. So a busy period of B bytes ends at the first whole
///          nanosecond not before B / capacity, however many works it had.
/// Ties     works that finish at one instant come in order of submission, or as ChoicePoint::device_tie says
/// Source   egalitarian processor sharing (Kleinrock, Queueing Systems, volume 2); on one resource it is max-min fairness
#include <vector>

#include "models/device/resource.hpp"
#include "sim/kernel/simulation.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim::device {

class ProcessorSharing final : public Resource {
 public:
  struct Config {
    std::int64_t bytes_per_second = 0;  ///< > 0
    Duration latency{};                 ///< >= 0
  };

  ProcessorSharing(kernel::Simulation& world, Config config);

  /// Work::service is not used: the size decides.
  void submit(Work& work) override;
  std::uint64_t in_flight() const override { return waiting_.size() + sharing_.size() + finishing_.size(); }

 private:
  struct Waiting {
    SimTime until;
    std::uint64_t order;
    Work* work;
  };
  struct Sharing {
    Wide finish;          // value of attained_ at which the work is done
    std::uint64_t order;  // of submission
    Work* work;
  };
  static bool later(const Waiting& a, const Waiting& b) {
    return a.until != b.until ? a.until > b.until : a.order > b.order;
  }
  static bool needs_more(const Sharing& a, const Sharing& b) {
    return a.finish != b.finish ? a.finish > b.finish : a.order > b.order;
  }
  void enter(Work& work, std::uint64_t order);
  void advance();
  void arm_latency();
  void arm_finish();
  void on_latency_over();
  void on_finish();

  kernel::Simulation& world_;
  Config config_;
  ActorId actor_;
  std::vector<Waiting> waiting_;   // heap, earliest on top
  std::vector<Sharing> sharing_;   // heap, least finish on top
  std::vector<Sharing> finished_;  // of one instant, while they are being sorted
  std::vector<Work*> finishing_;
  std::uint64_t submitted_ = 0;
  SimTime at_{};       // attained_ and carry_ are those of this time
  Wide attained_ = 0;  // nano-bytes each work got that was there since the busy period began
  Wide carry_ = 0;     // nano-bytes of capacity not handed out yet
  kernel::EventHandle latency_timer_;
  SimTime latency_armed_ = end_of_time;
  kernel::EventHandle finish_timer_;
  SimTime finish_armed_ = end_of_time;
};

}  // namespace vmbsim::device
