#pragma once
/// The part of a virtual machine's worker process that saves a channel and restores it: at its time it asks the host's driver to
/// save, some time later to restore, each with a device control of the driver's own.
///
/// From the save to the restore the guest runs on and sees nothing but a ring that nobody reads; the host's driver may drop its
/// channel and make another one. What it saved is kept here in between, as a worker process keeps it in a file.
/// Source   KMCL DDI, VmbChannelSaveBegin, VmbChannelRestoreFromBuffer: when they are called is between a driver and its worker
///          process, so the scenario names the control codes.
/// Findings "SAVE": the driver refuses to save or to restore.
#include <string>
#include <vector>

#include "models/drivers/library.hpp"
#include "models/scenario/scenario.hpp"

namespace vmbsim::scenario {

class ChannelSaving {
 public:
  struct Config {
    const SaveSpec& spec;
    std::string name;  ///< of the channel instance
    os::Partition& host;
    vmbus::Bus& bus;
    drivers::LibraryServer& server;
  };
  explicit ChannelSaving(Config config);
  ChannelSaving(const ChannelSaving&) = delete;
  ChannelSaving& operator=(const ChannelSaving&) = delete;

  /// The run starts now: SaveSpec::at counts from here.
  void schedule();

 private:
  /// Room for what a driver saves; more than the packets of the largest rings need.
  static constexpr Bytes largest_image{std::int64_t{16} << 20};

  void on_time();
  void run();
  bool control(std::uint32_t code, const char* verb);
  void tell(const char* verb, NTSTATUS status);

  Config config_;
  ActorId actor_;
  kmdf::IoPort* port_ = nullptr;
  std::vector<std::byte> image_;  // what the driver saved
  KEVENT done_{};
};

}  // namespace vmbsim::scenario
