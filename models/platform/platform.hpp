#pragma once
/// The hardware that machines share: hosts, disks and the links between them, simulated by SimGrid.
///
///   Problems problems;
///   auto platform = Platform::load("two-hosts.xml", problems);       // nullptr: see problems
///   platform->attach(world);
///   device::Resource* disk = platform->disk("node1:ssd0", place, problems);
///   platform->run(world, SimTime{1s});                               // instead of world.run_until()
///
/// Time     The calendar of `world` is the master. SimGrid's clock (double seconds) follows it and is visited only while
///          works are in flight, and then only when its next completion may lie before the calendar's next event. A
///          completion is rounded to the nearest nanosecond and never lies in the past; a work that takes SimGrid less than
///          half a nanosecond takes none, so a closed loop of such works is a livelock to the kernel. Nanoseconds are exact up to 2^52 ns
///          (52 days); longer runs lose precision, not order.
/// Ties     At one instant the calendar's events come first, with all they bring at that instant; then the completions, in
///          order of submission or as ChoicePoint::device_tie says.
/// Disks    An operation moves its bytes at its max-min share of the disk; a flush of size 0 is done at once. Work::service
///          is not used: a platform disk is described by its bandwidth.
/// Links    A transfer takes the route's latency, then its max-min share of every link on the route: no TCP window, no
///          cross traffic of acknowledgements (SimGrid's network model CM02 with TCP-gamma 0).
/// Limits   SimGrid allows one engine at a time and never resets its clock, so a process has one Platform in its life.
///          Its cost grows with the works in flight: keep them in the tens.
/// Source   SimGrid 3.32 documentation: Describing the platform, XML reference; Configuring SimGrid.
#include <memory>
#include <string>

#include "models/device/resource.hpp"
#include "models/platform/inventory.hpp"
#include "sim/kernel/simulation.hpp"
#include "vmbsim/problem.hpp"
#include "vmbsim/result.hpp"

namespace vmbsim::platform {

class Bridge;

class Platform {
 public:
  /// More works in flight than this make SimGrid slow: crowded() says so.
  static constexpr std::uint64_t comfortable_in_flight = 64;

  /// Loads a SimGrid platform file, or the embedded platform when `file` is "default". nullptr, with the reasons in
  /// `problems`, when the file is not there or not good, or when this process had a platform before.
  static std::unique_ptr<Platform> load(const std::string& file, Problems& problems);
  ~Platform();

  const Inventory& inventory() const { return inventory_; }

  /// Whose calendar leads. Once, before the first work is submitted.
  void attach(kernel::Simulation& world);

  /// The disk `"host:disk"`; the same object each time. nullptr with a problem at `asked` when there is none.
  device::Resource* disk(const std::string& host_and_disk, const Place& asked, Problems& problems);
  /// Transfers from one host to another; the same object each time. nullptr with a problem at `asked` when a host is not
  /// there or no route leads from one to the other.
  device::Resource* link(const std::string& from, const std::string& to, const Place& asked, Problems& problems);

  /// What run_until(end) does, with SimGrid's completions among the events. stop() ends it after the current event.
  /// May be called again to go on.
  void run(kernel::Simulation& world, SimTime end);

  /// The resources that were asked for, in that order, as they stand `now`.
  std::vector<DeviceResult> devices(SimTime now) const;
  /// Their figures count from `now` on.
  void start_measuring(SimTime now);
  /// True once more than `comfortable_in_flight` works were in flight together.
  bool crowded() const;
  std::uint64_t peak_in_flight() const;

 private:
  explicit Platform(Inventory inventory, std::unique_ptr<Bridge> bridge);

  Inventory inventory_;
  std::unique_ptr<Bridge> bridge_;
  SimTime measured_from_ = start_of_time;
};

}  // namespace vmbsim::platform
