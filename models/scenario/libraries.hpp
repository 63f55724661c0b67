#pragma once
/// The driver libraries of one world: loaded once into every partition that uses them, watched while they run, unloaded in the end.
///
/// Findings  "CRASH", "EXIT", "ENDLESS": what a library's code did that no kernel survives; it ends the run. "STUCK": a driver
///           that cannot be unloaded. What it leaves behind is told by the partition.
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "models/drivers/library.hpp"
#include "sim/foreign/watch.hpp"

namespace vmbsim::scenario {

class Libraries {
 public:
  Libraries(kernel::Simulation& world, os::FindingLog& findings) : world_(world), findings_(findings) {}
  Libraries(const Libraries&) = delete;
  Libraries& operator=(const Libraries&) = delete;

  /// The library in a partition; loaded when it is asked for first.
  drivers::DriverLibrary& in(os::Partition& partition, const std::string& file);

  /// From here on a mishap in their code ends the run and not the process. Nothing to do where there are none.
  void watch();
  void end_watch() { watch_.reset(); }
  /// After a mishap or a bug check: no machine goes on.
  bool system_down() const;
  /// Records the mishap that stopped the run, if one did. Outside of every context.
  void tell_mishap();
  /// The drivers are unloaded one after the other, the last loaded first, so that guests close their channels before the host
  /// does. `advance` lets that much simulated time pass, and is false where no more can: then nothing is told of the rest. False
  /// where one waits for ever.
  bool unload(const std::function<bool(Duration)>& advance);

  /// Simulated time that the orderly end of a driver may take.
  static constexpr Duration longest_unload = std::chrono::seconds{60};

 private:
  struct Loaded {
    Loaded(os::Partition& at, const std::string& file) : partition(at), library(at, file) {}
    os::Partition& partition;
    drivers::DriverLibrary library;
    bool unloaded = false;
  };
  void stop_foreign_code();
  std::string place_of(std::uintptr_t code) const;

  kernel::Simulation& world_;
  os::FindingLog& findings_;
  std::deque<Loaded> loaded_;
  std::unique_ptr<foreign::Watch> watch_;
  bool mishap_ = false;
  // Where foreign code was when it was stopped, noted in a signal handler.
  const hw::Processor* stopped_on_ = nullptr;
  Irql stopped_at_{};
};

}  // namespace vmbsim::scenario
