#pragma once
/// The bridge between the integer calendar and SimGrid's double clock: one kernel timer, one completion callback.
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "models/device/resource.hpp"
#include "sim/kernel/simulation.hpp"

namespace vmbsim::platform {

namespace s4u = simgrid::s4u;

/// SimGrid's disk model rounds progress to whole bytes at every step of its clock (DiskS19Model::update_actions_state), which
/// makes I/O times depend on unrelated events. Sizes and bandwidths are both scaled, so that it rounds to micro-bytes.
inline constexpr std::int64_t disk_scale = 1'000'000;

/// True once an engine was started in this process, be it gone or not.
bool engine_was_started();
/// Starts the one engine of this process, silent, with the settings the bridge stands on. The caller deletes it.
std::unique_ptr<s4u::Engine> start_engine();
/// Loads the file, or builds the embedded platform when `file` is "default". Throws what SimGrid throws.
void describe(s4u::Engine& engine, const std::string& file);

class Bridge {
 public:
  /// `varies`: links change their bandwidth or latency over time, so a completion may come earlier than it looks now.
  Bridge(std::unique_ptr<s4u::Engine> engine, bool varies);
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;
  ~Bridge();

  /// A place where works go: a disk, or the way between two hosts.
  class Door : public device::Resource {
   public:
    Door(Bridge& bridge, std::string name) : bridge_(bridge), name_(std::move(name)) {}
    const std::string& name() const { return name_; }
    void submit(device::Work& work) override;
    std::uint64_t in_flight() const override { return in_flight_; }
    /// The activity that simulates the work, not started yet.
    virtual s4u::ActivityPtr activity(const device::Work& work) = 0;
    /// The links that it leads over; none: it is no way.
    virtual const std::vector<s4u::Link*>& links() const;
    /// An activity that ended and was reported.
    virtual void take_back(const s4u::ActivityPtr&) {}

   private:
    friend class Bridge;
    Bridge& bridge_;
    std::string name_;
    std::uint64_t in_flight_ = 0;
  };

  Door* disk(const std::string& host, const std::string& disk);
  /// nullptr when no route leads from one to the other.
  Door* link(const std::string& from, const std::string& to);

  /// The share of the time since `from` that the door was at work: a disk that any work was on; a way, through the link on it
  /// that the bytes of all ways fill most. Not a number where no time passed, and where a link is not shared or varies.
  double utilisation(const Door& door, SimTime from, SimTime now) const;

  void attach(kernel::Simulation& world);
  void run(kernel::Simulation& world, SimTime end);

  const std::vector<std::unique_ptr<Door>>& doors() const { return doors_; }
  std::uint64_t peak_in_flight() const { return peak_; }

 private:
  /// One work on its way through SimGrid.
  struct Flight {
    s4u::ActivityPtr activity;  // held until the completion is reported: SimGrid 3.32 does not survive an early release
    device::Work* work = nullptr;
    Door* door = nullptr;
    std::uint64_t order = 0;  // of submission
    double started = 0;       // SimGrid's date
    SimTime done{};
  };

  Door* find(const std::string& name) const;
  void submit(Door& door, device::Work& work);
  void start_submitted();
  void completed(const s4u::Activity& activity);
  void report();
  bool advance();
  void turn();
  SimTime quiet_until();
  bool follows(SimTime time) const;
  void arm(SimTime time);
  void disarm();

  std::unique_ptr<s4u::Engine> engine_;
  const bool varies_;
  std::vector<simgrid::kernel::resource::Model*> models_;  // those that can complete something
  std::set<s4u::Activity*> leave_;                         // not empty: SimGrid leaves its loop
  std::vector<std::unique_ptr<Door>> doors_;

  kernel::Simulation* world_ = nullptr;
  ActorId actor_;
  SimTime end_{};

  std::vector<std::unique_ptr<Flight>> flights_;  // all there are
  std::vector<Flight*> idle_;
  std::vector<Flight*> submitted_;  // not started in SimGrid yet, in order
  std::vector<Flight*> ended_;      // completed in SimGrid, not reported
  std::vector<device::Work*> reporting_;
  std::uint64_t orders_ = 0;
  std::uint64_t in_flight_ = 0;
  std::uint64_t started_ = 0;  // started and not completed
  std::uint64_t peak_ = 0;

  simgrid::kernel::timer::Timer* timer_ = nullptr;
  SimTime quiet_until_ = end_of_time;  // cached answer of quiet_until()
  double quiet_date_ = 0;              // SimGrid's date of the same
  bool quiet_known_ = false;
};

}  // namespace vmbsim::platform
