#pragma once
/// A load: who asks a guest's driver for what, and when. Open (arrivals ignore completions), closed (a completion admits the
/// next request) or recorded (a trace says).
///
/// A request enters through an application thread of the guest, one per channel and each bound to a processor: the first to the
/// first, and so on in turn, whatever processors the channels interrupt. Requests take the threads in turn. In a closed loop without think time the completion itself, in the context it
/// happens in, submits the next request, as an I/O completion routine does that sends again.
/// Response  runs from the arrival, not from the moment a busy guest gets round to it, so that overload shows.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/drivers/request.hpp"
#include "models/os/partition.hpp"
#include "models/workload/trace.hpp"
#include "sim/kernel/arrival_process.hpp"
#include "vmbsim/histogram.hpp"

namespace vmbsim::workload {

class Load {
 public:
  enum class Loop : std::uint8_t { open, closed, trace };
  struct Size {
    Bytes size;
    std::uint32_t weight;
  };
  struct Config {
    std::string name;  ///< of the instance; its random streams are named after it
    Loop loop = Loop::closed;
    kernel::ArrivalProcess::Spec arrivals;  ///< open
    std::uint32_t queue_depth = 1;          ///< closed
    kernel::Distribution think_time;        ///< closed
    std::vector<Size> sizes;                ///< drawn by weight; not for traces
    std::uint32_t read_permille = 1000;
    std::shared_ptr<const Trace> trace;  ///< trace; shared by the instances of a template
    std::vector<CpuId> cpus;             ///< one application thread each
    os::Partition& guest;
    drivers::RequestPort& port;
    std::function<void()> on_over;  ///< over() has become true
  };
  explicit Load(Config config);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// Offers the first requests, now.
  void start();
  /// Offers nothing more. What was offered is still answered.
  void stop();
  /// Counts and figures of responses from here on only.
  void start_measuring() { response_.clear(); }

  const std::string& name() const { return config_.name; }
  std::uint64_t offered() const { return offered_; }
  std::uint64_t completed() const { return completed_; }
  const Histogram& response() const { return response_; }
  /// Nothing more will be offered, and everything is answered: a recorded load after its last completion, or one that was
  /// stopped.
  bool over() const {
    return stopped_ ? completed_ == offered_ : config_.loop == Loop::trace && completed_ == config_.trace->size();
  }

 private:
  struct Application;
  struct Token;
  drivers::Request& fresh();
  void fill(drivers::Request& request);
  void arrive(drivers::Request& request);
  void on_arrival();
  void schedule_arrival();
  static void on_done(drivers::Request& request);

  Config config_;
  kernel::Simulation& world_;
  ActorId actor_;
  kernel::ArrivalProcess process_;
  kernel::Stream kinds_;
  kernel::Stream think_;
  std::uint64_t weight_ = 0;  // of all sizes
  std::vector<std::unique_ptr<Application>> applications_;
  std::size_t turn_ = 0;
  std::vector<std::unique_ptr<Token>> requests_;
  drivers::Request* free_ = nullptr;
  bool stopped_ = false;
  SimTime started_{};
  std::size_t next_record_ = 0;
  std::uint64_t offered_ = 0;
  std::uint64_t completed_ = 0;
  Histogram response_;
};

}  // namespace vmbsim::workload
